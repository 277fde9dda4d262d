"""Text of a table -> its header and its rows, whichever separator and line ends it has."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from skinapp.errors import DatasetError
from skinapp.formatting import clean_text

SEPARATORS = (",", ";", "\t", "|")

_EMPTY_LINES = ("\n\n", "\r\r", "\n\r\n")

_SAMPLE = 20
"""Records that are tried with each separator."""

_SAMPLE_CHARACTERS = 2**17


@dataclass(frozen=True, eq=False)
class Records:
    """The cells below a header by column, the number of each row, and what had to be mended."""

    columns: tuple[pa.ChunkedArray, ...]
    rows: npt.NDArray[np.int64]
    misfits: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def cut_separator_line(text: str) -> tuple[str, str]:
    """Return the separator that a first line such as `sep=;` names, or an empty string, and the text below it."""
    text = text.removeprefix("\ufeff")
    named = re.match(r'\s*"?sep=([^\r\n"])"?[,;\t|]*(?:\r\n|\r|\n|$)', text, re.IGNORECASE)
    return (named[1], text[named.end() :]) if named else ("", text)


def cut_titles(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text from its row of names on, and a note where lines of one cell, such as a title, stood above it.

    Below them every line must have several cells, and the first of these no number: names are words.
    """
    lines = itertools.islice(re.finditer(r"[^\r\n]*(?:\r\n|\r|\n|\Z)", text[:_SAMPLE_CHARACTERS]), _SAMPLE)
    split = [(line.start(), _split_roughly(line[0])) for line in lines]
    split = [(start, cells) for start, cells in split if cells]
    first = next((place for place, (_, cells) in enumerate(split) if len(cells) > 1), 0)
    titles, below = [cells[0] for _, cells in split[:first]], [cells for _, cells in split[first:]]
    is_table = len(below) > 1 and all(len(cells) > 1 for cells in below)
    if not titles or not is_table or any(re.fullmatch(r"[-+]?\d[\d.,]*", cell) for cell in below[0]):
        return text, ()
    listed = ", ".join(repr(clean_text(title, 60)) for title in titles)
    return text[split[first][0] :], (f"Skipped above the names of the columns: {listed}.",)


def _split_roughly(line: str) -> list[str]:
    return [cell for part in re.split(r"[,;\t|]", line) if (cell := part.strip().strip('"').strip())]


def find_separator(text: str) -> str:
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


def read_header(text: str, separator: str, file: str) -> tuple[list[str], int]:
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


def read_records(text: str, separator: str, header: Sequence[str], file: str) -> Records:
    """Read the rows below a header; DatasetError where a quotation mark is never closed or no row fits."""
    return _read_fast(text, separator, len(header)) or _read_slowly(text, separator, header, file)


def drop_repeated_headers(records: Records, header: Sequence[str]) -> Records:
    """Drop the rows that repeat the header, and note their numbers."""
    same = [pc.equal(column, name).to_numpy() for column, name in zip(records.columns, header, strict=True)]
    again = np.logical_and.reduce(same) if same and any(header) else np.zeros(0, dtype=bool)
    if not again.any():
        return records
    note = f"{_list_rows(records.rows[again].tolist())} the names of the columns again, left out."
    columns = tuple(column.filter(pa.array(~again)) for column in records.columns)
    return replace(records, columns=columns, rows=records.rows[~again], notes=(*records.notes, note))


def _read_fast(text: str, separator: str, width: int) -> Records | None:
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
    return Records(cells, np.arange(1, table.num_rows + 1))


def _read_slowly(text: str, separator: str, header: Sequence[str], file: str) -> Records:
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
    return Records(tuple(columns), rows, tuple(misfits), tuple(filter(None, notes)))


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


def _list_rows(rows: Sequence[int], most: int = 10) -> str:
    listed = ", ".join(f"{row:,}" for row in rows[:most])
    more = f" and {len(rows) - most:,} more" if len(rows) > most else ""
    return f"Row {listed} has" if len(rows) == 1 else f"Rows {listed}{more} have"
