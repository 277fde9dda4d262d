"""Read an uploaded CSV into text and numbers; nothing in it is trusted before it was checked."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from skinapp.datasets.columns import MAX_TEXT, quote
from skinapp.errors import RunError
from skinapp.metrics.classification import Floats

MAX_COLUMNS = 300

_SEPARATORS = (",", ";", "\t")
_LONGEST_HEADER = 2**17


@dataclass(frozen=True)
class Header:
    """The first line of a CSV: the file's name (for error messages), its columns, stripped, and the separator."""

    file: str
    columns: tuple[str, ...]
    separator: str

    def place(self, column: str) -> int:
        """Return the index of a column, from 0."""
        return self.columns.index(column)


@dataclass(frozen=True, eq=False)
class Cells:
    """The rows of a CSV: text, stripped (n rows; an empty cell is ""), and numbers, float64 (n, k)."""

    text: pd.DataFrame
    numbers: Floats


def read_header(data: bytes, file: str) -> Header:
    """Read the first line of a CSV; the separator is the most frequent of comma, semicolon and tab.

    Raises RunError where the data are not text in UTF-8, there is no header, or two columns share a name.
    """
    line = re.split(rb"[\r\n]", data.removeprefix(b"\xef\xbb\xbf")[:_LONGEST_HEADER], maxsplit=1)[0]
    if b"\0" in data[:_LONGEST_HEADER] or len(line) == _LONGEST_HEADER:
        raise RunError(f"{file} is not a CSV in UTF-8. Save it from your spreadsheet as CSV UTF-8.")
    try:
        text = line.decode("utf-8")
        separator = max(_SEPARATORS, key=text.count)
        columns = [column.strip() for column in next(csv.reader([text], delimiter=separator), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{file} has a first line that is not text in UTF-8. Save it as CSV UTF-8.") from error
    if len(columns) < 2:
        raise RunError(f"{file} has no header: its first line must name two or more columns, separated by commas.")
    if len(columns) > MAX_COLUMNS:
        raise RunError(f"{file} has {len(columns):,} columns, more than {MAX_COLUMNS}. Remove some.")
    lower = [column.casefold() for column in columns if column]
    twice = sorted({column for column in lower if lower.count(column) > 1})
    if twice:
        raise RunError(f"{file} has two columns named {quote(twice[0])}. Keep one of them.")
    return Header(file, tuple(columns), separator)


def read_cells(data: bytes, header: Header, text: Sequence[str], numbers: Sequence[str]) -> Cells:
    """Read some columns as text and others as numbers; with semicolons as separator, 0,5 is read as well as 0.5.

    Raises RunError where rows differ in length, a cell is not a number, or a text is too long.
    """
    failed: pa.ArrowInvalid | None = None
    table = None
    for decimal in (".", ",") if header.separator == ";" else (".",):
        try:
            table = _read_table(data, header, text, numbers, decimal)
            break
        except pa.ArrowInvalid as error:
            failed = failed or error
    if table is None:
        raise RunError(_explain(str(failed), data, header, numbers)) from failed
    words = {column: _strip_text(table[str(header.place(column))], column, header) for column in text}
    values = [table[str(header.place(column))].to_numpy() for column in numbers]
    return Cells(pd.DataFrame(words), np.column_stack(values) if values else np.empty((table.num_rows, 0)))


def _read_table(
    data: bytes, header: Header, text: Sequence[str], numbers: Sequence[str], decimal: str = ".", threads: bool = True
) -> pa.Table:
    # By index, not by name: the reader never sees an uploaded name.
    kinds = dict.fromkeys((str(header.place(c)) for c in text), pa.string())
    kinds |= dict.fromkeys((str(header.place(c)) for c in numbers), pa.float64())
    return arrow_csv.read_csv(
        pa.BufferReader(data),
        read_options=arrow_csv.ReadOptions(
            column_names=[str(place) for place in range(len(header.columns))],
            skip_rows=1,
            block_size=2**22,
            use_threads=threads,
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=header.separator),
        convert_options=arrow_csv.ConvertOptions(
            column_types=kinds, include_columns=list(kinds), strings_can_be_null=False, decimal_point=decimal
        ),
    )


def _strip_text(column: pa.ChunkedArray, name: str, header: Header) -> pd.Series:
    long = pc.greater(pc.utf8_length(column), MAX_TEXT).to_numpy()
    if long.any():
        row = int(long.argmax()) + 1
        raise RunError(
            f"{header.file} has a cell of more than {MAX_TEXT} characters in the column {quote(name)}, row "
            f"{row:,} below the header. Shorten it, or leave the column out."
        )
    return pd.Series(pd.array(pc.utf8_trim_whitespace(column), dtype="string"))  # the type that a stored run has


def _explain(message: str, data: bytes, header: Header, numbers: Sequence[str]) -> str:
    """Return in words why a CSV could not be read: a row of another length, a cell that is not a number, or else."""
    try:
        for column in numbers:
            # Only without threads does the error name the row that has the wrong length.
            cells = _read_table(data, header, [column], [], threads=False)[str(header.place(column))].to_pandas()
            points = cells.str.replace(",", ".") if header.separator == ";" else cells
            wrong = pd.to_numeric(points, errors="coerce").isna() & (cells.str.strip() != "")
            if wrong.any():
                row = int(wrong.to_numpy().argmax())
                return (
                    f"{header.file} holds {quote(str(cells.iloc[row]))} in the column {quote(column)}, row "
                    f"{row + 1:,} below the header, where a number is needed. Write numbers such as 0.25."
                )
    except pa.ArrowInvalid as error:
        message = str(error)
    return _explain_arrow(message, header)


def _explain_arrow(message: str, header: Header) -> str:
    lengths = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message)
    if lengths:
        line, named, found = map(int, lengths.groups())
        return (
            f"{header.file} has {found} cells in row {line - 1:,} below the header, which names {named} columns. "
            "Complete the row, and put cells that contain a separator in quotes."
        )
    place = re.search(r"column #(\d+): .*UTF8", message)
    if place:
        column = quote(header.columns[int(place[1])])
        return f"{header.file} holds text that is not in UTF-8 in the column {column}. Save it as CSV UTF-8."
    return f"{header.file} cannot be read as a CSV. Save it again as CSV UTF-8."
