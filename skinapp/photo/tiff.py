"""TIFF: its tags are read first, so that previews, raw camera files, memory and unusual samples are known."""

from typing import Any

from skinapp.errors import PhotoError
from skinapp.photo.header import PAGES_NOTE, Header, count_stream_bytes, open_with, read_exif
from skinapp.photo.pillow import BYTES_PER_PIXEL, open_pillow
from skinapp.photo.tiff_tags import Tags, read_pages, read_sub_pages

_SUBFILE, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 254, 258, 259, 262, 274
_SAMPLES, _ROWS_PER_STRIP, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 284, 322, 323
_EXTRA_SAMPLES, _SAMPLE_FORMAT, _PROFILE, _XMP, _DNG_VERSION = 338, 339, 34675, 700, 50706

_WHITE_IS_ZERO, _YCBCR, _CIELAB, _ICCLAB = 0, 6, 8, 9
_READ_PHOTOMETRICS = {_WHITE_IS_ZERO, 1, 2, 3, 5, _YCBCR, _CIELAB, _ICCLAB}
_RAW_PHOTOMETRICS = {32803, 34892}  # a colour filter array, and linear raw
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
_BITS_READ = {1, 2, 4, 8, 16, 32}
_JPEGS = {6, 7}
_PILLOW_COMPRESSIONS = {34925, 50000}  # LZMA and Zstandard, which the libvips wheel lacks
_UNREAD_COMPRESSIONS = {50001: "WebP", 50002: "JPEG XL", 34712: "JPEG 2000", 33003: "JPEG 2000", 33005: "JPEG 2000"}
_SCANLINE_ROWS = 128  # libvips reads higher strips a row at a time

_RAW = (
    "This is a raw camera file (such as DNG, NEF or ARW); the picture that opens in it is only a small preview. "
    "Export it as JPEG, PNG or TIFF."
)
_PREVIEW_SKIPPED_NOTE = "The file begins with a small preview; the picture after it was read."


def inspect_tiff(data: bytes) -> Header:
    """Read the header of the first page of a TIFF that is no preview; raises ValueError where it is damaged."""
    pages = read_pages(data)
    _refuse_raw(data, pages)
    whole = [number for number, page in enumerate(pages) if not page.get_one(_SUBFILE, 0) & 1]
    if not whole:
        raise PhotoError("This TIFF holds only a small preview of a picture. Export the picture itself.")
    number, tags = whole[0], pages[whole[0]]
    if not 1 <= tags.get_one(_ORIENTATION, 1) <= 8:  # libtiff refuses the file for it
        return inspect_tiff(tags.replace_one(_ORIENTATION, 1))
    notes = ((_PREVIEW_SKIPPED_NOTE,) if number else ()) + ((PAGES_NOTE,) if len(whole) > 1 else ())
    bits, sample_format, photometric = _read_samples(tags)
    width, height = tags.get_one(256), tags.get_one(257)
    orientation = tags.get_one(_ORIENTATION, 0) or read_exif(None, tags.get_bytes(_XMP))[0]
    orientation = orientation if 1 <= orientation <= 8 else 1
    compression = tags.get_one(_COMPRESSION, 1)
    if compression in _UNREAD_COMPRESSIONS:
        raise PhotoError(_name_unread(f"a picture compressed as {_UNREAD_COMPRESSIONS[compression]}"))
    profile = tags.get_bytes(_PROFILE)
    colours = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3}.get(photometric, 1)
    alpha = tags.get_one(_SAMPLES, 1) > colours and tags.get_one(_EXTRA_SAMPLES, 0) in (1, 2)
    row_bytes = -(-width * bits * tags.get_one(_SAMPLES, 1) // 8)
    unpacked = max(row_bytes * height, width * height)
    if compression in _PILLOW_COMPRESSIONS or (photometric == _YCBCR and compression not in _JPEGS):
        if number or photometric in (_CIELAB, _ICCLAB):
            raise PhotoError(_name_unread("this combination of pages, colours and compression"))
        size = (height, width) if orientation >= 5 else (width, height)  # Pillow turns a TIFF by itself
        inverted = photometric == _WHITE_IS_ZERO and bits > 8
        held = width * height * BYTES_PER_PIXEL + unpacked
        return open_pillow(data, "TIFF", size, unpacked, held, profile=profile, notes=notes, inverted=inverted)
    reads_raw = photometric in (_CIELAB, _ICCLAB) or (
        photometric == _WHITE_IS_ZERO and (bits > 8 or sample_format != _UNSIGNED)
    )
    # libvips inverts some sample formats and knows some kinds of Lab; what it may not do alike is done here.
    plain = tags.replace_one(_PHOTOMETRIC, 2 if colours == 3 else 1) if reads_raw else data

    def open_stream(reduction: int, strict: bool) -> tuple[Any, int]:
        stream = open_with("tiffload_source", plain, page=number, fail_on="error")
        return (_convert_lab(stream, photometric) if photometric in (_CIELAB, _ICCLAB) else stream), reduction

    return Header(
        "TIFF",
        width,
        height,
        open_stream,
        unpacked_bytes=unpacked,
        held_bytes=_count_held_bytes(tags, row_bytes, width, height)
        + count_stream_bytes(width, tags.get_one(_SAMPLES, 1), bits),
        orientation=orientation,
        profile=profile if photometric not in (_CIELAB, _ICCLAB) else None,
        alpha=alpha,
        inverted=reads_raw and photometric == _WHITE_IS_ZERO,
        notes=notes,
    )


def _refuse_raw(data: bytes, pages: list[Tags]) -> None:
    first = pages[0]
    sub_pages = read_sub_pages(data, first)
    photometrics = {page.get_one(_PHOTOMETRIC, 1) for page in (*pages, *sub_pages)}
    previewed = first.get_one(_SUBFILE, 0) & 1 and sub_pages
    if photometrics & _RAW_PHOTOMETRICS or _DNG_VERSION in first or previewed:
        raise PhotoError(_RAW)


def _read_samples(tags: Tags) -> tuple[int, int, int]:
    """Return bits, sample format and photometric interpretation; PhotoError names what is not read."""
    bits, formats = set(tags.get_all(_BITS, (1,))), set(tags.get_all(_SAMPLE_FORMAT, (_UNSIGNED,)))
    photometric = tags.get_one(_PHOTOMETRIC, 1)
    formats = {_UNSIGNED if one == _UNDEFINED else one for one in formats}
    if len(bits) > 1 or len(formats) > 1:
        raise PhotoError(_name_unread("samples of different kinds in one pixel"))
    (depth,), (sample_format,) = bits, formats
    if sample_format not in (_UNSIGNED, _SIGNED, _FLOAT):
        raise PhotoError(_name_unread("complex numbers"))
    if depth not in _BITS_READ:
        raise PhotoError(_name_unread(f"{depth}-bit samples"))
    if photometric not in _READ_PHOTOMETRICS:
        raise PhotoError(_name_unread(f"colours of an unusual kind (photometric interpretation {photometric})"))
    if photometric in (_CIELAB, _ICCLAB) and (depth not in (8, 16) or tags.get_one(_SAMPLES, 1) < 3):
        raise PhotoError(_name_unread(f"Lab colours of {depth} bits"))
    return depth, sample_format, photometric


def _name_unread(what: str) -> str:
    return f"This TIFF holds {what}, which is not read. Save it as an 8-bit RGB TIFF, or as PNG."


def _count_held_bytes(tags: Tags, row_bytes: int, width: int, height: int) -> int:
    """Count the bytes that libtiff and libvips hold: two rows of tiles and a tile, or a strip."""
    tile_width, tile_height = tags.get_one(_TILE_WIDTH, 0), tags.get_one(_TILE_HEIGHT, 0)
    if tile_width and tile_height:
        tile_row_bytes = -(-width // tile_width) * tile_width * tile_height * row_bytes // width
        return 3 * tile_row_bytes
    rows = min(tags.get_one(_ROWS_PER_STRIP, height), height)
    by_row = tags.get_one(_PLANAR, 1) == 1 and tags.get_one(_PHOTOMETRIC, 1) != _YCBCR
    return 2 * row_bytes * (min(rows, _SCANLINE_ROWS) if by_row else rows)


def _convert_lab(stream: Any, photometric: int) -> Any:
    """Convert samples of CIELab (a and b signed) or ICCLab (a and b raised by 128) to sRGB (TIFF 6.0, section 23)."""
    whole = 256 if stream.format == "uchar" else 65536
    stream = stream.extract_band(0, n=3)
    lightness, chroma = stream[0] * (100 / (whole - 1)), stream.extract_band(1, n=2)
    if photometric == _CIELAB:
        chroma = (chroma + whole // 2) % whole
    chroma = (chroma - whole // 2) * (256 / whole)
    return lightness.bandjoin(chroma).copy(interpretation="lab").colourspace("srgb")
