"""PNG: its chunks are checked and counted, and only the picture's own are given to the decoder."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from skinapp.errors import PhotoError
from skinapp.photo.colours import describe_colours
from skinapp.photo.header import (
    ANIMATION_NOTE,
    UNREAD_COLOUR_NOTE,
    Header,
    count_stream_bytes,
    name_colour_note,
    open_with,
    read_exif,
)

MAX_CHUNKS = 60_000
"""Chunks of one file. Encoders write about 8 KB into each, so that a file of 50 MB has some 6,400."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_PROFILE_BYTES = 4_000_000
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # a pixel's samples by colour type (PNG, 11.2.1)
_SRGB_GAMMA = 45_455  # gAMA of sRGB (PNG, 11.3.2.5); 1 / 2.2 in units of 1 / 100,000
_SRGB_PRIMARIES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)  # cHRM of sRGB (PNG, 11.3.2.1)
_PICTURE = (b"PLTE", b"tRNS", b"IDAT")
_NO_END_NOTE = "The file lacks its end mark; the picture itself is complete."


@dataclass
class _Chunks:
    """What the chunks of one PNG say; `picture` holds those that make up the picture, whole."""

    picture: list[memoryview] = field(default_factory=list)
    first: dict[bytes, bytes] = field(default_factory=dict)


def inspect_png(data: bytes) -> Header:
    """Read the header of a PNG; raises ValueError where a chunk is cut or its checksum is wrong."""
    chunks = _walk(data)
    if b"IHDR" not in chunks.first or b"IDAT" not in chunks.first:
        raise ValueError("no header or no picture")
    width, height, bits, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", chunks.first[b"IHDR"])
    unpacked = height * -(-width * bits * _SAMPLES[colour_type] // 8)
    held = unpacked + unpacked // 8 if interlaced else 0
    held += count_stream_bytes(width, _SAMPLES[colour_type], bits)
    end = _make_chunk(b"IEND", b"")
    picture = b"".join([_SIGNATURE, _make_chunk(b"IHDR", chunks.first[b"IHDR"]), *chunks.picture, end])
    profile, colour_notes = _read_colours(chunks.first)
    orientation, is_adobe_rgb = read_exif(chunks.first.get(b"eXIf"), chunks.first.get(b"iTXt"))
    notes: tuple[str, ...] = (ANIMATION_NOTE,) if b"acTL" in chunks.first else ()
    notes += () if b"IEND" in chunks.first else (_NO_END_NOTE,)

    def open_stream(reduction: int, strict: bool) -> tuple[object, int]:
        return open_with("pngload_source", picture, fail_on="error"), reduction

    return Header(
        "PNG",
        width,
        height,
        open_stream,
        unpacked_bytes=max(unpacked, width * height),
        held_bytes=held,
        orientation=orientation,
        profile=profile,
        alpha=True,
        notes=notes + colour_notes + name_colour_note(is_adobe_rgb, profile),
    )


def _walk(data: bytes) -> _Chunks:
    chunks = _Chunks()
    for kind, body, whole in _iterate_chunks(data):
        if kind != b"iTXt" or bytes(body[:17]) == b"XML:com.adobe.xmp":
            chunks.first.setdefault(kind, b"" if kind == b"IDAT" else bytes(body))
        if kind in _PICTURE:
            chunks.picture.append(whole)
    return chunks


def _iterate_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Yield type, content and the whole of each chunk, up to the end mark."""
    view, position = memoryview(data), len(_SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 12 > len(data):
            if data[position:].strip(b"\0"):
                raise ValueError("a cut chunk")
            return
        length = int.from_bytes(view[position : position + 4])
        end = position + 12 + length
        if end > len(data) or zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise ValueError("a cut chunk or a wrong checksum")
        kind = bytes(view[position + 4 : position + 8])
        yield kind, view[position + 8 : end - 4], view[position:end]
        if kind == b"IEND":
            return
        position = end
    raise PhotoError(
        f"This PNG is cut into more than {MAX_CHUNKS:,} pieces (chunks), which takes too long to read. Save it again."
    )


def _make_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _read_colours(first: dict[bytes, bytes]) -> tuple[bytes | None, tuple[str, ...]]:
    """Return an ICC profile, or a note where colours are described in a way that is not converted.

    The order is that of the PNG specification, third edition: cICP, iCCP, sRGB, gAMA and cHRM.
    """
    if len(coded := first.get(b"cICP", b"")) == 4:
        profile, notes = describe_colours(coded[0], coded[1])
        return profile, notes if coded[3] else (*notes, UNREAD_COLOUR_NOTE.format(colours="samples of narrow range"))
    if b"iCCP" in first:
        packed = first[b"iCCP"].partition(b"\0")[2][1:]
        try:
            return zlib.decompressobj().decompress(packed, _MAX_PROFILE_BYTES), ()
        except zlib.error:
            return b"damaged", ()  # refused as a profile later, with a note
    gamma = int.from_bytes(first.get(b"gAMA", b"")[:4])
    if gamma and b"sRGB" not in first and abs(gamma - _SRGB_GAMMA) > 2_000:
        return None, (UNREAD_COLOUR_NOTE.format(colours=f"samples with gamma {gamma / 100_000:.2f}"),)
    primaries = first.get(b"cHRM", b"")
    if b"sRGB" not in first and len(primaries) == 32:
        far = [abs(a - b) > 1_000 for a, b in zip(struct.unpack(">8I", primaries), _SRGB_PRIMARIES, strict=True)]
        return None, (UNREAD_COLOUR_NOTE.format(colours="a colour space with other primaries"),) if any(far) else ()
    return None, ()
