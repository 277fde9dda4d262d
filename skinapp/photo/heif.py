"""AVIF and HEIC: real size, colours and pictures are read from the boxes before a decoder sees the file."""

import struct
from typing import Any

import numpy as np
import pi_heif
import pyvips  # type: ignore[import-untyped]

from skinapp.errors import PhotoError
from skinapp.photo.boxes import Container, read_container
from skinapp.photo.coded_size import count_pixels
from skinapp.photo.colours import describe_colours
from skinapp.photo.header import ANIMATION_NOTE, PICTURES_NOTE, Header
from skinapp.photo.pillow import inspect_avif

_AVIF_BRANDS = {b"avif", b"avis"}
_PICTURES = (b"av01", b"hvc1", b"grid", b"iden")
_HEIC_BYTES_PER_PIXEL = 9  # the decoder's planes, three bytes of colour, and a copy

pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False

_SEQUENCE = "This is a HEIF sequence (a short film), not a photo. Export one frame of it as JPEG or PNG."


def inspect_heif(data: bytes) -> Header:
    """Read the header of an AVIF or HEIC; raises ValueError or struct.error where it is damaged."""
    container = read_container(data)
    is_avif = bool(container.brands & _AVIF_BRANDS)
    if container.primary is None and not (is_avif and container.samples):
        raise PhotoError(_SEQUENCE) if container.tracks else ValueError("no main picture")
    pixels = count_pixels(container)
    if not pixels:
        raise ValueError("no coded picture says its size")
    profile, notes = _read_colours(container)
    if is_avif:
        return inspect_avif(data, pixels, profile, ((ANIMATION_NOTE,) if container.samples else ()) + notes)
    return _inspect_heic(data, container, pixels, profile, notes)


def _inspect_heic(
    data: bytes, container: Container, pixels: int, profile: bytes | None, notes: tuple[str, ...]
) -> Header:
    picture = pi_heif.open_heif(data, convert_hdr_to_8bit=True)
    width, height = picture.size
    pictures_note = (PICTURES_NOTE,) if _count_pictures(container) > 1 else ()

    def open_stream(reduction: int, strict: bool) -> tuple[Any, int]:
        return pyvips.Image.new_from_array(np.asarray(picture)[:, :width]), reduction

    return Header(
        "HEIF",
        width,
        height,
        open_stream,
        unpacked_bytes=3 * pixels,
        held_bytes=_HEIC_BYTES_PER_PIXEL * pixels,
        profile=picture.info.get("icc_profile") or profile,  # the decoder has turned the picture by itself
        alpha=True,
        notes=pictures_note + notes,
    )


def _count_pictures(container: Container) -> int:
    """Count the pictures that stand for themselves: not thumbnails, tiles, masks or what belongs to another."""
    belonging = {source for kind, source, _ in container.references if kind in (b"thmb", b"auxl", b"cdsc")}
    belonging |= {target for kind, _, targets in container.references if kind == b"dimg" for target in targets}
    return sum(item.kind in _PICTURES and number not in belonging for number, item in container.items.items())


def _read_colours(container: Container) -> tuple[bytes | None, tuple[str, ...]]:
    """Read the main picture's colours: nothing if it embeds an ICC profile, which the decoder hands over."""
    item = container.items.get(container.primary or 0)
    boxes = [body for kind, body in item.properties if kind == b"colr"] if item else []
    coded = [body for body in boxes if body[:4] == b"nclx"]
    if not coded or len(coded) < len(boxes):
        return None, ()
    primaries, curve = struct.unpack_from(">HH", coded[0], 4)
    return describe_colours(primaries, curve)
