"""Bytes of a text table -> text, whatever its encoding; files that people take for a table are named."""

from skinapp.errors import DatasetError

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""How a file begins that says its encoding itself."""

_OTHER_KINDS = (
    (b"PK\x03\x04", "a workbook (Excel or LibreOffice) or a ZIP archive, not text"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook, not text"),
    (b"PAR1", "a Parquet file, not text"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"%PDF", "a PDF, not a table"),
    (b"<!doctype html", "a web page, not a table"),
    (b"<html", "a web page, not a table"),
    (b"\xff\xd8\xff", "a JPEG photo, not a table"),
    (b"\x89png", "a PNG picture, not a table"),
    (b"version https://git-lfs", "a Git LFS pointer in place of the file: fetch it with `git lfs pull`"),
)
"""How files begin, whatever the case, that people take for a table, and what they are."""


def decode_table(data: bytes, file: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, its encoding, and a note where that was a guess."""
    start = data[:32].lower().lstrip(b"\xef\xbb\xbf \t\r\n")
    for beginning, kind in _OTHER_KINDS:
        if start.startswith(beginning.lower()):
            raise DatasetError(f"{file} is {kind}. Save the table as CSV (UTF-8).")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None) or _guess_wide(data)
    try:
        text = data.decode(encoding or "utf-8")
        if "\0" not in text:
            return text, encoding or "utf-8", ()
    except UnicodeDecodeError:
        if encoding is None and b"\0" not in data:
            return _decode_bytes(data)
    raise DatasetError(f"{file} is not a text table. Save it as CSV (UTF-8).")


def _guess_wide(data: bytes) -> str | None:
    """Return the UTF-16 that a file without a mark is in: then every other byte of a table of words is zero."""
    sample = data[:4096]
    if len(sample) < 4 or len(data) % 2:
        return None
    zeros = [sample[side::2].count(0) / (len(sample) // 2) for side in (0, 1)]
    if zeros[1] > 0.4 and zeros[0] < 0.1:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.4 and zeros[1] < 0.1 else None


def _decode_bytes(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Decode bytes that are not UTF-8 throughout: mostly UTF-8 with a few damaged letters, else Windows-1252."""
    replaced = data.decode("utf-8", errors="replace")
    damaged = replaced.count("\ufffd")
    if sum(map(replaced.count, "éèêëàâáãåäöôóøüúùûíìîïçñßæœÄÖÜÉ–—’“”…µ°²×")) > damaged:
        return replaced, "utf-8", (f"{damaged:,} letters are damaged (not UTF-8) and were replaced by \ufffd.",)
    try:
        text, encoding = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:  # five bytes have no letter there
        text, encoding = data.decode("latin-1"), "Latin-1"
    return text, encoding, (f"The file is not in UTF-8 and was read as {encoding}; check letters with accents.",)
