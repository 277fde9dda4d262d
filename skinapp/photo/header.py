"""What a photo file says of itself, read before anything is decoded; metadata that several formats share."""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyvips  # type: ignore[import-untyped]
from PIL import ExifTags, Image


class GuessedError(ValueError):
    """Raised by a strict decoder that had to guess."""


Open = Callable[[int, bool], tuple[Any, int]]
"""Takes (reduction, strict) and returns a libvips image and the reduction that is still to be done.

If strict, it raises GuessedError or pyvips.Error, now or when pixels are computed, where the decoder has to guess.
"""

ANIMATION_NOTE = "The file is an animation; its first frame was read."
PAGES_NOTE = "The file holds several pages; the first one was read."
PICTURES_NOTE = "The file holds several pictures; the main one was read."
UNREAD_COLOUR_NOTE = (
    "The photo's colours are stored as {colours}, which was not converted, so they may be wrong. "
    "Export the photo as sRGB to be sure."
)

DECODE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    RuntimeError,
    AssertionError,
    struct.error,
    zlib.error,
    pyvips.Error,
)
"""Errors that Pillow, pi-heif and libvips raise for damaged files."""

_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


@dataclass(frozen=True, eq=False)
class Header:
    """One photo, ready to be decoded.

    `width` and `height`, in pixels, are as stored, before `orientation` (EXIF, 1 to 8) is undone. `held_bytes` is what
    the decoder holds at once, and `unpacked_bytes` what the file unpacks to. `profile` is an ICC profile. If `alpha`,
    a band after the colours is transparency; if `inverted`, the largest sample is black. `guessed_note` says what to
    think of a photo in which the decoder had to guess; None refuses such a photo.
    """

    format: str
    width: int
    height: int
    open: Open
    unpacked_bytes: int = 0
    held_bytes: int = 0
    orientation: int = 1
    profile: bytes | None = None
    alpha: bool = False
    inverted: bool = False
    top: int | None = None
    guessed_note: str | None = None
    notes: tuple[str, ...] = ()


def count_stream_bytes(width: int, bands: int, bits: int) -> int:
    """Count what libvips holds of a stream, as measured: 1,300 rows, of floats where samples have more than 8 bits."""
    return 1_300 * width * bands * (4 if bits > 8 else 1)


def open_with(loader: str, data: bytes, **options: object) -> Any:
    """Open bytes as a libvips stream; the loader is named so that no other one can run."""
    source = pyvips.Source.new_from_memory(data)
    return pyvips.Operation.call(loader, source, access="sequential", **options)


def read_exif(exif: bytes | None, xmp: bytes | None = None) -> tuple[int, bool]:
    """Read the orientation (1 to 8; else 1) from EXIF, else from XMP, and whether EXIF says Adobe RGB."""
    orientation, is_adobe_rgb = 0, False
    if exif:
        try:
            tags = Image.Exif()
            tags.load(exif)
            orientation = int(tags.get(ExifTags.Base.Orientation, 0))
            is_adobe_rgb = tags.get_ifd(ExifTags.IFD.Interop).get(1) == "R03"  # DCF 2.0: the option file for Adobe RGB
        except DECODE_ERRORS:
            pass
    found = None if orientation else _XMP_ORIENTATION.search(xmp or b"")
    orientation = int(found[1]) if found else orientation
    return orientation if 1 <= orientation <= 8 else 1, is_adobe_rgb


def name_colour_note(is_adobe_rgb: bool, profile: bytes | None) -> tuple[str, ...]:
    """Return the note for a photo in Adobe RGB that carries no profile, by which it could be converted."""
    return (UNREAD_COLOUR_NOTE.format(colours="Adobe RGB"),) if is_adobe_rgb and not profile else ()
