"""The tags of a TIFF or BigTIFF file, as far as a photo needs them."""

import struct
from dataclasses import dataclass

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_MAX_PAGES, _MAX_TAGS, _MAX_NUMBERS = 200, 500, 64
_SUB_PAGES = 330


@dataclass(frozen=True)
class Tags:
    """The tags of one page: number -> (field type, how many values, where they lie)."""

    data: bytes
    order: str
    entries: dict[int, tuple[int, int, int]]

    def __contains__(self, tag: int) -> bool:
        """Tell whether the page has a tag."""
        return tag in self.entries

    def get_all(self, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return the first whole numbers of a tag, at most 64."""
        kind, count, position = self.entries.get(tag, (0, 0, 0))
        if kind not in _CODES or not count:
            return default
        return struct.unpack_from(self.order + _CODES[kind] * min(count, _MAX_NUMBERS), self.data, position)

    def get_one(self, tag: int, default: int | None = None) -> int:
        """Return the first number of a tag; ValueError where it is missing and has no default."""
        found = self.get_all(tag, () if default is None else (default,))
        if not found:
            raise ValueError(f"no tag {tag}")
        return found[0]

    def get_bytes(self, tag: int) -> bytes | None:
        """Return the content of a tag of bytes, or None."""
        kind, count, position = self.entries.get(tag, (0, 0, 0))
        return self.data[position : position + count] or None if _SIZES.get(kind) == 1 else None

    def replace_one(self, tag: int, number: int) -> bytes:
        """Return a copy of the file in which a tag of one 16-bit number has another value."""
        _, _, position = self.entries[tag]
        code = self.order + _CODES[self.entries[tag][0]]
        changed = struct.pack(code, number)
        return self.data[:position] + changed + self.data[position + len(changed) :]


def read_pages(data: bytes) -> list[Tags]:
    """Read the tags of each page in the main chain; raises ValueError or struct.error where the file is damaged."""
    order, is_big = ("<" if data[:2] == b"II" else ">"), 43 in data[2:4]
    position = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
    pages: list[Tags] = []
    seen: set[int] = set()
    while position and position not in seen and len(pages) < _MAX_PAGES:
        seen.add(position)
        try:
            page, position = _read_page(data, order, is_big, position)
        except (ValueError, struct.error):
            if not pages:
                raise
            break
        pages.append(page)
    if not pages:
        raise ValueError("no page")
    return pages


def read_sub_pages(data: bytes, page: Tags) -> list[Tags]:
    """Read the tags of the pages that a page points to; those that cannot be read are left out."""
    is_big, found = 43 in data[2:4], []
    for position in page.get_all(_SUB_PAGES, ()):
        try:
            found.append(_read_page(data, page.order, is_big, position)[0])
        except (ValueError, struct.error):
            continue
    return found


def _read_page(data: bytes, order: str, is_big: bool, position: int) -> tuple[Tags, int]:
    count_code, entry_code, next_code, inline = ("Q", "HHQ", "Q", 8) if is_big else ("H", "HHI", "I", 4)
    (count,) = struct.unpack_from(order + count_code, data, position)
    if count > _MAX_TAGS:
        raise ValueError("too many tags")
    position += struct.calcsize(order + count_code)
    head, entries = struct.calcsize(order + entry_code), {}
    for _ in range(count):
        tag, kind, numbers = struct.unpack_from(order + entry_code, data, position)
        place = position + head
        if numbers * _SIZES.get(kind, 1) > inline:
            (place,) = struct.unpack_from(order + next_code, data, place)
        entries[tag] = (kind, numbers, place)
        position += head + inline
    following = struct.unpack_from(order + next_code, data, position)[0] if position < len(data) else 0
    return Tags(data, order, entries), following
