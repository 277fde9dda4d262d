import base64
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageCms

from skinapp.photo import DECODE_SIDE, read_photo
from skinapp.photo.boxes import read_container
from skinapp.photo.coded_size import count_pixels

ROTATED_HEIC = base64.b64decode(  # blue, its stored top left quarter red, marked to be turned clockwise
    b"AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9j"
    b"AAAAAERAAAIAAQAAAAAB7AABAAAAAAAAADQAAgAAAAACIAABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAA"
    b"ABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNg"
    b"AAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZE"
    b"AcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AA"
    b"AAACAAAAEHBpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAA"
    b"AGBtZGF0AAAAMCgBr1j5Et3/1hP/nTSHDVy8cw1P9QgLsZ5+gNramU7H1//ZGDj3yiH+8Q2hExy09wAAAAZFeGlmAABNTQAqAAAACAABARIA"
    b"AwAAAAEABgAAAAAAAA=="
)


@cache
def draw_smooth(width: int, height: int) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    waves = 128 + 100 * np.sin(columns / 90)
    return Image.fromarray(np.stack([columns * 255 // width, rows * 255 // height, waves], -1).astype(np.uint8))


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def compute_difference(pixels: NDArray[np.uint8], expected: object) -> float:
    return float(np.abs(pixels.astype(int) - np.asarray(expected)).max())


def turn(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    # Exif 2.32: which visual side the stored first row and first column are on.
    turned = {
        1: upright,
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: np.rot90(upright, 2).swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }
    return np.ascontiguousarray(turned[orientation])


@pytest.mark.parametrize("size", [(96, 64), (1500, 1302)], ids=["small", "large"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True, "method": 0}),
        ("JPEG", {}),
    ],
)
def test_every_orientation_comes_out_upright(
    format: str, options: dict[str, object], orientation: int, size: tuple[int, int]
) -> None:
    upright = np.asarray(draw_smooth(*size))
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(encode(Image.fromarray(turn(upright, orientation)), format, exif=exif, **options))
    expected = upright if size == (96, 64) else np.asarray(Image.fromarray(upright).reduce(2))
    assert (photo.width, photo.height) == size
    assert photo.pixels.shape == expected.shape
    assert compute_difference(photo.pixels, expected) <= (0 if size == (96, 64) and format != "JPEG" else 8)


def test_a_phones_heic_is_turned_once() -> None:
    photo = read_photo(ROTATED_HEIC)
    assert (photo.format, photo.width, photo.height, photo.pixels.shape) == ("HEIF", 48, 64, (64, 48, 3))
    assert compute_difference(photo.pixels[4, -4], (255, 0, 0)) <= 3
    assert compute_difference(photo.pixels[[4, -4, -4], [4, 4, -4]], (0, 0, 255)) <= 3


def test_the_size_of_a_heic_is_that_of_its_picture_not_the_claimed_one() -> None:
    claim = ROTATED_HEIC.index(b"ispe") + 8
    claimed = ROTATED_HEIC[:claim] + bytes((0, 0, 0, 8, 0, 0, 0, 8)) + ROTATED_HEIC[claim + 8 :]
    assert [count_pixels(read_container(data)) for data in (ROTATED_HEIC, claimed)] == [64 * 64, 64 * 64]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("exif", [b"no EXIF", b"MM\0*\0\0\0\x08\0\1\1\x12\0\2\0\0\0\3abc\0"], ids=["none", "letters"])
def test_unreadable_exif_is_left_out(exif: bytes) -> None:
    data = encode(draw_smooth(96, 64), "PNG", exif=b"Exif\0\0" + exif)
    assert compute_difference(read_photo(data).pixels, draw_smooth(96, 64)) == 0


GREY = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (64, 1))
HALF_CLEAR = np.dstack([np.full((64, 64, 3), (200, 0, 0), np.uint8), np.full((64, 64), 128, np.uint8)])


@pytest.mark.parametrize(
    ("image", "format", "options", "expected"),
    [
        (Image.fromarray(GREY), "PNG", {}, GREY),
        (Image.fromarray(GREY), "TIFF", {"tiffinfo": {262: 0}}, GREY),  # white is zero
        (Image.fromarray(GREY.astype(np.uint16) * 257), "PNG", {}, GREY),
        (Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF", {}, GREY),
        (Image.fromarray(GREY.astype(np.int32) * 257), "TIFF", {}, GREY),
        (Image.fromarray(GREY.astype(np.int32)), "TIFF", {}, GREY),
        (Image.fromarray(GREY.astype(np.float32) / 255), "TIFF", {}, GREY),
        (Image.fromarray(GREY.astype(np.float32)), "TIFF", {}, GREY),
        (Image.fromarray(GREY.astype(np.float32) / 254 * 9 - 5), "TIFF", {}, GREY / 254 * 255),
        (Image.fromarray(GREY > 100), "PNG", {}, (GREY > 100) * 255),
        (Image.fromarray(GREY).quantize(128), "PNG", {}, GREY),
        (Image.fromarray(GREY).quantize(128), "BMP", {}, GREY),
        (Image.fromarray(GREY).convert("CMYK"), "JPEG", {"quality": 100}, GREY),
        (Image.fromarray(GREY).convert("CMYK"), "TIFF", {}, GREY),
    ],
)
def test_every_mode_becomes_eight_bit_rgb(
    image: Image.Image, format: str, options: dict[str, object], expected: NDArray[np.uint8]
) -> None:
    pixels = read_photo(encode(image, format, **options)).pixels
    assert compute_difference(pixels, np.asarray(expected)[..., None]) <= 2


@pytest.mark.parametrize("side", [64, 1300], ids=["small", "large"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_turns_white(mode: str, format: str, side: int) -> None:
    data = encode(Image.fromarray(HALF_CLEAR).convert(mode).resize((side, side)), format, lossless=True)
    grey = Image.new("RGB", (1, 1), (200, 0, 0)).convert("L").getpixel((0, 0))
    opaque = np.array((200, 0, 0) if mode == "RGBA" else (grey,) * 3)
    assert compute_difference(read_photo(data).pixels, 255 - (255 - opaque) * 128 / 255) <= 2


def test_a_transparent_colour_of_a_palette_turns_white() -> None:
    image = Image.new("P", (64, 64), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.paste(0, (0, 0, 32, 64))
    pixels = read_photo(encode(image, "PNG", transparency=0)).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, -1].tolist() == [200, 0, 0]


@pytest.mark.parametrize("side", [64, 1300], ids=["small", "large"])
@pytest.mark.parametrize("saver", ["pngsave_buffer", "tiffsave_buffer"])
def test_sixteen_bit_colour_is_scaled_not_clipped(saver: str, side: int) -> None:
    colours = np.asarray(Image.new("RGB", (side, side), (250, 128, 5))).astype(np.uint16) * 257
    image = pyvips.Image.new_from_array(colours).copy(interpretation="rgb16")
    assert compute_difference(read_photo(getattr(image, saver)()).pixels, (250, 128, 5)) <= 1


def make_linear_profile() -> bytes:
    """An RGB profile whose samples are light itself: sRGB's primaries and white, gamma 1."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag in (b"rTRC", b"gTRC", b"bTRC"):
        entry = profile.index(tag)
        start = int.from_bytes(profile[entry + 4 : entry + 8])
        profile[start : start + 16] = b"para" + bytes(8) + (1 << 16).to_bytes(4)  # function 0: a gamma alone
    return bytes(profile)


LINEAR = make_linear_profile()


@pytest.mark.parametrize("side", [64, 1300], ids=["small", "large"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_a_colour_profile_is_converted_to_srgb(format: str, side: int) -> None:
    half_of_the_light = Image.new("RGB", (side, side), (128, 128, 128))
    photo = read_photo(encode(half_of_the_light, format, icc_profile=LINEAR))
    assert photo.notes == ()
    assert compute_difference(photo.pixels, 188) <= 2  # sRGB (IEC 61966-2-1) codes 0.5 of the light as 188


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("profile", [b"no profile at all", LINEAR[:200], LINEAR])
def test_a_profile_that_does_not_fit_is_left_out_with_a_note(mode: str, profile: bytes) -> None:
    yellow = Image.new("RGB", (64, 64), "yellow").convert(mode)
    photo = read_photo(encode(yellow, "TIFF", icc_profile=profile))
    fits = mode == "RGB" and profile == LINEAR
    assert [("profile" in note) for note in photo.notes] == ([] if fits else [True])
    assert compute_difference(photo.pixels, (255, 255, 0)) <= 1


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("size", "factor"), [((1024, 768), 1), ((1800, 1279), 1), ((1282, 1281), 2), ((2561, 2570), 4), ((700, 2700), 1)]
)
def test_large_photos_are_reduced_by_powers_of_two(format: str, size: tuple[int, int], factor: int) -> None:
    options = {"speed": 10} if format == "AVIF" else {"method": 0} if format == "WEBP" else {}
    photo = read_photo(encode(draw_smooth(*size), format, **options))
    height, width, _ = photo.pixels.shape
    assert (photo.width, photo.height) == size
    assert abs(width - size[0] / factor) < 1
    assert abs(height - size[1] / factor) < 1
    assert factor == 1 or min(width, height) >= DECODE_SIDE
    expected = np.asarray(draw_smooth(*size).reduce(factor))[:height, :width]
    assert np.abs(photo.pixels[: len(expected), : expected.shape[1]].astype(int) - expected).mean() < 2


def test_a_band_without_a_meaning_is_left_out() -> None:
    photo = read_photo(encode(draw_smooth(1300, 1300).convert("RGBX"), "TIFF"))
    assert compute_difference(photo.pixels, draw_smooth(1300, 1300).reduce(2)) <= 2


PEAK = """
import re, sys
from pathlib import Path
from skinapp.photo import read_photo

data = sys.stdin.buffer.read()
memory = lambda line: int(re.search(line + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before_kb = memory("VmRSS")
read_photo(data)
print((memory("VmHWM") - before_kb) * 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak of a process")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: encode(Image.new("RGB", (8000, 6000), "brown"), "PNG", compress_level=1), id="PNG"),
        pytest.param(lambda: encode(Image.new("RGB", (8000, 6000), "brown"), "WEBP", method=0), id="WEBP"),
        pytest.param(lambda: encode(Image.new("RGB", (8000, 6000), "brown"), "JPEG"), id="JPEG"),
        pytest.param(lambda: encode(Image.new("I;16", (6000, 4000), 9000), "TIFF"), id="TIFF"),
    ],
)
def test_the_largest_photos_need_little_memory(data: Callable[[], bytes]) -> None:
    process = subprocess.run([sys.executable, "-c", PEAK], input=data(), capture_output=True, check=True)
    assert int(process.stdout) < 80e6  # Pillow alone: about 190 MB for the PNG, 730 MB for the WebP


MODES = [("PNG", "1"), ("PNG", "L"), ("PNG", "P"), ("TIFF", "1"), ("TIFF", "L"), ("TIFF", "P"), ("TIFF", "CMYK")]


@pytest.mark.parametrize(("format", "mode"), MODES)
def test_a_large_photo_of_any_mode_looks_like_a_small_one(format: str, mode: str) -> None:
    image = draw_smooth(1303, 1301).convert(mode)
    expected = image.convert("RGB").reduce(2)
    assert compute_difference(read_photo(encode(image, format)).pixels, expected) <= 2
