"""JPEG: its markers are walked before anything is decoded, so that scans, memory and a missing end are known.

simplejpeg decodes, because it alone tells whether libjpeg-turbo had to guess, up to the last byte of the picture.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyvips  # type: ignore[import-untyped]
import simplejpeg  # type: ignore[import-untyped]

from skinapp.errors import PhotoError
from skinapp.photo.header import GuessedError, Header, name_colour_note, open_with, read_exif

MAX_SCANS = 100
"""Scans of a progressive JPEG; encoders write up to about 20. libvips refuses more than 100 by itself."""

MAX_SEGMENTS = 20_000
"""Markers of one JPEG but those that restart within a scan; encoders and cameras write at most some hundreds."""

MAX_SCANNED_PIXELS = 2_000_000_000
"""Scans times pixels, as the decoder visits each pixel once a scan: a 50-megapixel photo may have 39 scans."""

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_PROGRESSIVE = {0xC2, 0xCA}
_UNREAD_FRAMES = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical"}
_UNREAD_FRAMES |= {0xCB: "lossless", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical", 0xF7: "JPEG-LS"}
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EXIF, _ICC, _XMP = b"Exif\0\0", b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/1.0/\0"

_NO_END_NOTE = "The file lacks its last bytes; the picture itself is complete."
_GUESSED_NOTE = (
    "The photo is damaged: a part of it could not be decoded and was guessed, so its scores may be wrong. "
    "Copy or export it again from the original."
)


@dataclass
class _Markers:
    """What the markers of one JPEG say."""

    frame: bytes = b""
    is_progressive: bool = False
    scans: int = 0
    first_scan_components: int = 0
    has_end: bool = False
    exif: bytes | None = None
    xmp: bytes | None = None
    profile_parts: list[bytes] = field(default_factory=list)

    @property
    def profile(self) -> bytes | None:
        """The ICC profile, whose parts carry their number (ICC.1:2022, B.4)."""
        return b"".join(part[2:] for part in sorted(self.profile_parts)) or None


def inspect_jpeg(data: bytes) -> Header:
    """Read the header of a JPEG, or of the first picture of several; raises ValueError where it is damaged."""
    markers = _walk(data)
    if len(markers.frame) < 6 or not markers.scans:
        raise ValueError("no frame or no scan")
    precision, components = markers.frame[0], markers.frame[5]
    height, width = int.from_bytes(markers.frame[1:3]), int.from_bytes(markers.frame[3:5])
    if components not in (1, 3, 4):
        raise PhotoError(f"This JPEG has {components} colours, which is not read. Save it as an ordinary JPEG.")
    if precision != 8:
        raise PhotoError(f"This JPEG has {precision} bits per colour, which is not read. Save it with 8 bits.")
    if markers.scans > MAX_SCANS or markers.scans * width * height > max(MAX_SCANNED_PIXELS, width * height):
        raise PhotoError(
            f"This JPEG builds up its picture in {markers.scans:,} steps (scans), too many for its size. "
            "Save it as an ordinary JPEG."
        )
    is_buffered = markers.is_progressive or markers.first_scan_components < components
    complete = data if markers.has_end else data + bytes((0xFF, _EOI))
    orientation, is_adobe_rgb = read_exif(markers.exif, markers.xmp)

    def open_stream(reduction: int, strict: bool) -> tuple[Any, int]:
        if components == 4:  # libvips knows which CMYK is stored inverted
            fail_on = "warning" if strict else "error"
            return open_with("jpegload_source", complete, shrink=min(reduction, 8), fail_on=fail_on), 1
        return _decode(complete, (width, height), components, min(reduction, 8), strict), 1

    return Header(
        "JPEG",
        width,
        height,
        open_stream,
        unpacked_bytes=width * height * min(components, 3),
        held_bytes=_count_coefficient_bytes(markers.frame) if is_buffered else 0,
        orientation=orientation,
        profile=markers.profile,
        guessed_note=_GUESSED_NOTE if markers.has_end else None,
        notes=(() if markers.has_end else (_NO_END_NOTE,)) + name_colour_note(is_adobe_rgb, markers.profile),
    )


def _decode(data: bytes, size: tuple[int, int], components: int, factor: int, strict: bool) -> Any:
    """Decode at 1, 1/2, 1/4 or 1/8 of the size; if strict, raise GuessedError at any warning of libjpeg-turbo."""
    width, height = (-(-side // factor) for side in size)
    colours = "GRAY" if components == 1 else "RGB"
    try:
        pixels = simplejpeg.decode_jpeg(data, colours, min_width=width, min_height=height, strict=strict)
    except ValueError as error:
        raise (GuessedError(str(error)) if strict else error) from error
    return pyvips.Image.new_from_array(pixels)


def _walk(data: bytes) -> _Markers:
    markers = _Markers()
    for kind, body in _iterate_segments(data):
        if kind in _UNREAD_FRAMES:
            raise PhotoError(f"This is a {_UNREAD_FRAMES[kind]} JPEG, which is not read. Save it as an ordinary JPEG.")
        if kind in _FRAMES and not markers.frame:
            markers.frame, markers.is_progressive = body, kind in _PROGRESSIVE
        elif kind == _SOS:
            markers.scans += 1
            markers.first_scan_components = markers.first_scan_components or (body[0] if body else 0)
        elif kind == _EOI:
            markers.has_end = True
        elif kind == 0xE1 and body.startswith(_EXIF):
            markers.exif = markers.exif or body
        elif kind == 0xE1 and body.startswith(_XMP):
            markers.xmp = markers.xmp or body
        elif kind == 0xE2 and body.startswith(_ICC):
            markers.profile_parts.append(body[len(_ICC) :])
    return markers


def _iterate_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each marker and its content, up to the end of the first picture."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        found = _NEXT_MARKER.search(data, position)
        if not found:
            return
        kind, position = found[0][1], found.end()
        if kind in _ALONE or kind == _SOI:
            continue
        if kind == _EOI:
            yield kind, b""
            return
        length = int.from_bytes(data[position : position + 2])
        yield kind, data[position + 2 : position + length]
        position += max(length, 2)
    raise PhotoError(f"This JPEG has more than {MAX_SEGMENTS:,} parts, which takes too long to read. Save it again.")


def _count_coefficient_bytes(frame: bytes) -> int:
    """Count the bytes of all DCT coefficients, two each, which a decoder of several scans holds at once."""
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    factors = [(frame[at] >> 4, frame[at] & 15) for at in range(7, min(len(frame), 6 + 3 * frame[5]), 3)]
    across, down = max(h for h, _ in factors), max(v for _, v in factors)
    if not across or not down:
        raise ValueError("a sampling factor of 0")
    return sum(2 * width * height * h * v // (across * down) for h, v in factors)
