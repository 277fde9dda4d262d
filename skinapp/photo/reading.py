"""One photo from bytes to a Photo: limits are checked before decoding, and each refusal has a sentence."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinapp.errors import PhotoError
from skinapp.photo.dicom import inspect_dicom
from skinapp.photo.header import DECODE_ERRORS, Header
from skinapp.photo.heif import inspect_heif
from skinapp.photo.jpeg import inspect_jpeg
from skinapp.photo.limits import TOO_MANY_PIXELS, check_bytes, check_cost, check_size, hold_memory
from skinapp.photo.pillow import inspect_bmp
from skinapp.photo.pixels import count_output_bytes, decode
from skinapp.photo.png import inspect_png
from skinapp.photo.recognise import recognise_format
from skinapp.photo.square import Square, find_largest_square
from skinapp.photo.tiff import inspect_tiff
from skinapp.photo.webp import inspect_webp

PHOTO_SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".png", ".bmp", ".tif", ".tiff")
PHOTO_SUFFIXES += (".avif", ".heic", ".heif", ".hif", ".dcm")
"""Suffixes, in lower case, of photos in a folder; reading a photo depends only on its content."""

_INSPECT: dict[str, Callable[[bytes], Header]] = {
    "JPEG": inspect_jpeg,
    "PNG": inspect_png,
    "WEBP": inspect_webp,
    "BMP": inspect_bmp,
    "TIFF": inspect_tiff,
    "HEIF": inspect_heif,
}


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo for the networks: upright and without metadata.

    `pixels` is a read-only uint8 array (H, W, 3), sRGB. `sha256` is the hex digest of the original bytes. `format` is
    JPEG, PNG, WEBP, BMP, TIFF, AVIF, HEIF or DICOM. `width` and `height` are the original size in pixels, upright,
    before any reduction, also where `pixels` are a square that was cut out of it. `notes` are sentences for the user,
    usually none: what could not be honoured or was guessed.
    """

    pixels: NDArray[np.uint8]
    sha256: str
    format: str
    width: int
    height: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:  # noqa: D105
        self.pixels.setflags(write=False)


def read_photo(data: bytes, square: Square | None = None) -> Photo:
    """Decode the bytes of one photo file; PhotoError says why a file is refused. Safe in any thread.

    `square` is the part that is wanted, within the photo (skinapp.photo.square.fit_square), of which a small one is not
    reduced. The largest square in the centre is what the networks see of the whole photo, so it stays whole.

    The content decides the format. The first frame of an animation and the first page of a file are read, transparency
    becomes white, more than 8 bits are scaled to 8, and colours are converted to sRGB with an embedded ICC profile.
    Large photos wait for each other, so that all threads together hold a bounded amount of memory.
    """
    check_bytes(len(data))
    with _explain_errors():
        header = _inspect(data)
        width, height = header.width, header.height
        check_size(width, height)
        check_cost(header.unpacked_bytes, header.held_bytes)
        if header.orientation in (5, 6, 7, 8):
            width, height = height, width
        square = None if square == find_largest_square(width, height) else square
        with hold_memory(header.held_bytes + count_output_bytes(header, square)):
            pixels, notes = decode(header, square)
    return Photo(pixels, hashlib.sha256(data).hexdigest(), header.format, width, height, header.notes + notes)


def read_photo_file(path: Path) -> Photo:
    """Read one photo file; PhotoError if the file cannot be read or is refused."""
    return read_photo(read_photo_bytes(path))


def read_photo_bytes(path: Path) -> bytes:
    """Read the bytes of a photo file; PhotoError if it is empty, too large or cannot be read."""
    try:
        check_bytes(path.stat().st_size)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a null character in it
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotoError(f"{path} cannot be read ({reason}). Check the path and the permissions.") from error


def _inspect(data: bytes) -> Header:
    picture_format = recognise_format(data)
    if picture_format != "DICOM":
        return _INSPECT[picture_format](data)
    header, jpeg, more = inspect_dicom(data)
    if header is None:
        inner = inspect_jpeg(jpeg)
        header = replace(
            inner,
            format="DICOM",
            profile=inner.profile or more["profile"],
            notes=inner.notes + more["notes"],
            inverted=more["inverted"],
        )
    return header


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Turn any error of a decoder into a PhotoError that says what to do."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(TOO_MANY_PIXELS) from error
    except MemoryError as error:
        raise PhotoError("The photo is too large for this computer's memory. Save it smaller and try again.") from error
    except DECODE_ERRORS as error:
        raise PhotoError(
            "The photo is damaged or incomplete: only a part of it can be decoded. "
            "Copy or export it again from the original."
        ) from error
