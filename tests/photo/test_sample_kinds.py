"""Made TIFF and PNG files of every kind of sample: the pixels are those that were written, whatever the size."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from skinapp.errors import PhotoError
from skinapp.photo import read_photo

SMALL, LARGE = 64, 1300
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
CODES = {"H": 3, "I": 4}
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)  # white, red, green, blue (IEC 61966-2-1)
P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)  # SMPTE EG 432-1
Tags = Mapping[int, tuple[str, list[int]]]

both_sizes = pytest.mark.parametrize("side", [SMALL, LARGE], ids=["small", "large"])


def make_tiff(
    samples: NDArray[np.generic],
    photometric: int,
    *,
    bits: int | None = None,
    strips: Sequence[bytes] = (),
    tags: Tags | None = None,
    order: str = "<",
) -> bytes:
    """Write samples (h, w) or (h, w, n), or strips of them; `tags` replace or add to those that the samples need."""
    height, width, bands = (*samples.shape, 1)[:3]
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[samples.dtype.kind]
    strips = strips or [samples.astype(samples.dtype.newbyteorder(order)).tobytes()]
    entries: dict[int, tuple[str, list[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits or samples.dtype.itemsize * 8] * bands),
        259: ("H", [1]),
        262: ("H", [photometric]),
        273: ("I", [0] * len(strips)),
        277: ("H", [bands]),
        278: ("I", [height]),
        279: ("I", [len(strip) for strip in strips]),
        339: ("H", [kind] * bands),
    } | dict(tags or {})
    values_at = 8 + 2 + 12 * len(entries) + 4
    long = {tag: struct.calcsize(f"{len(numbers)}{code}") for tag, (code, numbers) in entries.items()}
    strip_at = values_at + sum(size for size in long.values() if size > 4)
    entries[273] = ("I", [strip_at + sum(map(len, strips[:number])) for number in range(len(strips))])
    directory, values = struct.pack(f"{order}H", len(entries)), b""
    for tag, (code, numbers) in sorted(entries.items()):
        body = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
        if len(body) > 4:
            body, values = struct.pack(f"{order}I", values_at + len(values)), values + body
        directory += struct.pack(f"{order}HHI", tag, CODES[code], len(numbers)) + body.ljust(4, b"\0")
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return start + directory + bytes(4) + values + b"".join(strips)


def make_png(samples: NDArray[np.generic], before: bytes = b"", after: bytes = b"") -> bytes:
    """Write 8- or 16-bit samples (h, w) or (h, w, n), with chunks before and after those of the picture."""
    height, width, bands = (*samples.shape, 1)[:3]
    bits, colour_type = samples.dtype.itemsize * 8, {1: 0, 2: 4, 3: 2, 4: 6}[bands]
    rows = np.frombuffer(samples.astype(samples.dtype.newbyteorder(">")).tobytes(), np.uint8).reshape(height, -1)
    header = make_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    picture = make_chunk(b"IDAT", zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes(), 1))
    return b"\x89PNG\r\n\x1a\n" + header + before + picture + after + make_chunk(b"IEND", b"")


def make_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def draw_ramp(side: int) -> NDArray[np.uint8]:
    """Draw grey from 0 to 255 from left to right, in steps of four pixels so that halving keeps them."""
    return np.tile(np.repeat(np.linspace(0, 255, side // 4), 4).round().astype(np.uint8), (side, 1))


def assert_shows(data: bytes, expected: NDArray[np.uint8], note: str | None = None, tolerance: int = 1) -> None:
    photo = read_photo(data)
    colour = np.repeat(expected[..., None], 3, 2) if expected.ndim == 2 else expected
    step = 2 if len(expected) == LARGE else 1
    assert np.abs(photo.pixels.astype(int) - colour[::step, ::step]).max() <= tolerance
    assert [note is not None and note in one for one in photo.notes] == [True] * (note is not None)


GUESSED = "was guessed"
DEPTHS = [  # type, the sample that is white, and the note if the range had to be guessed
    ("u1", 255, None),
    ("u2", 65535, None),
    ("u2", 16383, "read as 14-bit"),
    ("u2", 4095, "read as 12-bit"),
    ("u2", 1023, "read as 10-bit"),
    ("u2", 255, "read as 8-bit"),
    ("u4", 2**32 - 1, None),
    ("u4", 65535, "read as 16-bit"),
    ("u4", 255, "read as 8-bit"),
    ("i1", 127, None),
    ("i2", 32767, None),
    ("i2", 4095, "read as 12-bit"),
    ("i4", 2**31 - 1, None),
    ("i4", 255, "read as 8-bit"),
    ("f2", 1, None),
    ("f4", 1, None),
    ("f4", 255, GUESSED),
    ("f4", 65535, GUESSED),
]


@both_sizes
@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO], ids=["white is zero", "black is zero"])
@pytest.mark.parametrize(("kind", "white", "note"), DEPTHS)
def test_a_grey_tiff_shows_what_was_written(
    kind: str, white: int, note: str | None, photometric: int, side: int
) -> None:
    ramp = draw_ramp(side)
    stored = (255 - ramp if photometric == WHITE_IS_ZERO else ramp) / 255 * white
    samples = stored.astype(kind) if kind.startswith("f") else stored.round().astype(kind)
    assert_shows(make_tiff(samples, photometric), ramp, note, tolerance=2)


@both_sizes
@pytest.mark.parametrize("kind", ["i2", "i4", "f4"])
def test_samples_without_any_usual_range_go_from_darkest_to_brightest(kind: str, side: int) -> None:
    ramp = draw_ramp(side)
    assert_shows(make_tiff(ramp.astype(kind) - 100, BLACK_IS_ZERO), ramp, GUESSED)


@both_sizes
def test_samples_that_are_no_numbers_are_said(side: int) -> None:
    samples = draw_ramp(side).astype(np.float32) / 255
    samples[:, :4], samples[:, 4:8] = np.nan, np.inf
    shown = draw_ramp(side)
    shown[:, :8] = 0
    assert_shows(make_tiff(samples, BLACK_IS_ZERO), shown, "no numbers")


@both_sizes
@pytest.mark.parametrize(("white", "note"), [(65535, None), (4095, "read as 12-bit"), (255, "read as 8-bit")])
@pytest.mark.parametrize("bands", [1, 3])
def test_a_sixteen_bit_png_shows_what_was_written(bands: int, white: int, note: str | None, side: int) -> None:
    ramp = draw_ramp(side)
    samples = (ramp / 255 * white).round().astype(np.uint16)
    assert_shows(make_png(samples if bands == 1 else np.dstack([samples] * bands)), ramp, note)


@both_sizes
@pytest.mark.parametrize("order", ["<", ">"], ids=["little endian", "big endian"])
@pytest.mark.parametrize(("kind", "white"), [("u1", 255), ("u2", 65535), ("f4", 1)])
@pytest.mark.parametrize("planes", ["together", "apart"])
def test_a_colour_tiff_shows_what_was_written(planes: str, kind: str, white: int, order: str, side: int) -> None:
    ramp = draw_ramp(side)
    colour = np.dstack([ramp, ramp // 2, 255 - ramp])
    samples = (colour * (white / 255)).astype(kind)
    stored = samples.astype(samples.dtype.newbyteorder(order))
    apart = [np.ascontiguousarray(stored[..., band]).tobytes() for band in range(3)]
    more = {"strips": apart, "tags": {284: ("H", [2])}} if planes == "apart" else {}
    assert_shows(make_tiff(samples, RGB, order=order, **more), colour)


@both_sizes
@pytest.mark.parametrize(("kind", "white"), [("u1", 255), ("u2", 65535), ("u2", 4095), ("f4", 1)])
@pytest.mark.parametrize("extra", ["unspecified", "premultiplied", "transparency"])
def test_a_fourth_band_of_a_tiff_is_taken_for_what_it_is(extra: str, kind: str, white: int, side: int) -> None:
    if extra == "premultiplied" and white == 4095:
        return  # libvips divides by 65535 before the range is known
    ramp = draw_ramp(side)
    clear = np.full_like(ramp, 51)  # a fifth
    seen = ramp // 5 if extra == "premultiplied" else ramp
    samples = (np.dstack([seen, seen, seen, clear]) * (white / 255)).round(5 * kind.startswith("f")).astype(kind)
    data = make_tiff(samples, RGB, tags={338: ("H", [["unspecified", "premultiplied", "transparency"].index(extra)])})
    expected = ramp if extra == "unspecified" else (255 - (255 - ramp.astype(float)) / 5).round().astype(np.uint8)
    assert_shows(data, expected, "12-bit" if white == 4095 else None, tolerance=3)


@both_sizes
@pytest.mark.parametrize(("bits", "photometric"), [(1, 0), (1, 1), (2, 0), (2, 1), (4, 0), (4, 1)])
def test_a_tiff_of_few_bits_shows_what_was_written(bits: int, photometric: int, side: int) -> None:
    levels = draw_ramp(side) >> (8 - bits)
    shown = (levels / (2**bits - 1) * 255).round().astype(np.uint8)
    stored = levels if photometric == BLACK_IS_ZERO else 2**bits - 1 - levels
    unpacked = np.unpackbits(stored[..., None], axis=2)[..., 8 - bits :].reshape(side, -1)
    strip = np.packbits(unpacked, axis=1).tobytes()
    assert_shows(make_tiff(levels, photometric, bits=bits, strips=[strip]), shown)


@both_sizes
def test_a_palette_a_cmyk_and_a_ycbcr_tiff_show_what_was_written(side: int) -> None:
    ramp = draw_ramp(side)
    palette = {320: ("H", [257 * value for value in [*range(256), *[0] * 256, *range(255, -1, -1)]])}
    assert_shows(make_tiff(ramp, PALETTE, tags=palette), np.dstack([ramp, 0 * ramp, 255 - ramp]))
    inks = np.dstack([255 - ramp, 255 - ramp, 255 - ramp, 0 * ramp])
    assert_shows(make_tiff(inks, CMYK), ramp)
    assert_shows(make_tiff(inks.astype(np.uint16) * 257, CMYK), ramp)
    ycbcr = np.dstack([ramp, np.full_like(ramp, 128), np.full_like(ramp, 128)])
    assert_shows(make_tiff(ycbcr, YCBCR, tags={530: ("H", [1, 1])}), ramp, tolerance=2)


@both_sizes
@pytest.mark.parametrize(("kind", "whole"), [("u1", 256), ("u2", 65536)])
@pytest.mark.parametrize("photometric", [CIELAB, ICCLAB])
def test_a_lab_tiff_shows_its_colour(photometric: int, kind: str, whole: int, side: int) -> None:
    # CIE Lab of sRGB (200, 120, 100) under D65, by the formulas of CIE 15 and IEC 61966-2-1.
    lightness, a, b = 58.83, 29.07, 25.04
    raised = 0 if photometric == CIELAB else whole // 2
    scaled = [lightness / 100 * (whole - 1), a * whole / 256 + raised, b * whole / 256 + raised]
    samples = np.tile(np.round(scaled).astype(kind), (side, side, 1))
    assert_shows(make_tiff(samples, photometric), np.tile(np.uint8((200, 120, 100)), (side, side, 1)), tolerance=4)


@both_sizes
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma", "jpeg"])
def test_a_compressed_tiff_shows_what_was_written(compression: str, side: int) -> None:
    file = BytesIO()
    Image.fromarray(np.dstack([draw_ramp(side)] * 3)).save(file, "TIFF", compression=compression)
    assert_shows(file.getvalue(), draw_ramp(side), tolerance=8 if compression == "jpeg" else 0)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (make_tiff(draw_ramp(SMALL), BLACK_IS_ZERO, bits=12, strips=[bytes(6144)]), "12-bit samples"),
        (make_tiff(draw_ramp(SMALL).astype("f8"), BLACK_IS_ZERO), "64-bit samples"),
        (make_tiff(draw_ramp(SMALL).astype("c8"), BLACK_IS_ZERO), "complex numbers"),
        (make_tiff(draw_ramp(SMALL), BLACK_IS_ZERO, tags={259: ("H", [50001])}), "compressed as WebP"),
        (make_tiff(draw_ramp(SMALL), 32844), "colours of an unusual kind"),
        (make_tiff(draw_ramp(SMALL), 32803), "raw camera file"),
        (make_tiff(draw_ramp(SMALL), BLACK_IS_ZERO, tags={254: ("I", [1]), 330: ("I", [8])}), "raw camera file"),
        (make_tiff(draw_ramp(SMALL), BLACK_IS_ZERO, tags={254: ("I", [1])}), "only a small preview"),
        (make_tiff(draw_ramp(SMALL), BLACK_IS_ZERO, tags={50706: ("I", [260])}), "raw camera file"),
    ],
)
def test_a_tiff_that_is_not_read_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(PhotoError, match=sentence):
        read_photo(data)


@both_sizes
def test_exif_after_the_picture_of_a_png_is_honoured(side: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    upside_down = make_chunk(b"eXIf", exif.tobytes()[6:])
    ramp = draw_ramp(side)
    colour = np.dstack([ramp, ramp, 255 - ramp])
    assert_shows(make_png(colour, after=upside_down), colour[::-1, ::-1])
    assert_shows(make_png(colour, before=upside_down), colour[::-1, ::-1])


@both_sizes
@pytest.mark.parametrize(
    ("chunk", "note"),
    [
        (make_chunk(b"cICP", bytes((9, 16, 0, 1))), "BT.2020 with PQ"),
        (make_chunk(b"cICP", bytes((1, 18, 0, 1))), "HLG"),
        (make_chunk(b"cICP", bytes((1, 13, 0, 1))), None),
        (make_chunk(b"gAMA", struct.pack(">I", 100_000)), "gamma 1.00"),
        (make_chunk(b"gAMA", struct.pack(">I", 45_455)), None),
        (make_chunk(b"cICP", bytes((1, 13, 0, 0))), "narrow range"),
        (make_chunk(b"cHRM", struct.pack(">8I", *P3)), "other primaries"),
        (make_chunk(b"cHRM", struct.pack(">8I", *SRGB)), None),
        (make_chunk(b"sRGB", b"\0") + make_chunk(b"cHRM", struct.pack(">8I", *P3)), None),
    ],
)
def test_colours_of_a_png_that_are_not_converted_are_said(chunk: bytes, note: str | None, side: int) -> None:
    colour = np.dstack([draw_ramp(side)] * 3)
    assert_shows(make_png(colour, before=chunk), draw_ramp(side), note)


@both_sizes
def test_display_p3_is_converted(side: int) -> None:
    # P3 (150, 120, 100) as sRGB, by the primaries of SMPTE EG 432-1 and IEC 61966-2-1.
    colour = np.tile(np.uint8((150, 120, 100)), (side, side, 1))
    data = make_png(colour, before=make_chunk(b"cICP", bytes((12, 13, 0, 1))))
    assert_shows(data, np.tile(np.uint8((157, 119, 97)), (side, side, 1)), tolerance=1)


@both_sizes
@pytest.mark.parametrize(("orientation", "turned"), [(0, False), (9, False), (3, True)])
def test_an_orientation_that_there_is_not_is_left_out(orientation: int, turned: bool, side: int) -> None:
    ramp = draw_ramp(side)
    data = make_tiff(ramp, BLACK_IS_ZERO, tags={274: ("H", [orientation])})
    assert_shows(data, ramp[::-1, ::-1] if turned else ramp)


@both_sizes
def test_the_xmp_of_a_png_is_found_behind_other_texts(side: int) -> None:
    xmp = b'XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="3"/>'
    ramp = draw_ramp(side)
    chunks = make_chunk(b"iTXt", b"Title\0\0\0\0\0A mole") + make_chunk(b"iTXt", xmp)
    assert_shows(make_png(ramp, before=chunks), ramp[::-1, ::-1])
