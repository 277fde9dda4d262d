"""WebP: its chunks say size, colours and how much the decoder will hold."""

from collections.abc import Iterator

from skinapp.photo.header import ANIMATION_NOTE, Header, name_colour_note, open_with, read_exif

_EXTENDED, _LOSSY, _LOSSLESS = b"VP8X", b"VP8 ", b"VP8L"
_MAX_CHUNKS = 10_000


def inspect_webp(data: bytes) -> Header:
    """Read the header of a WebP; raises ValueError where it is damaged or cut."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise ValueError("a cut file")
    chunks: dict[bytes, memoryview] = {}
    frames = 0
    for kind, body in _iterate_chunks(data):
        chunks.setdefault(kind, body)
        frames += kind == b"ANMF"
    width, height = _read_size(chunks)
    profile = bytes(chunks.get(b"ICCP", b"")) or None
    orientation, is_adobe_rgb = read_exif(bytes(chunks.get(b"EXIF", b"")), bytes(chunks.get(b"XMP ", b"")))
    whole = _LOSSY not in chunks  # lossless and animated pictures are held whole, four bytes a pixel

    def open_stream(reduction: int, strict: bool) -> tuple[object, int]:
        scale = {"scale": 1 / reduction} if reduction > 1 else {}
        return open_with("webpload_source", data, fail_on="error", **scale), 1

    return Header(
        "WEBP",
        width,
        height,
        open_stream,
        unpacked_bytes=3 * width * height,
        held_bytes=width * height * (8 if frames else 4 if whole else 1),
        orientation=orientation,
        profile=profile,
        alpha=True,
        notes=((ANIMATION_NOTE,) if frames > 1 else ()) + name_colour_note(is_adobe_rgb, profile),
    )


def _iterate_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, position = memoryview(data), 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data):
            return
        length = int.from_bytes(view[position + 4 : position + 8], "little")
        yield bytes(view[position : position + 4]), view[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
    raise ValueError("too many chunks")


def _read_size(chunks: dict[bytes, memoryview]) -> tuple[int, int]:
    """Read width and height, in pixels, of the canvas or of the only picture (WebP container specification)."""
    if _EXTENDED in chunks:
        body = chunks[_EXTENDED]
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if _LOSSY in chunks:
        body = chunks[_LOSSY]
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    packed = int.from_bytes(chunks[_LOSSLESS][1:5], "little")
    return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
