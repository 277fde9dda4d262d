"""Pictures that Pillow decodes, whole: BMP, AVIF, and the few kinds of TIFF that libvips does not know."""

import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pyvips  # type: ignore[import-untyped]
from PIL import Image

from skinapp.photo.header import Header, name_colour_note, read_exif

BYTES_PER_PIXEL, AVIF_BYTES_PER_PIXEL = 8, 10
"""What is held while Pillow decodes: its own four bytes a pixel, a copy, and for AVIF the decoder's planes."""

_REDUCED = ("L", "LA", "RGB", "RGBA", "CMYK")

# Pillow warns on stderr about large pictures, which the limits refuse, and odd metadata, which does not matter.
warnings.filterwarnings("ignore", module=r"PIL\.")


def inspect_bmp(data: bytes) -> Header:
    """Read the header of a BMP."""
    with Image.open(BytesIO(data), formats=("BMP",)) as image:
        pixels = image.width * image.height
        return open_pillow(data, "BMP", image.size, 4 * pixels, pixels * BYTES_PER_PIXEL)


def inspect_avif(data: bytes, pixels: int, profile: bytes | None, notes: tuple[str, ...]) -> Header:
    """Read the header of an AVIF whose decoder unpacks this many pixels; `profile` is used if it embeds none."""
    with Image.open(BytesIO(data), formats=("AVIF",)) as image:
        orientation, is_adobe_rgb = read_exif(image.info.get("exif"))
        profile = image.info.get("icc_profile") or profile
        colours = {"orientation": orientation, "profile": profile}
        notes += name_colour_note(is_adobe_rgb, profile)
        return open_pillow(data, "AVIF", image.size, 3 * pixels, pixels * AVIF_BYTES_PER_PIXEL, notes=notes, **colours)


def open_pillow(
    data: bytes, picture_format: str, size: tuple[int, int], unpacked: int, held: int, **more: Any
) -> Header:
    """Describe a picture of this size (width, height); `more` are further fields of its header."""

    def open_stream(reduction: int, strict: bool) -> tuple[Any, int]:
        with Image.open(BytesIO(data), formats=(picture_format,)) as image:
            image.load()
            simple = _simplify(image)
        if simple.mode in _REDUCED:  # before it is copied
            simple, reduction = simple.reduce(reduction), 1
        stream = pyvips.Image.new_from_array(np.asarray(simple))
        return stream.copy(interpretation="cmyk") if simple.mode == "CMYK" else stream, reduction

    return Header(picture_format, *size, open_stream, unpacked_bytes=unpacked, held_bytes=held, alpha=True, **more)


def _simplify(image: Image.Image) -> Image.Image:
    """Convert to one of the modes L, LA, RGB, RGBA, CMYK, and 16- and 32-bit grey."""
    if image.mode in (*_REDUCED, "F", "I") or image.mode.startswith("I;"):
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")
