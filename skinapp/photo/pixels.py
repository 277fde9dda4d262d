"""A picture that Pillow has opened -> upright 8-bit sRGB pixels, reduced if it is large.

libvips decodes large PNG, TIFF and WebP photos: it streams and shrinks them row by row, while Pillow would hold four
bytes for each of up to 50 million pixels. Pillow decodes everything else.
"""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pyvips  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

DECODE_SIDE = 640
"""Larger photos are halved while decoding as long as both sides keep this many pixels (networks see 224 to 320)."""

DECODE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
)
DECODE_ERRORS += (OverflowError, RuntimeError, AssertionError, struct.error, zlib.error, pyvips.Error)
"""Errors that Pillow, pi-heif and libvips raise for damaged files."""

_STREAMED = {"PNG": "pngload_source", "TIFF": "tiffload_source", "WEBP": "webpload_source"}
_STREAMED_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B")
_PROFILE_NOTE = "The photo's colour profile could not be used, so its colours may be slightly off."

pyvips.cache_set_max(0)  # otherwise libvips keeps the last photos in memory
pyvips.concurrency_set(1)  # more threads more than double the peak memory and do not speed up a stream


def decode(image: Image.Image, data: bytes) -> tuple[NDArray[np.uint8], int, tuple[str, ...]]:
    """Decode a picture that Pillow has opened from `data`; raises one of DECODE_ERRORS if it is damaged.

    Returns the pixels, uint8 (H, W, 3), upright, sRGB, transparency as white; the EXIF orientation, 1 to 8, that was
    applied to the size from Pillow; and notes for the user.
    """
    profile = image.info.get("icc_profile")
    eight_bit = _decode_reduced(image, data)
    orientation = _read_orientation(image)
    rgb, notes = _to_srgb(_blend_on_white(eight_bit), profile)
    return _turn_upright(np.asarray(rgb), orientation), 1 if image.format == "TIFF" else orientation, notes


def _decode_reduced(image: Image.Image, data: bytes) -> Image.Image:
    """Decode to one of L, LA, RGB, RGBA and CMYK, reduced if the picture is large."""
    factor = _compute_reduction(image.width, image.height)
    if factor > 1 and image.format in _STREAMED and image.mode in _STREAMED_MODES:
        return _decode_streamed(image, data, factor)
    if image.format == "PNG":  # Pillow ignores a wrong checksum, libvips does not
        Image.open(BytesIO(data), formats=("PNG",)).verify()
    drafted = image.draft(None, (DECODE_SIDE, DECODE_SIDE))  # JPEG only: reduces while decoding, by the same rule
    image.load()
    eight_bit = _to_eight_bit(image)
    return eight_bit if drafted or factor == 1 else eight_bit.reduce(factor)


def _compute_reduction(width: int, height: int) -> int:
    """Compute the largest power of two, at least 1, by which both sides can be divided and keep DECODE_SIDE pixels."""
    return 1 << max((min(width, height) // DECODE_SIDE).bit_length() - 1, 0)


def _decode_streamed(image: Image.Image, data: bytes, factor: int) -> Image.Image:
    """Decode with libvips, a few rows at a time; the loader is named so that no other one can run."""
    loader, scale = _STREAMED[str(image.format)], {"scale": 1 / factor} if image.format == "WEBP" else {}
    source = pyvips.Source.new_from_memory(data)
    stream = pyvips.Operation.call(loader, source, access="sequential", fail_on="error", **scale)
    if stream.width * stream.height > image.width * image.height:
        raise ValueError("Pillow and libvips read different sizes from the header")
    if image.has_transparency_data and stream.hasalpha():
        stream = stream.flatten(background=65535 if stream.format == "ushort" else 255)
    elif image.mode != "P":
        stream = stream.extract_band(0, n=len(image.getbands()))
    if not scale:
        stream = stream.shrink(factor, factor, ceil=True)
    samples = stream.numpy()
    if samples.dtype != np.uint8:
        samples = _scale_to_bytes(samples)
    mode = "CMYK" if image.mode == "CMYK" else "L" if samples.ndim == 2 else "RGB"
    return Image.frombytes(mode, (stream.width, stream.height), samples.tobytes())


def _to_eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_scale_to_bytes(np.asarray(image)))
    transparent = image.has_transparency_data
    if image.mode in (("LA", "RGBA") if transparent else ("L", "RGB", "CMYK")):
        return image
    return image.convert("RGBA" if transparent else "RGB")


def _scale_to_bytes(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale samples to 0..255 from their most likely range.

    Unsigned 16-bit samples have the range 0..65535 by definition. 32-bit integers and floats have no defined range: the
    first of 0..1 (floats only), 0..255 and 0..65535 that holds all samples is used, else darkest to brightest.
    """
    if samples.dtype.kind == "u":
        return np.round(samples / np.float32(257)).astype(np.uint8)
    values = np.nan_to_num(samples.astype(np.float32), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    for top in (1, 255, 65535) if samples.dtype.kind == "f" else (255, 65535):
        if low >= 0 and high <= top:
            return np.round(values * (255 / top)).astype(np.uint8)
    return np.round((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def _blend_on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = image.convert(image.mode[:-1])
    return Image.composite(opaque, Image.new(opaque.mode, image.size, "white"), image.getchannel("A"))


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


def _read_orientation(image: Image.Image) -> int:
    """Read the EXIF orientation that is still to be applied; 1 if there is none or it cannot be read.

    Pillow turns a TIFF while decoding and then removes the tag, so call this after decoding.
    """
    try:
        # Not image.getexif(): for PNG it decodes the whole picture, to find metadata after it.
        return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
    except DECODE_ERRORS:
        return 1


def _turn_upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo one of the eight EXIF orientations (Exif 2.32, tag 0x0112); any other number changes nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
