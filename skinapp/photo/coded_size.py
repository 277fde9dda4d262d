"""The size that a decoder of AV1 or HEVC really allocates, read from the coded picture and not from what is claimed."""

import struct
from collections.abc import Iterator

from skinapp.photo.boxes import Bits, Container, Item, check_count

_SEQUENCE_HEADER, _SPS = 1, 33


def count_pixels(container: Container) -> int:
    """Count the pixels that a decoder of the main picture, its tiles and its transparency allocates.

    Raises ValueError where a coded picture does not say its size, or its type is not known.
    """
    numbers = _list_decoded(container)
    items = [container.items[number] for number in numbers if number in container.items]
    canvases = [_read_canvas(container, item) for item in items]
    coded = sum(_count_coded(container, item) for item in items)
    tracks = [_measure_av1(sample) for sample in container.samples[:1]]
    return max([coded, *canvases, *tracks])


def _list_decoded(container: Container) -> set[int]:
    """List the main picture, what it is derived from, and what describes any of them, such as transparency."""
    numbers = {container.primary} if container.primary is not None else set()
    for _ in range(4):  # a derivation of a derivation is rare, and decoders limit it too
        for kind, source, targets in container.references:
            if kind == b"dimg" and source in numbers:
                numbers |= set(targets)
            elif kind == b"auxl" and numbers & set(targets):
                numbers.add(source)
    return numbers


def _read_canvas(container: Container, item: Item) -> int:
    """Return the pixels that an item claims, or that its grid spans."""
    claimed = [struct.unpack_from(">II", body, 4) for kind, body in item.properties if kind == b"ispe"]
    if item.kind == b"grid":
        content = container.get_content(item)
        claimed.append(struct.unpack_from(">II" if content[1] & 1 else ">HH", content, 4))
    return max((width * height for width, height in claimed), default=0)


def _count_coded(container: Container, item: Item) -> int:
    if item.kind in (b"grid", b"iden", b"tmap"):
        return 0
    if item.kind == b"av01":
        codecs = [body[4:] for kind, body in item.properties if kind == b"av1C"]
        return max(_measure_av1(part) for part in (*codecs, container.get_content(item)))
    if item.kind == b"hvc1":
        return _measure_hevc(container, item)
    raise ValueError(f"a picture coded as {item.kind!r}")


def _measure_av1(obus: bytes) -> int:
    """Return the pixels of the largest sequence header; 0 where there is none (AV1, 5.3 and 5.5)."""
    largest = position = count = 0
    while position < len(obus):
        count = check_count(count + 1)
        kind, has_extension, has_size = obus[position] >> 3 & 15, obus[position] >> 2 & 1, obus[position] >> 1 & 1
        position += 1 + has_extension
        length = len(obus) - position
        if has_size:
            length, position = _read_leb128(obus, position)
        if kind == _SEQUENCE_HEADER:
            largest = max(largest, _measure_sequence_header(obus[position : position + length]))
        position += length
    return largest


def _read_leb128(data: bytes, position: int) -> tuple[int, int]:
    number = 0
    for count in range(8):
        if position >= len(data):
            raise ValueError("a cut number")
        byte = data[position]
        number |= (byte & 127) << (7 * count)
        position += 1
        if byte < 128:
            break
    return number, position


def _measure_sequence_header(body: bytes) -> int:
    """Return the largest frame's width times height (AV1, 5.5.1)."""
    bits = Bits(body)
    bits.read(4)  # profile, still picture
    if bits.read(1):  # reduced header of a still picture
        bits.read(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    return (bits.read(width_bits) + 1) * (bits.read(height_bits) + 1)


def _skip_operating_points(bits: Bits) -> None:
    decoder_model = delay_bits = 0
    if bits.read(1):  # timing info
        bits.read(64)
        if bits.read(1):  # equal picture interval
            _skip_uvlc(bits)
        decoder_model = bits.read(1)
        if decoder_model:
            delay_bits = bits.read(5) + 1
            bits.read(42)
    initial_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:  # level
            bits.read(1)
        if decoder_model and bits.read(1):
            bits.read(2 * delay_bits + 1)
        if initial_delay and bits.read(1):
            bits.read(4)


def _skip_uvlc(bits: Bits) -> None:
    zeros = 0
    while not bits.read(1):
        zeros += 1
    bits.read(zeros if zeros < 32 else 0)


def _measure_hevc(container: Container, item: Item) -> int:
    """Return the pixels of the largest sequence parameter set, in the configuration or the picture (H.265, 7.3)."""
    configurations = [body for kind, body in item.properties if kind == b"hvcC"]
    if not configurations:
        raise ValueError("no configuration")
    units = [unit for body in configurations for unit in _iterate_configured(body)]
    units += _iterate_units(container.get_content(item), (configurations[0][21] & 3) + 1)
    return max((_measure_sps(unit) for unit in units if unit and unit[0] >> 1 & 63 == _SPS), default=0)


def _iterate_configured(body: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an hvcC box (ISO/IEC 14496-15, 8.3.3.1.2)."""
    position = 23
    for _ in range(body[22]):
        (count,) = struct.unpack_from(">H", body, position + 1)
        position += 3
        for _ in range(check_count(count)):
            (length,) = struct.unpack_from(">H", body, position)
            yield body[position + 2 : position + 2 + length]
            position += 2 + length


def _iterate_units(content: bytes, length_size: int) -> Iterator[bytes]:
    position = count = 0
    while position + length_size < len(content):
        count = check_count(count + 1)
        length = int.from_bytes(content[position : position + length_size])
        position += length_size
        yield content[position : position + min(length, 400)]  # a parameter set says its size in its first bytes
        position += length


def _measure_sps(unit: bytes) -> int:
    """Return the coded width times height of a sequence parameter set (H.265, 7.3.2.2)."""
    bits = Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.read(4)
    sub_layers = bits.read(3)
    bits.read(1)
    bits.read(96)  # general profile, tier and level
    present = [(bits.read(1), bits.read(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.read(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.read(88 * has_profile + 8 * has_level)
    bits.read_exponential()  # its number
    if bits.read_exponential() == 3:  # chroma format
        bits.read(1)
    return bits.read_exponential() * bits.read_exponential()
