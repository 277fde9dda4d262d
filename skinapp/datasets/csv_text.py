"""The one reader of text tables: metadata, label maps, image tables, predictions and truths.

    table = read_text_table(data, "predictions.csv")   # bytes -> TextTable, or a DatasetError with a sentence
    table.columns                                      # ("image_id", "p_mel", ...), stripped, each once
    table.find("image_id", "isic_id")                  # the column that has one of these names, however it is spelt
    table.text("image_id")                             # its cells: strings, stripped, "" where empty
    read_numbers(table.text("p_mel"))                  # float64; NaN where a cell is empty or no number
    table.rows                                         # the number of each row below the header, for messages
    table.notes                                        # what had to be guessed or left out, as sentences

Read are: commas, semicolons, tabs and bars, found by which of them gives rows of equal length, or named by a first line
`sep=;`; UTF-8 and UTF-16 with or without a mark at the start, and Windows-1252; line ends of every system; cells in
quotes with separators and line breaks in them. Empty rows, and columns without a name and without a cell, are dropped.
Row numbers count every row below the header, also empty ones, so that they agree with a spreadsheet.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from skinapp.errors import DatasetError
from skinapp.formatting import clean_text

SEPARATORS = (",", ";", "\t", "|")

MISSING_WORDS = (
    *("", "-", "--", "–", "—", ".", "?", "??", "#n/a", "#na", "n/a", "na", "n.a.", "nan", "none", "null", "nil", "nul"),
    *("<na>", "<null>", "#value!", "#ref!", "#null!", "#div/0!", "#name?", "\\n", "unknown", "unk", "unspecified"),
    *("not recorded", "not available", "not reported", "not specified", "not known", "missing", "undefined"),
)
"""Cells, in lower case, that mean "not known"."""

_EMPTY_LINES = ("\n\n", "\r\r", "\n\r\n")

_SAMPLE = 20
"""Records that are tried with each separator."""

_SAMPLE_CHARACTERS = 2**17

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


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table of text: `columns` as named in the `file`, stripped, each once, and n rows of cells.

    `rows` is int64 (n,): the number of each row below the header, from 1. `misfits` are the numbers of the rows that
    were left out because they have more cells than the header has names. `notes` are sentences for the table's owner.
    """

    file: str
    columns: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    separator: str
    encoding: str
    misfits: tuple[int, ...]
    notes: tuple[str, ...]
    _cells: tuple[pa.ChunkedArray, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def text(self, column: str) -> pd.Series:
        """Return the cells of a column, stripped, as strings; KeyError for a column that the table lacks."""
        if column not in self.columns:
            raise KeyError(column)
        return pd.Series(pd.array(self._cells[self.columns.index(column)], dtype="string"), name=column)

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the cells of some columns, by default of all, as strings."""
        wanted = self.columns if columns is None else columns
        return pd.DataFrame({column: self.text(column) for column in wanted}, index=range(len(self)))

    def without_header(self, names: Sequence[str]) -> "TextTable":
        """Return the table with other names for its columns; what was read as its header becomes the first row."""
        cells = tuple(
            pa.chunked_array([pa.array([first], column.type), *column.chunks], column.type)
            for first, column in zip(self.columns, self._cells, strict=True)
        )
        rows = np.concatenate([[0], self.rows]) + 1
        return replace(self, columns=tuple(names), rows=rows, _cells=cells)

    def find(self, *names: str) -> str | None:
        """Return the column that the first of some names fits, ignoring case, blanks and punctuation; None if none."""
        known = {squeeze_name(column): column for column in reversed(self.columns)}
        return next((known[name] for name in map(squeeze_name, names) if name in known), None)


def squeeze_name(name: str) -> str:
    """Reduce a name to its letters and digits in lower case: "Image ID", "image-id" and "imageId" are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def mark_missing(text: pd.Series) -> pd.Series:
    """Return text with NA for every cell that is empty or one of MISSING_WORDS."""
    return text.mask(text.str.lower().isin(MISSING_WORDS))


def read_numbers(text: pd.Series) -> npt.NDArray[np.float64]:
    """Read cells as numbers, float64 (n,), with a point or, as in much of Europe, a comma before the decimals.

    NaN where a cell is missing or is not a number. A cell with both, as 1,234.5, is not a number: which of the two
    divides thousands is a guess.
    """
    cells = text.astype("string")
    filled = pa.array(cells.mask(cells == ""))
    with suppress(pa.ArrowInvalid):  # fast, and strict: any other text is read below
        return np.asarray(pc.cast(filled, pa.float64()), dtype=np.float64)
    commas = cells.str.contains(",", regex=False).fillna(False)
    if commas.any():
        one = commas & (cells.str.count(",") == 1) & ~cells.str.contains(".", regex=False)
        cells = cells.mask(one.fillna(False), cells.str.replace(",", ".", regex=False))
    return pd.to_numeric(cells.astype(object), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def read_text_table(data: bytes, file: str, max_columns: int = 2000) -> TextTable:
    """Read the bytes of a text table; `file` is its name for messages.

    Raises DatasetError where the bytes are no text (it says what they are if it can tell), the first row names no
    column or more than `max_columns`, a quotation mark is never closed, or no row fits the header.
    """
    text, encoding, notes = _decode(data, file)
    separator, body = _cut_separator_line(text)
    separator = separator or _find_separator(body)
    header, start = _read_header(body, separator, file)
    if len(header) > max_columns:
        raise DatasetError(
            f"{file} has {len(header):,} columns, more than {max_columns:,}. Keep those that are needed."
        )
    records = _read_fast(body[start:], separator, len(header)) or _read_slowly(body[start:], separator, header, file)
    columns, renamed = _name_columns(header)
    kept, cells = _drop_empty(columns, records)
    notes = (*notes, *records.notes, *renamed)
    return TextTable(
        file=file,
        columns=kept,
        rows=cells.rows,
        separator=separator,
        encoding=encoding,
        misfits=records.misfits,
        notes=notes,
        _cells=cells.columns,
    )


@dataclass(frozen=True, eq=False)
class _Records:
    """The cells below a header by column, the number of each row, and what had to be mended."""

    columns: tuple[pa.ChunkedArray, ...]
    rows: npt.NDArray[np.int64]
    misfits: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def _decode(data: bytes, file: str) -> tuple[str, str, tuple[str, ...]]:
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


def _cut_separator_line(text: str) -> tuple[str, str]:
    """Return the separator that a first line such as `sep=;` names, or an empty string, and the text below it."""
    text = text.removeprefix("\ufeff")
    named = re.match(r'\s*"?sep=([^\r\n"])"?[,;\t|]*(?:\r\n|\r|\n|$)', text, re.IGNORECASE)
    return (named[1], text[named.end() :]) if named else ("", text)


def _find_separator(text: str) -> str:
    """Return the separator whose records agree best in length; of equals the one with most columns, then a comma."""
    sample = text[:_SAMPLE_CHARACTERS]

    def rate(separator: str) -> tuple[bool, float, int]:
        lengths = []
        try:
            for record in csv.reader(io.StringIO(sample, newline=""), delimiter=separator):
                if any(cell.strip() for cell in record):
                    lengths.append(len(record))
                if len(lengths) > _SAMPLE:
                    break
        except csv.Error:
            return False, 0.0, 0
        if not lengths:
            return False, 0.0, 0
        whole = lengths[:-1] if len(lengths) > 2 and len(text) > len(sample) else lengths  # the sample may cut a record
        return lengths[0] > 1, whole.count(lengths[0]) / len(whole), lengths[0]

    return max(SEPARATORS, key=rate)


def _read_header(text: str, separator: str, file: str) -> tuple[list[str], int]:
    """Return the cells of the first record that is not empty, stripped, and where the next one begins in the text."""
    sample = text[:_SAMPLE_CHARACTERS]
    lines = io.StringIO(sample, newline="")
    fault = "has no row of names"
    try:
        for record in csv.reader(iter(lines.readline, ""), delimiter=separator, strict=True):
            names = [cell.strip().strip("\ufeff\u200b") for cell in record]
            if lines.tell() == len(sample) < len(text):
                fault = "has a first row without an end"
                break
            if any(names):
                return names, lines.tell()
    except csv.Error as error:
        fault = f"has a first row that cannot be read ({clean_text(str(error))})"
    raise DatasetError(f"{file} {fault}. It needs a first row that names the columns, and one row per photo.")


def _read_fast(text: str, separator: str, width: int) -> _Records | None:
    """Read regular records with Arrow; None where a closer look is needed.

    That is where a row is empty or has another length, and where a quotation mark may never be closed.
    """
    text = text.rstrip()
    if not text or text[0] in "\r\n" or text.count('"') % 2 or any(map(text.__contains__, _EMPTY_LINES)):
        return None
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.encode("utf-8", "replace")),
            read_options=arrow_csv.ReadOptions(column_names=[str(n) for n in range(width)], block_size=2**24),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values='"' in text),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(n): pa.string() for n in range(width)}, strings_can_be_null=False
            ),
        )
    except pa.ArrowException:
        return None
    cells = tuple(pc.utf8_trim_whitespace(column) for column in table.columns)
    return _Records(cells, np.arange(1, table.num_rows + 1))


def _read_slowly(text: str, separator: str, header: Sequence[str], file: str) -> _Records:
    """Read records of any length: empty ones are skipped, short ones filled, and long ones left out and named."""
    width, loose = len(header), False
    try:
        records = list(_number_records(text, separator, file))
    except _QuoteError:
        records, loose = list(_number_records(text, separator, file, strict=False)), True
    if _has_row_names(records, width):
        records = [(row, cells[1:]) for row, cells in records]
    fitting, misfits, short = [], [], []
    for row, cells in records:
        if len(cells) > width and any(cells[width:]):
            misfits.append(row)
            continue
        if len(cells) < width:
            short.append(row)
        fitting.append((row, (cells + [""] * width)[:width]))
    if misfits and not fitting:
        raise DatasetError(
            f"{file} has rows with more cells than its header names, {width}. Quote cells that hold a separator."
        )
    columns = [pa.chunked_array([pa.array([cells[n] for _, cells in fitting], pa.string())]) for n in range(width)]
    notes = [
        f"{_list_rows(misfits)} more cells than the header has names, left out: quote cells that hold a separator."
        if misfits
        else "",
        f"{_list_rows(short)} fewer cells than the header has names; the last ones count as missing." if short else "",
        "A quotation mark inside a quoted cell is not written twice; check the rows that have one." if loose else "",
    ]
    rows = np.array([row for row, _ in fitting], dtype=np.int64)
    return _Records(tuple(columns), rows, tuple(misfits), tuple(filter(None, notes)))


class _QuoteError(Exception):
    """A quotation mark inside a quoted cell that is not written twice."""


def _number_records(text: str, separator: str, file: str, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not empty, stripped, with its number below the header; _QuoteError if `strict`."""
    row = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    try:
        for row, record in enumerate(reader, start=1):
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield row, cells
    except csv.Error as error:
        fault = str(error)
        if "unexpected end" in fault:
            fault = "a quotation mark is opened and never closed"
        elif "field larger" in fault:
            fault = "a cell has more than 131,072 characters; perhaps a quotation mark is never closed"
        elif "expected after" in fault:
            raise _QuoteError from error
        raise DatasetError(f"{file}: row {row + 1:,} below the header cannot be read: {fault}. Correct it.") from error


def _has_row_names(records: Sequence[tuple[int, list[str]]], width: int) -> bool:
    """Tell whether every record begins with its number, for which the header has no name, as R writes tables."""
    return bool(records) and all(
        len(cells) == width + 1 and cells[0] == str(number) for number, (_, cells) in enumerate(records, start=1)
    )


def _name_columns(header: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return a name for each column, each once, and a note on names that occur again."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    repeated: list[str] = []
    for place, name in enumerate(header, start=1):
        plain = " ".join(name.split()) or f"column {place}"
        seen[plain.casefold()] += 1
        if seen[plain.casefold()] > 1:
            repeated.append(plain)
            plain = f"{plain} ({seen[plain.casefold()]})"
            seen[plain.casefold()] += 1
        names.append(plain)
    words = ", ".join(clean_text(name) for name in dict.fromkeys(repeated))
    return names, (f"More than one column is named {words}; the first is read.",) if repeated else ()


def _drop_empty(columns: Sequence[str], records: _Records) -> tuple[tuple[str, ...], _Records]:
    """Drop the rows without a cell, and the columns that have neither a name nor a cell."""
    filled = [pc.not_equal(column, "").to_numpy() for column in records.columns]
    some = np.logical_or.reduce(filled) if filled else np.ones(0, dtype=bool)
    keep = [n for n, name in enumerate(columns) if name != f"column {n + 1}" or filled[n].any()]
    cells = [records.columns[n] if some.all() else records.columns[n].filter(pa.array(some)) for n in keep]
    return tuple(columns[n] for n in keep), _Records(tuple(cells), records.rows[some])


def _list_rows(rows: Sequence[int], most: int = 10) -> str:
    listed = ", ".join(f"{row:,}" for row in rows[:most])
    more = f" and {len(rows) - most:,} more" if len(rows) > most else ""
    return f"Row {listed} has" if len(rows) == 1 else f"Rows {listed}{more} have"
