"""The boxes of an AVIF or HEIC file (ISO/IEC 14496-12 and 23008-12), as far as its real size and colours need them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_MAX_BOXES = 20_000
MAX_PARTS = 20_000
"""Items, pieces, references or units of one file: a photo has some dozens, in tiles some hundreds."""


@dataclass
class Item:
    """A coded picture, a grid of pictures, or metadata: its type, its content in pieces, and its properties."""

    kind: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)
    in_idat: bool = False
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass
class Container:
    """The pictures of a file: `items` by number, `references` (kind, from, to), and each track's first sample."""

    data: bytes
    brands: set[bytes] = field(default_factory=set)
    primary: int | None = None
    items: dict[int, Item] = field(default_factory=dict)
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)
    idat: bytes = b""
    samples: list[bytes] = field(default_factory=list)
    tracks: int = 0
    bytes_read: int = 0

    def get_content(self, item: Item) -> bytes:
        """Return an item's bytes; raises ValueError where items together claim more than twice the file."""
        source = self.idat if item.in_idat else self.data
        self.bytes_read += sum(length or len(source) for _, length in item.extents)
        if self.bytes_read > 2 * len(self.data):
            raise ValueError("more content than the file has")
        return b"".join(source[at : at + length] if length else source[at:] for at, length in item.extents)


def read_boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of the content of each box; raises ValueError where a box is cut or there are many."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        length = length or end - start
        if length < head or start + length > end:
            raise ValueError(f"a cut box {kind!r}")
        yield kind, start + head, start + length
        start += length
    raise ValueError("too many boxes")


def check_count(count: int) -> int:
    """Return a count; ValueError where it is more than MAX_PARTS."""
    if count > MAX_PARTS:
        raise ValueError("too many parts")
    return count


def read_container(data: bytes) -> Container:
    """Read the boxes that say which pictures a file holds; raises ValueError or struct.error where it is damaged."""
    found = Container(data)
    for kind, start, end in read_boxes(data, 0, len(data)):
        if kind == b"ftyp":
            found.brands = {data[at : at + 4] for at in range(start, end, 4) if at != start + 4}
        elif kind == b"meta":
            _read_meta(found, start + 4, end)
        elif kind == b"moov":
            for track, at, until in read_boxes(data, start, end):
                if track == b"trak":
                    found.tracks += 1
                    _read_track(found, at, until)
    return found


def _read_meta(found: Container, start: int, end: int) -> None:
    data, properties, associations = found.data, [], b""
    for kind, at, until in read_boxes(data, start, end):
        body = data[at:until]
        if kind == b"pitm":
            found.primary = int.from_bytes(body[4:6] if body[0] == 0 else body[4:8])
        elif kind == b"iinf":
            _read_items(found, at, until)
        elif kind == b"iloc":
            _read_places(found, body)
        elif kind == b"iref":
            _read_references(found, at, until)
        elif kind == b"idat":
            found.idat = body
        elif kind == b"iprp":
            for part, inner, inner_end in read_boxes(data, at, until):
                if part == b"ipco":
                    properties = [(name, data[a:b]) for name, a, b in read_boxes(data, inner, inner_end)]
                elif part == b"ipma":
                    associations = data[inner:inner_end]
                    _associate(found, properties, associations)


def _read_items(found: Container, start: int, end: int) -> None:
    start += 6 if found.data[start] == 0 else 8
    for kind, at, until in read_boxes(found.data, start, end):
        body = found.data[at:until]
        if kind == b"infe" and body[0] >= 2:
            wide = body[0] == 3
            number = int.from_bytes(body[4 : 8 if wide else 6])
            found.items.setdefault(number, Item()).kind = body[10:14] if wide else body[8:12]


def _read_places(found: Container, body: bytes) -> None:
    version, (sizes, bases) = body[0], body[4:6]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, bases >> 4
    index_size = bases & 15 if version in (1, 2) else 0
    reader = Bits(body, 6 * 8)
    pieces = 0
    for _ in range(check_count(reader.read(32 if version == 2 else 16))):
        item = found.items.setdefault(reader.read(32 if version == 2 else 16), Item())
        item.in_idat = version in (1, 2) and reader.read(16) & 15 == 1
        reader.read(16)
        base = reader.read(8 * base_size)
        item.extents = []
        extents = reader.read(16)
        pieces = check_count(pieces + extents)
        for _ in range(extents):
            reader.read(8 * index_size)
            offset = reader.read(8 * offset_size)
            item.extents.append((base + offset, reader.read(8 * length_size)))


def _read_references(found: Container, start: int, end: int) -> None:
    code, size = ("H", 2) if found.data[start] == 0 else ("I", 4)
    total = 0
    for kind, at, _ in read_boxes(found.data, start + 4, end):
        source, count = struct.unpack_from(f">{code}H", found.data, at)
        targets = struct.unpack_from(f">{count}{code}", found.data, at + size + 2)
        found.references.append((kind, source, targets))
        total = check_count(total + count)


def _associate(found: Container, properties: list[tuple[bytes, bytes]], body: bytes) -> None:
    wide, reader = body[3] & 1, Bits(body, 4 * 8)
    for _ in range(check_count(reader.read(32))):
        item = found.items.setdefault(reader.read(16 if body[0] == 0 else 32), Item())
        for _ in range(reader.read(8)):
            number = reader.read(16) & 0x7FFF if wide else reader.read(8) & 0x7F
            if 0 < number <= len(properties):
                item.properties.append(properties[number - 1])


def _read_track(found: Container, start: int, end: int) -> None:
    """Find the first sample of a track: only the first frame of an animation is decoded."""
    place = size = None
    for kind, at, until in read_boxes(found.data, start, end):
        if kind in (b"mdia", b"minf", b"stbl"):
            _read_track(found, at, until)
        elif kind in (b"stco", b"co64"):
            place = struct.unpack_from(">I" if kind == b"stco" else ">Q", found.data, at + 8)[0]
        elif kind == b"stsz":
            every, count = struct.unpack_from(">II", found.data, at + 4)
            size = every or (struct.unpack_from(">I", found.data, at + 12)[0] if count else None)
    if place is not None and size is not None:
        found.samples.append(found.data[place : place + size])


class Bits:
    """Reads numbers of any number of bits from bytes; raises ValueError past the end."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        """Start at a bit."""
        self._data, self._position = data, position

    def read(self, bits: int) -> int:
        """Read an unsigned number, the highest bit first."""
        end = self._position + bits
        if end > 8 * len(self._data):
            raise ValueError("read past the end")
        first, last = self._position // 8, -(-end // 8)
        self._position = end
        return int.from_bytes(self._data[first:last]) >> (8 * last - end) & ((1 << bits) - 1)

    def read_exponential(self) -> int:
        """Read an unsigned Exp-Golomb number (H.265, 9.2)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("too long a number")
        return (1 << zeros) - 1 + self.read(zeros)
