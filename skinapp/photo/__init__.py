"""One photo from bytes to pixels: `reading` checks and refuses, `pixels` decodes."""

from skinapp.photo.pixels import DECODE_SIDE
from skinapp.photo.reading import (
    MAX_BYTES,
    MAX_PIXELS,
    MIN_SIDE,
    PHOTO_SUFFIXES,
    Photo,
    photo_bytes,
    read_photo,
    read_photo_file,
)

__all__ = [
    "DECODE_SIDE",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "Photo",
    "photo_bytes",
    "read_photo",
    "read_photo_file",
]
