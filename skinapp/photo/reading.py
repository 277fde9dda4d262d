"""One photo from bytes to a Photo: its limits, checked before anything is decoded, and a sentence for each refusal."""

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
from skinapp.photo.pixels import DAMAGE, decode

MAX_BYTES = 50 * 1024 * 1024
"""The largest file that is read, 50 MB."""

MAX_PIXELS = 50_000_000
"""The largest photo that is decoded, 50 megapixels, as much as a phone's camera makes."""

MIN_SIDE = 32
"""The shortest side of a photo, in pixels; less shows no lesion."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".webp", ".png", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
"""Suffixes, in lower case, by which a search through folders knows a photo; reading goes by content alone."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")  # Pillow's names; an MPO opens as a JPEG
_ACCEPTED = "JPEG, PNG, WebP, BMP, TIFF, AVIF or HEIC"
_TOO_LARGE = (
    f"The photo has more than {MAX_PIXELS // 1_000_000} million pixels (megapixels). "
    "Save it smaller, or cut it down to the lesion."
)
_NOTES = {  # of a file that holds more than one picture; those of a JPEG are previews and depth maps
    "JPEG": (),
    "HEIF": ("The file holds several pictures; the main one was read.",),
    "TIFF": ("The file holds several pages; the first one was read.",),
}
_ANIMATION_NOTE = ("The file is an animation; its first frame was read.",)

pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
# Pillow warns of large pictures and odd metadata on stderr; the limits here refuse the first, the second is no matter.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as the networks may see it: upright and without metadata.

    `pixels` is a read-only uint8 array (H, W, 3), sRGB; `sha256` the hex digest of the original bytes; `format`
    Pillow's name of the format. `width` and `height` are the photo's own, upright, before any reduction. `notes`
    are sentences for the reader, mostly none.
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
    """Decode the bytes of one photo file, from any thread; PhotoError says why a file is refused.

    The format is decided by content. Animations give their first frame, files of several pages their first page,
    transparency turns white, 16 bits are scaled to 8, and an embedded ICC profile is converted to sRGB.
    """
    _check_bytes(len(data))
    with _refusals(), Image.open(BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        _check_size(width, height)
        own_format = "JPEG" if image.format == "MPO" else str(image.format)
        notes = _NOTES.get(own_format, _ANIMATION_NOTE) if getattr(image, "is_animated", False) else ()
        pixels, orientation, colour_notes = decode(image, data)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return Photo(pixels, hashlib.sha256(data).hexdigest(), own_format, width, height, notes + colour_notes)


def read_photo_file(path: Path) -> Photo:
    """Read one photo file; PhotoError also where the file itself cannot be read."""
    return read_photo(photo_bytes(path))


def photo_bytes(path: Path) -> bytes:
    """Return the bytes of a file that is not too large for a photo; PhotoError names a file that cannot be read."""
    try:
        _check_bytes(path.stat().st_size)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a null character in it
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"{path} cannot be read ({reason}). Check the path and the permissions.") from error


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn whatever a decoder raises into a PhotoError that says what to do."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"This file is not a photo that can be read here, whatever its name says. Use {_ACCEPTED}; "
            "if it is one of these, it is damaged or incomplete: copy or export it once more."
        ) from error
    except MemoryError as error:
        raise PhotoError("The photo does not fit into this machine's memory. Save it smaller and try again.") from error
    except DAMAGE as error:
        raise PhotoError(
            "The photo is damaged or incomplete: it begins well, but not all of it can be decoded. "
            "Copy or export it once more from where it came from."
        ) from error


def _check_bytes(size: int) -> None:
    if size == 0:
        raise PhotoError("The file is empty. Copy or export the photo once more from where it came from.")
    if size > MAX_BYTES:
        raise PhotoError(
            f"The file has {size / 1024**2:.1f} MB; at most {MAX_BYTES // 1024**2} MB are read. "
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
