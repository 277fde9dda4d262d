import hashlib
import os
import random
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinapp.errors import PhotoError
from skinapp.photo import (
    MAX_ASPECT,
    MAX_BYTES,
    MAX_PIXELS,
    MIN_SIDE,
    PHOTO_SUFFIXES,
    Photo,
    read_photo,
    read_photo_file,
)

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF")
DATA = os.environ.get("SKINAPP_DATA")


def make_picture(width: int = 96, height: int = 64) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([rows * 3 % 256, columns * 2 % 256, (rows + columns) % 256], -1).astype(np.uint8))


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def make_png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", FORMATS)
def test_a_photo_keeps_its_size_format_and_hash(format: str) -> None:
    data = encode(make_picture(), format)
    photo = read_photo(data)
    assert (photo.format, photo.width, photo.height, photo.notes) == (format, 96, 64, ())
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    assert np.abs(photo.pixels.astype(int) - np.asarray(make_picture())).mean() < 12


def test_pixels_are_read_only_eight_bit_rgb() -> None:
    pixels = read_photo(encode(make_picture(), "PNG")).pixels
    assert (pixels.dtype, pixels.shape) == (np.uint8, (64, 96, 3))
    for fixed in (pixels, Photo(pixels.copy(), "", "PNG", 96, 64).pixels):
        with pytest.raises(ValueError, match="read-only"):
            fixed[0, 0] = 0


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"To whom it may concern", "JPEG, PNG, WebP, BMP, TIFF, AVIF, HEIC or DICOM"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>', "a drawing .SVG"),
        (encode(make_picture(), "JPEG")[:20], "damaged or incomplete"),
        (bytes(MAX_BYTES + 1), "50 MB"),
        (encode(make_picture(MIN_SIDE - 1, 200), "PNG"), "31 × 200 pixels; both sides need at least 32"),
        (make_png_header(30_000, 30_000), "201 million pixels"),
        (make_png_header(MAX_PIXELS // 5000 + 1, 5000), "201 million pixels"),
        (make_png_header(32, 32 * MAX_ASPECT + 1), "one side is more than 16 times the other"),
        (make_png_header(8000, 6000), "damaged or incomplete"),
        (make_png_header(0, 0), "damaged|pixels; both sides"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)
@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_a_refusal_says_why_and_what_to_do(data: bytes, sentence: str) -> None:
    with pytest.raises(PhotoError, match=sentence):
        read_photo(data)


@pytest.mark.parametrize("size", [(96, 64), (1500, 1300)], ids=["small", "large"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_truncated_photo_is_refused(format: str, size: tuple[int, int]) -> None:
    data = encode(make_picture(*size), format)
    with pytest.raises(PhotoError, match="damaged or incomplete"):
        read_photo(data[: len(data) // 2])


@pytest.mark.parametrize("size", [(96, 64), (1500, 1300)], ids=["small", "large"])
def test_a_png_corrupted_in_the_middle_is_refused(size: tuple[int, int]) -> None:
    data = bytearray(encode(make_picture(*size), "PNG"))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    with pytest.raises(PhotoError, match="damaged or incomplete"):
        read_photo(bytes(data))


def test_a_photo_that_just_fits_the_limits_is_read() -> None:
    assert read_photo(encode(make_picture(MIN_SIDE, MIN_SIDE), "PNG")).width == MIN_SIDE
    limit = read_photo(encode(Image.new("L", (16_384, 12_288), 90), "JPEG"))
    assert (limit.width * limit.height, limit.pixels.shape) == (MAX_PIXELS, (1536, 2048, 3))


@pytest.mark.parametrize("size", [(8160, 6144), (9248, 6936)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_full_size_of_phone_sensors_is_read(size: tuple[int, int]) -> None:
    photo = read_photo(encode(Image.new("L", size, 90), "JPEG"))
    assert (photo.width, photo.height) == size
    assert photo.pixels.shape == (size[1] // 8, size[0] // 8, 3)


@pytest.mark.parametrize(
    ("format", "note"), [("PNG", "animation"), ("WEBP", "animation"), ("AVIF", "animation"), ("TIFF", "pages")]
)
def test_the_first_of_several_pictures_is_read_with_a_note(format: str, note: str) -> None:
    red, blue = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    photo = read_photo(encode(red, format, save_all=True, append_images=[blue] * 30))
    assert note in photo.notes[0]
    assert np.abs(photo.pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_a_phones_jpeg_of_several_pictures_is_a_jpeg() -> None:
    photo = read_photo(encode(make_picture(), "MPO", save_all=True, append_images=[make_picture(32, 32)]))
    assert (photo.format, photo.notes, photo.width) == ("JPEG", (), 96)


def test_an_animation_claiming_many_frames_decodes_one() -> None:
    data = encode(make_picture(), "PNG", save_all=True, append_images=[make_picture().rotate(90)])
    start = data.index(b"acTL")
    control = b"acTL" + struct.pack(">II", 2**30, 0)
    claimed = data[:start] + control + struct.pack(">I", zlib.crc32(control)) + data[start + 16 :]
    assert np.array_equal(read_photo(claimed).pixels, np.asarray(make_picture()))


def test_a_file_is_read_by_content_whatever_its_name(tmp_path: Path) -> None:
    file = tmp_path / "lesion.bmp"
    file.write_bytes(encode(make_picture(), "WEBP"))
    assert read_photo_file(file).format == "WEBP"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jpg", tmp_path, tmp_path / "nul\0.jpg"):
        with pytest.raises(PhotoError, match=f"{re.escape(str(path))} cannot be read"):
            read_photo_file(path)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large.jpg"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    monkeypatch.delattr(Path, "read_bytes")
    with pytest.raises(PhotoError, match="50 MB"):
        read_photo_file(file)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("size", [(64, 48), (1300, 1281)], ids=["small", "large"])
@pytest.mark.parametrize("format", [*FORMATS, "MPO"])
def test_damage_anywhere_ends_in_a_photo_or_a_photo_error(format: str, size: tuple[int, int]) -> None:
    chance = random.Random(f"{format}{size}")
    exif = Image.Exif()
    exif[0x0112] = 6
    intact = encode(make_picture(*size), format, **({} if format == "BMP" else {"exif": exif}))
    refused = 0
    for _ in range(300 if size[0] == 64 else 12):
        data = bytearray(intact[: chance.randrange(len(intact))] if chance.random() < 0.3 else intact)
        for _ in range(chance.choice((1, 3, 20)) if data else 0):
            data[chance.randrange(min(len(data), chance.choice((64, 600, 10**9))))] = chance.randrange(256)
        try:
            assert read_photo(bytes(data)).pixels.ndim == 3
        except PhotoError:
            refused += 1
    assert refused > 0


def test_photos_may_be_read_from_several_threads() -> None:
    files = [
        encode(make_picture(1300 + n, 1300), format, **({"method": 0} if format == "WEBP" else {}))
        for n in range(2)
        for format in ("JPEG", "PNG", "WEBP", "TIFF")
    ]
    alone = [read_photo(data).pixels for data in files]
    with ThreadPoolExecutor(8) as threads:
        together = [photo.pixels for photo in threads.map(read_photo, files)]
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.skipif(not DATA, reason="SKINAPP_DATA names no folder with the public photos")
def test_published_photos_are_read_whole() -> None:
    files = [f for f in Path(DATA or "", "ham10000", "originals").iterdir() if f.suffix.lower() in PHOTO_SUFFIXES]
    photos = [read_photo_file(file) for file in files]
    assert len(photos) >= 20
    assert {(p.format, p.width, p.height, p.pixels.shape) for p in photos} == {("JPEG", 600, 450, (450, 600, 3))}
    assert all(p.pixels.std() > 5 for p in photos)
