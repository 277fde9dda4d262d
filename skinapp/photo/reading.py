"""One photo from bytes to a Photo: limits are checked before decoding, and each refusal has a sentence."""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from skinapp.errors import PhotoError
from skinapp.photo.pixels import DECODE_ERRORS, decode

MAX_BYTES = 50 * 1024 * 1024
"""The largest file that is read: 50 MB."""

MAX_PIXELS = 50_000_000
"""The largest photo that is decoded: 50 megapixels, the size of photos from large phone cameras."""

MIN_SIDE = 32
"""Minimum length of both sides of a photo, in pixels; smaller ones do not show a lesion."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".webp", ".png", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
"""Suffixes, in lower case, of photos in a folder; reading a photo depends only on its content."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")  # Pillow's names; an MPO opens as a JPEG
_ACCEPTED = "JPEG, PNG, WebP, BMP, TIFF, AVIF or HEIC"
_TOO_LARGE = (
    f"The photo has more than {MAX_PIXELS // 1_000_000} million pixels (megapixels). "
    "Save it smaller, or crop it to the lesion."
)
_NOTES = {  # for a file with more than one picture; in a JPEG the others are previews and depth maps
    "JPEG": (),
    "HEIF": ("The file holds several pictures; the main one was read.",),
    "TIFF": ("The file holds several pages; the first one was read.",),
}
_ANIMATION_NOTE = ("The file is an animation; its first frame was read.",)

pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
# Pillow warns on stderr about large pictures, which the limits here refuse, and odd metadata, which does not matter.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo for the networks: upright and without metadata.

    `pixels` is a read-only uint8 array (H, W, 3), sRGB. `sha256` is the hex digest of the original bytes, `format`
    Pillow's name of the format. `width` and `height` are the original size in pixels, upright, before any reduction.
    `notes` are sentences for the user, usually none.
    """

    pixels: NDArray[np.uint8]
    sha256: str
    format: str
    width: int
    height: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:  # noqa: D105
        self.pixels.setflags(write=False)


def read_photo(data: bytes) -> Photo:
    """Decode the bytes of one photo file; PhotoError says why a file is refused. Safe in any thread.

    The content decides the format. The first frame of an animation and the first page of a file are read, transparency
    becomes white, 16 bits are scaled to 8, and colours are converted to sRGB with an embedded ICC profile.
    """
    _check_bytes(len(data))
    with _explain_errors(), Image.open(BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        _check_size(width, height)
        picture_format = "JPEG" if image.format == "MPO" else str(image.format)
        notes = _NOTES.get(picture_format, _ANIMATION_NOTE) if getattr(image, "is_animated", False) else ()
        pixels, orientation, colour_notes = decode(image, data)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return Photo(pixels, hashlib.sha256(data).hexdigest(), picture_format, width, height, notes + colour_notes)


def read_photo_file(path: Path) -> Photo:
    """Read one photo file; PhotoError if the file cannot be read or is refused."""
    return read_photo(read_photo_bytes(path))


def read_photo_bytes(path: Path) -> bytes:
    """Read the bytes of a photo file; PhotoError if it is empty, too large or cannot be read."""
    try:
        _check_bytes(path.stat().st_size)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a null character in it
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"{path} cannot be read ({reason}). Check the path and the permissions.") from error


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Turn any error of a decoder into a PhotoError that says what to do."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"This file is not a photo in a supported format, whatever its name says. Use {_ACCEPTED}; "
            "if it is one of these, it is damaged or incomplete: copy or export it again."
        ) from error
    except MemoryError as error:
        raise PhotoError("The photo is too large for this computer's memory. Save it smaller and try again.") from error
    except DECODE_ERRORS as error:
        raise PhotoError(
            "The photo is damaged or incomplete: only a part of it can be decoded. "
            "Copy or export it again from the original."
        ) from error


def _check_bytes(size: int) -> None:
    if size == 0:
        raise PhotoError("The file is empty. Copy or export the photo again from the original.")
    if size > MAX_BYTES:
        raise PhotoError(
            f"The file has {size / 1024**2:.1f} MB; the limit is {MAX_BYTES // 1024**2} MB. "
            "Save the photo smaller or as JPEG."
        )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoError(_TOO_LARGE)
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The photo has {width} × {height} pixels; both sides need at least {MIN_SIDE}. "
            "Use the original, not a thumbnail of it."
        )
