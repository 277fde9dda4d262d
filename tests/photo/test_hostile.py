"""Files made to cost much, and damaged ones: bounded before decoding, and what was guessed is said."""

import io
import re
import struct
import zlib
from threading import Barrier, Thread

import numpy as np
import pytest
from PIL import Image

from skinapp.errors import PhotoError
from skinapp.photo import limits, read_photo
from skinapp.photo.boxes import Bits, Container, Item, read_container
from skinapp.photo.coded_size import count_pixels
from skinapp.photo.jpeg import MAX_SCANNED_PIXELS, MAX_SCANS
from skinapp.photo.png import MAX_CHUNKS


def draw(width: int = 320, height: int = 240) -> Image.Image:
    patches = np.random.default_rng(1).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def repeat_last_scan(jpeg: bytes, times: int) -> bytes:
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + scan * times + jpeg[-2:]


def claim_jpeg_size(jpeg: bytes, width: int, height: int) -> bytes:
    place = re.search(rb"\xff[\xc0\xc2]", jpeg).end() + 3  # type: ignore[union-attr]
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def test_a_jpeg_of_many_scans_is_refused_and_one_of_some_is_read() -> None:
    jpeg = encode(draw(), "JPEG", progressive=True)
    with pytest.raises(PhotoError, match=r"2,0\d\d steps"):
        read_photo(repeat_last_scan(jpeg, 2000))
    assert read_photo(repeat_last_scan(jpeg, 20)).width == 320
    scans = jpeg.count(b"\xff\xda")
    assert scans < MAX_SCANS // 5
    side = int((MAX_SCANNED_PIXELS / 40) ** 0.5)
    with pytest.raises(PhotoError, match="41 steps"):
        read_photo(claim_jpeg_size(repeat_last_scan(jpeg, 41 - scans), side, side))


def test_a_progressive_jpeg_that_would_hold_much_is_refused_and_a_baseline_one_is_not() -> None:
    progressive = encode(draw(), "JPEG", progressive=True, subsampling=0)
    with pytest.raises(PhotoError, match="would unpack to 648 MB; the limit is 560 MB"):
        read_photo(claim_jpeg_size(progressive, 12_000, 9_000))
    with pytest.raises(PhotoError, match="damaged or incomplete"):  # its picture is much smaller than claimed
        read_photo(claim_jpeg_size(encode(draw(), "JPEG", subsampling=0)[:-200], 12_000, 9_000))


def test_a_png_of_many_chunks_is_refused_and_one_of_some_is_read() -> None:
    png = encode(draw(64, 64), "PNG")
    empty = struct.pack(">I", 0) + b"abCd" + struct.pack(">I", zlib.crc32(b"abCd"))
    with pytest.raises(PhotoError, match="pieces"):
        read_photo(png[:33] + empty * (MAX_CHUNKS + 1) + png[33:])
    assert np.array_equal(read_photo(png[:33] + empty * 500 + png[33:]).pixels, np.asarray(draw(64, 64)))


def test_the_size_of_an_avif_is_that_of_its_picture_not_the_claimed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    avif = encode(draw(), "AVIF", speed=10)
    assert count_pixels(read_container(avif)) == 320 * 240
    claim = avif.index(b"ispe") + 8
    small = avif[:claim] + struct.pack(">II", 64, 64) + avif[claim + 8 :]
    assert count_pixels(read_container(small)) == 320 * 240
    monkeypatch.setattr(limits, "MAX_HELD_BYTES", 100 * 100 * 10)
    with pytest.raises(PhotoError, match="would unpack"):
        read_photo(small)


def test_an_avif_animation_is_measured_by_its_first_frame() -> None:
    avif = encode(draw(), "AVIF", speed=10, save_all=True, append_images=[draw().rotate(180)])
    container = read_container(avif)
    assert container.samples
    assert count_pixels(container) == 320 * 240


def test_numbers_are_read_bit_by_bit() -> None:
    bits = Bits(bytes((0b1010_0110, 0b0100_0000)))
    assert [bits.read(1), bits.read(3), bits.read_exponential()] == [1, 2, 2]
    with pytest.raises(ValueError, match="past the end"):
        bits.read(20)


def test_a_sample_of_four_bytes_costs_no_more_than_a_stream() -> None:
    # Pillow holds four bytes a pixel and copies them: 1 GB for 7000 x 7000. A stream needs some rows.
    file = io.BytesIO()
    Image.new("F", (3000, 3000), 0.5).save(file, "TIFF", compression="tiff_adobe_deflate")
    from skinapp.photo.tiff import inspect_tiff

    header = inspect_tiff(file.getvalue())
    assert header.held_bytes < 4 * 3000 * 3000 // 2
    assert read_photo(file.getvalue()).pixels.shape == (750, 750, 3)


def test_large_photos_wait_for_each_other() -> None:
    queue = limits.MemoryQueue(100)
    held: list[int] = []
    most: list[int] = []
    start = Barrier(8)

    def decode(size: int) -> None:
        start.wait()
        with queue.reserve(size):
            held.append(size)
            most.append(sum(held))
            held.remove(size)

    threads = [Thread(target=decode, args=(size,)) for size in (60, 60, 60, 40, 40, 500, 10, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in threads)
    assert len(most) == 8
    with queue.reserve(100):  # all of it was given back, also by the one that asked for more than there is
        pass


def test_who_asks_for_more_than_is_free_waits() -> None:
    queue = limits.MemoryQueue(100)
    entered: list[str] = []

    def decode() -> None:
        with queue.reserve(60):
            entered.append("second")

    with queue.reserve(60):
        second = Thread(target=decode)
        second.start()
        second.join(timeout=0.05)
        assert entered == []
    second.join(timeout=10)
    assert entered == ["second"]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(320, 240), (1400, 1300)], ids=["small", "large"])
def test_a_jpeg_without_its_last_bytes_is_read_with_a_note(size: tuple[int, int], progressive: bool) -> None:
    whole = encode(draw(*size), "JPEG", progressive=progressive)
    cut = read_photo(whole[:-2])
    assert np.array_equal(cut.pixels, read_photo(whole).pixels)
    assert "lacks its last bytes" in cut.notes[0]
    with pytest.raises(PhotoError, match="damaged or incomplete"):
        read_photo(whole[: -len(whole) // 3])


@pytest.mark.parametrize("size", [(320, 240), (1400, 1300)], ids=["small", "large"])
def test_a_jpeg_that_misses_a_piece_is_read_with_a_note(size: tuple[int, int]) -> None:
    whole = encode(draw(*size), "JPEG")
    middle = len(whole) // 2
    holed = read_photo(whole[:middle] + whole[middle + 200 :])
    assert ["was guessed" in note for note in holed.notes] == [True]
    assert not np.array_equal(holed.pixels, read_photo(whole).pixels)
    assert read_photo(whole).notes == ()


def test_padding_after_the_end_of_a_photo_is_no_damage() -> None:
    for format in ("JPEG", "PNG", "WEBP", "TIFF"):
        assert read_photo(encode(draw(), format) + bytes(64)).notes == ()


def test_a_png_whose_last_chunk_is_missing_is_read_with_a_note() -> None:
    photo = read_photo(encode(draw(), "PNG")[:-12])
    assert np.array_equal(photo.pixels, np.asarray(draw()))
    assert "end mark" in photo.notes[0]


@pytest.mark.parametrize("curve", [16, 18])
def test_an_avif_of_high_dynamic_range_is_said(curve: int) -> None:
    avif = encode(draw(), "AVIF", speed=10)
    place = avif.index(b"nclx") + 4
    changed = avif[:place] + struct.pack(">HH", 9, curve) + avif[place + 4 :]
    assert read_photo(avif).notes == ()
    assert "BT.2020 with " + {16: "PQ", 18: "HLG"}[curve] in read_photo(changed).notes[0]


def test_adobe_rgb_without_a_profile_is_said() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    assert "Adobe RGB" in read_photo(encode(draw(), "JPEG", exif=exif)).notes[0]


def make_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


AVIF_START = make_box(b"ftyp", b"avif\0\0\0\0avifmif1")
MANY_PLACES = b"\0\0\0\0\0\0" + struct.pack(">H", 2) + b"\0\1\0\0\xff\xff" * 2  # two items of 65,535 empty pieces
MANY_LINKS = bytes(4) + struct.pack(">I", 30_000) + b"\0\1\0" * 30_000


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xd8" + b"\xff\xe0\0\2" * 20_001, "20,000 parts"),
        (b"\xff\xd8" + b"\xff\x01" * 20_001, "20,000 parts"),
        (AVIF_START + make_box(b"free", b"") * 20_001, "damaged"),
        (AVIF_START + make_box(b"meta", bytes(4) + make_box(b"iloc", MANY_PLACES)), "damaged"),
        (AVIF_START + make_box(b"meta", bytes(4) + make_box(b"iprp", make_box(b"ipma", MANY_LINKS))), "damaged"),
    ],
    ids=["segments", "lone markers", "boxes", "pieces", "links"],
)
def test_a_file_of_very_many_small_parts_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(PhotoError, match=sentence):
        read_photo(data)


def test_pieces_may_not_repeat_the_file_over_and_over() -> None:
    container = Container(bytes(1000), items={1: Item(extents=[(0, 1000)])})
    assert len(container.get_content(container.items[1])) == 1000
    container.get_content(container.items[1])
    with pytest.raises(ValueError, match="more content"):
        container.get_content(container.items[1])
