"""A photo whose header was checked -> upright 8-bit sRGB pixels, reduced if it is large.

libvips streams and shrinks a few rows at a time. Each format has one decoder, whatever the photo's size.
"""

from io import BytesIO
from typing import Any

import numpy as np
import pyvips  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image, ImageCms

from skinapp.photo import samples
from skinapp.photo.header import GuessedError, Header
from skinapp.photo.square import Square, turn_back

DECODE_SIDE = 640
"""Larger photos are halved while decoding as long as both sides keep this many pixels (networks see 224 to 320)."""

_PROFILE_NOTE = "The photo's colour profile could not be used, so its colours may be slightly off."
_OUTPUT_BYTES = 12  # of a decoded pixel: three bytes, in the copies that the steps below make
_HARMLESS = ("Invalid SOS parameters", "JFIF revision", "Adobe color transform")
"""Warnings of libjpeg about odd headers, which some phones write, and not about the picture."""

pyvips.cache_set_max(0)  # otherwise libvips keeps the last photos in memory
pyvips.concurrency_set(1)  # more threads more than double the peak memory and do not speed up a stream


def decode(header: Header, square: Square | None = None) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode a photo, or a square of it; raises one of DECODE_ERRORS if it is damaged.

    Returns the pixels, uint8 (H, W, 3), upright, sRGB, transparency as white; and notes for the user.
    """
    if square is not None:
        upright = (header.width, header.height) if header.orientation < 5 else (header.height, header.width)
        square = turn_back(square, *upright, header.orientation)
    eight_bit, notes = _decode_or_guess(header, square)
    mode = {2: "L", 3: "RGB"}[min(eight_bit.ndim, 3)] if eight_bit.shape[-1] != 4 or eight_bit.ndim == 2 else "CMYK"
    picture = Image.frombytes(mode, (eight_bit.shape[1], eight_bit.shape[0]), eight_bit.tobytes())
    rgb, profile_notes = _to_srgb(picture, header.profile)
    return _turn_upright(np.asarray(rgb), header.orientation), notes + profile_notes


def count_output_bytes(header: Header, square: Square | None = None) -> int:
    """Count the bytes that the decoded pixels of a photo, or of a square of it, and their copies take."""
    width, height = (square.side, square.side) if square else (header.width, header.height)
    return _OUTPUT_BYTES * width * height // compute_reduction(width, height) ** 2


def compute_reduction(width: int, height: int) -> int:
    """Compute the largest power of two, at least 1, by which both sides can be divided and keep DECODE_SIDE pixels."""
    return 1 << max((min(width, height) // DECODE_SIDE).bit_length() - 1, 0)


def _decode_or_guess(header: Header, square: Square | None) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode strictly; where the decoder has to guess, decode again and say so, if the format allows it."""
    try:
        return _render(header, square, strict=True)
    except (pyvips.Error, GuessedError) as error:
        if header.guessed_note is None:
            raise
        is_harmless = any(words in str(error) for words in _HARMLESS)
    pixels, notes = _render(header, square, strict=False)
    return pixels, notes if is_harmless else (*notes, header.guessed_note)


def _render(header: Header, square: Square | None, strict: bool) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode to 8-bit samples of grey (H, W), RGB (H, W, 3) or CMYK (H, W, 4), reduced if what is wanted is large."""
    width, height = (square.side, square.side) if square else (header.width, header.height)
    factor = compute_reduction(width, height)

    def open_bands() -> tuple[Any, int]:
        stream, left = header.open(factor, strict)
        if stream.width * stream.height > header.width * header.height:
            raise ValueError("the decoder reads another size from the header")
        return stream, left

    stream, left = open_bands()
    colours = 4 if stream.interpretation == "cmyk" else 3 if stream.bands >= 3 else 1
    bands = colours + (header.alpha and stream.bands > colours)
    stream = stream.extract_band(0, n=bands)
    no_notes: tuple[str, ...] = ()
    if stream.format == "uchar":
        whitened = stream.flatten(background=255) if bands > colours else stream
        eight_bit, notes = _cut(_shrink(whitened, left), square, factor).numpy(), no_notes
    else:
        ranged = samples.Samples(lambda: open_bands()[0].extract_band(0, n=bands), colours, header.top)
        eight_bit, notes = ranged.convert(stream, lambda image: _cut(_shrink(image, left), square, factor))
    return (255 - eight_bit if header.inverted else eight_bit), notes


def _shrink(stream: Any, factor: int) -> Any:
    return stream.shrink(factor, factor, ceil=True) if factor > 1 else stream


def _cut(stream: Any, square: Square | None, factor: int) -> Any:
    """Cut a square of the stored photo out of the photo reduced by `factor`."""
    if square is None:
        return stream
    side = min(-(-square.side // factor), stream.width, stream.height)
    left, top = (
        min(round(start / factor), length - side)
        for start, length in ((square.left, stream.width), (square.top, stream.height))
    )
    return stream.extract_area(left, top, side, side)


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert to sRGB with the embedded profile; a profile that cannot be used is ignored, with a note."""
    if not profile:
        return image.convert("RGB"), ()
    try:
        embedded, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, embedded, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return (converted, ()) if converted else (image.convert("RGB"), (_PROFILE_NOTE,))


def _turn_upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo one of the eight EXIF orientations (Exif 2.32, tag 0x0112); any other number changes nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
