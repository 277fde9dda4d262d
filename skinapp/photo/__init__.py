"""One photo from bytes to pixels: `reading` checks the limits, `pixels` decodes.

To add a picture format, add it to `_FORMATS` and PHOTO_SUFFIXES in `reading`.
"""

from skinapp.photo.pixels import DECODE_SIDE
from skinapp.photo.reading import (
    MAX_BYTES,
    MAX_PIXELS,
    MIN_SIDE,
    PHOTO_SUFFIXES,
    Photo,
    read_photo,
    read_photo_bytes,
    read_photo_file,
)

__all__ = [
    "DECODE_SIDE",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "Photo",
    "read_photo",
    "read_photo_bytes",
    "read_photo_file",
]
