"""One photo from bytes to pixels: checked before it is decoded, upright, 8-bit sRGB, without its metadata.

Pillow reads every format, HEIC through pi-heif. Large PNG, TIFF and WebP photos go through libvips instead: it
streams and shrinks them, where Pillow would hold four bytes for each of up to 50 million pixels.
"""

import hashlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pi_heif
import pyvips  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from skinapp.errors import PhotoError

MAX_BYTES = 50 * 1024 * 1024
"""The largest file that is read, 50 MB."""

MAX_PIXELS = 50_000_000
"""The largest photo that is decoded, 50 megapixels, as much as a phone's camera makes."""

MIN_SIDE = 32
"""The shortest side of a photo, in pixels; less shows no lesion."""

DECODE_SIDE = 640
"""Larger photos are halved while decoding as often as both sides keep this many pixels (networks see 224 to 320)."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".webp", ".png", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
"""Suffixes, in lower case, by which a search through folders knows a photo; reading goes by content alone."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "HEIF")  # Pillow's names; an MPO opens as a JPEG
_ACCEPTED = "JPEG, PNG, WebP, BMP, TIFF, AVIF or HEIC"
_STREAMED = {"PNG": "pngload_source", "TIFF": "tiffload_source", "WEBP": "webpload_source"}
_STREAMED_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B")
_NOTES = {
    "HEIF": "The file holds several pictures; the main one was read.",
    "TIFF": "The file holds several pages; the first one was read.",
}
_ANIMATION_NOTE = "The file is an animation; its first frame was read."
_PROFILE_NOTE = "The photo's colour profile could not be used, so its colours may be slightly off."
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow, pi-heif and libvips raise for bytes that are not what they claim to be.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RuntimeError)
_DAMAGE += (AssertionError, struct.error, zlib.error, pyvips.Error)

pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
pyvips.cache_set_max(0)  # libvips would otherwise remember the last photos of its process
pyvips.concurrency_set(1)  # more threads more than double the peak of memory and gain nothing on a stream
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

    def __post_init__(self) -> None:
        self.pixels.setflags(write=False)


def read_photo(data: bytes) -> Photo:
    """Decode the bytes of one photo file, from any thread; PhotoError says why a file is refused.

    The format is decided by content. Animations give their first frame, files of several pages their first page,
    transparency turns white, 16 bits are scaled to 8, and an embedded ICC profile is converted to sRGB.
    """
    _check_bytes(len(data))
    with _refusals(), Image.open(BytesIO(data), formats=_FORMATS) as image:
        _check_size(image.width, image.height)
        own_format = "JPEG" if image.format == "MPO" else str(image.format)
        width, height, profile = image.width, image.height, image.info.get("icc_profile")
        notes = (_NOTES.get(own_format, _ANIMATION_NOTE),) if _has_more(image) else ()
        decoded = _decode(image, data)
        orientation = _orientation(image)
        if orientation > 4 and own_format != "TIFF":  # Pillow gives a TIFF's size upright, all others' as stored
            width, height = height, width
        rgb, profile_notes = _to_srgb(_on_white(decoded), profile)
        upright = rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb
    digest = hashlib.sha256(data).hexdigest()
    return Photo(np.asarray(upright), digest, own_format, width, height, notes + profile_notes)


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
    """Turn whatever a decoder raises into a PhotoError; a MemoryError too, for a photo of 50 MP may not fit."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(_too_large("far more")) from error
    except Image.UnidentifiedImageError as error:
        raise PhotoError(
            f"This file is not a photo that can be read here, whatever its name says. Use {_ACCEPTED}; "
            "if it is one of these, it is damaged at its beginning and has to be copied or exported again."
        ) from error
    except MemoryError as error:
        raise PhotoError("The photo does not fit into this machine's memory. Save it smaller and try again.") from error
    except _DAMAGE as error:
        raise PhotoError(
            "The photo is damaged or incomplete: it begins well, but not all of it can be decoded. "
            "Copy or export it once more from where it came from."
        ) from error


def _check_bytes(size: int) -> None:
    if size == 0:
        raise PhotoError("The file is empty. Copy or export the photo once more from where it came from.")
    if size > MAX_BYTES:
        raise PhotoError(
            f"The file has {size / 1024**2:.0f} MB; at most {MAX_BYTES // 1024**2} MB are read. "
            "Save the photo smaller or as JPEG."
        )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoError(_too_large(f"{width} × {height}"))
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"The photo has {width} × {height} pixels; both sides need at least {MIN_SIDE}. "
            "Use the original, not a thumbnail of it."
        )


def _too_large(pixels: str) -> str:
    return (
        f"The photo claims {pixels} pixels; at most {MAX_PIXELS // 1_000_000} million (megapixels) are read. "
        "Save it smaller, or cut it down to the lesion."
    )


def _has_more(image: Image.Image) -> bool:
    # The further pictures in a phone's MPO are previews and depth maps of the first.
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _reduction(width: int, height: int) -> int:
    """Return the largest power of two by which both sides can be divided and keep DECODE_SIDE pixels, at least 1."""
    return 1 << max((min(width, height) // DECODE_SIDE).bit_length() - 1, 0)


def _decode(image: Image.Image, data: bytes) -> Image.Image:
    """Decode an opened picture, reduced where it is large, to 8 bits a channel in whatever mode it has."""
    factor = _reduction(image.width, image.height)
    if factor > 1 and image.format in _STREAMED and image.mode in _STREAMED_MODES:
        return _decode_streamed(image, data, factor)
    image.draft(None, (DECODE_SIDE, DECODE_SIDE))  # does nothing but for a JPEG, where it follows the same rule
    whole = image.size
    image.load()
    eight_bit = _to_eight_bit(image)
    remaining = 1 if image.format in ("JPEG", "MPO") else _reduction(*whole)
    return eight_bit.reduce(remaining) if remaining > 1 else eight_bit


def _decode_streamed(image: Image.Image, data: bytes, factor: int) -> Image.Image:
    """Decode by libvips, which holds a few rows at a time; the loader is named, so no other can be reached."""
    scale = {"scale": 1 / factor} if image.format == "WEBP" else {}
    source = pyvips.Source.new_from_memory(data)
    loader = _STREAMED[str(image.format)]
    stream = pyvips.Operation.call(loader, source, access="sequential", fail_on="error", **scale)
    _check_size(stream.width, stream.height)  # the two libraries may read a forged header differently
    if image.has_transparency_data and stream.hasalpha():
        stream = stream.flatten(background=65535 if stream.format == "ushort" else 255)
    elif image.mode != "P":
        stream = stream.extract_band(0, n=len(image.getbands()))
    if not scale:
        stream = stream.shrink(factor, factor, ceil=True)
    return _from_array(stream.numpy(), "CMYK" if image.mode == "CMYK" else None)


def _from_array(samples: NDArray[np.generic], mode: str | None) -> Image.Image:
    if samples.dtype == np.uint16:
        samples = np.round(samples / 257).astype(np.uint8)
    reduced = Image.fromarray(np.ascontiguousarray(samples))
    if mode == "CMYK":  # four bands look like RGBA to Pillow
        return Image.frombytes("CMYK", reduced.size, reduced.tobytes())
    return reduced


def _to_eight_bit(image: Image.Image) -> Image.Image:
    """Bring a decoded picture into one of L, LA, RGB, RGBA and CMYK, or LAB."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bit_grey(np.asarray(image)))
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        return image
    if image.mode in ("LA", "RGBA", "CMYK", "LAB"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _eight_bit_grey(samples: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale grey samples to 0..255 from the range they were most likely written in.

    Unsigned 16-bit samples fill 0..65535 by definition. 32-bit integers and floats carry no range, so 0..1 (floats
    only), 0..255 and 0..65535 are tried in turn, and anything else is spread from its darkest to its brightest.
    """
    if samples.dtype == np.uint16:
        return np.round(samples / 257).astype(np.uint8)
    values = np.nan_to_num(samples.astype(np.float32), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    tops = (1, 255, 65535) if samples.dtype.kind == "f" else (255, 65535)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        values, top = values - low, high - low
    return np.round(values * (255 / top)).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation that is still to be applied, 1 where there is none or it cannot be read.

    Pillow turns a TIFF while it decodes it and drops the tag then, so this is asked after decoding.
    """
    try:
        # Not image.getexif(): a PNG's own decodes the whole picture to look behind it.
        return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
    except _DAMAGE:
        return 1


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = image.convert(image.mode[:-1])
    return Image.composite(opaque, Image.new(opaque.mode, image.size, "white"), image.getchannel("A"))


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert to sRGB through the embedded profile; one that is broken or of another kind is left out, with a note."""
    srgb = ImageCms.createProfile("sRGB")
    if image.mode == "LAB":
        return _through(image, ImageCms.createProfile("LAB"), srgb), ()
    if not profile:
        return image.convert("RGB"), ()
    try:
        return _through(image, ImageCms.ImageCmsProfile(BytesIO(profile)), srgb), ()
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB"), (_PROFILE_NOTE,)


def _through(image: Image.Image, own: object, srgb: object) -> Image.Image:
    converted = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
    assert converted is not None  # only in-place conversion returns nothing
    return converted
