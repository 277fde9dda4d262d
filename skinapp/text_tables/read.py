"""The one reader of text tables: metadata, label maps, image tables, predictions and truths.

    table = read_text_table(data, "predictions.csv")   # bytes -> TextTable, or a DatasetError with a sentence
    table.columns                                      # ("image_id", "p_mel", ...), stripped, each once
    table.find("image_id", "isic_id")                  # the column that has one of these names, however it is spelt
    table.text("image_id")                             # its cells: strings, stripped, "" where empty
    read_ids(table.text("image_id"))                   # ids without what programs add to them unseen
    read_numbers(table.text("p_mel"))                  # float64; NaN where a cell is empty or no number
    table.rows                                         # the number of each row below the header, for messages
    table.notes                                        # what had to be guessed or left out, as sentences

Read are: commas, semicolons, tabs and bars, found by which of them gives rows of equal length, or named by a first line
`sep=;`; UTF-8 and UTF-16 with or without a mark at the start, and Windows-1252; line ends of every system; cells in
quotes with separators and line breaks in them. Empty rows, columns without a name and without a cell, titles above the
names, and rows that repeat the names, as in tables put one below the other, are dropped.
Row numbers count every row below the header, also empty ones, so that they agree with a spreadsheet.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from skinapp.errors import DatasetError
from skinapp.formatting import clean_text
from skinapp.text_tables.decode import decode_table
from skinapp.text_tables.records import (
    Records,
    cut_separator_line,
    cut_titles,
    drop_repeated_headers,
    find_separator,
    read_header,
    read_records,
)

MISSING_WORDS = (
    *("", "-", "--", "–", "—", ".", "?", "??", "#n/a", "#na", "n/a", "na", "n.a.", "nan", "none", "null", "nil", "nul"),
    *("<na>", "<null>", "#value!", "#ref!", "#null!", "#div/0!", "#name?", "\\n", "unknown", "unk", "unspecified"),
    *("not recorded", "not available", "not reported", "not specified", "not known", "missing", "undefined"),
)
"""Cells, in lower case, that mean "not known"."""


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


def read_ids(text: pd.Series) -> pd.Series:
    """Return ids, strings, without what programs add to them unseen.

    That are characters without a width, accents stored apart from their letter, as macOS writes names of files, and the
    ".0" behind whole numbers where all of them have one, as pandas writes a column with gaps.
    """
    cells = pc.replace_substring_regex(pa.array(text, pa.string()), "[\u200b-\u200d\u2060\ufeff]", "")
    plain = pd.array(pc.utf8_normalize(cells, form="NFC"), dtype="string")
    ids = pd.Series(plain, index=text.index, name=text.name)
    known = mark_missing(ids).dropna()
    decimals = len(known) > 0 and bool(known.str.fullmatch(r"\d+\.0+").all())
    return ids.str.replace(r"\.0+$", "", regex=True) if decimals else ids


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
    text, encoding, notes = decode_table(data, file)
    separator, body = cut_separator_line(text)
    body, titles = cut_titles(body)
    separator = separator or find_separator(body)
    header, start = read_header(body, separator, file)
    if len(header) > max_columns:
        raise DatasetError(
            f"{file} has {len(header):,} columns, more than {max_columns:,}. Keep those that are needed."
        )
    records = drop_repeated_headers(read_records(body[start:], separator, header, file), header)
    columns, renamed = _name_columns(header)
    kept, cells = _drop_empty(columns, records)
    notes = (*notes, *titles, *records.notes, *renamed)
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


def _drop_empty(columns: Sequence[str], records: Records) -> tuple[tuple[str, ...], Records]:
    """Drop the rows without a cell, and the columns that have neither a name nor a cell."""
    filled = [pc.not_equal(column, "").to_numpy() for column in records.columns]
    some = np.logical_or.reduce(filled) if filled else np.ones(0, dtype=bool)
    keep = [n for n, name in enumerate(columns) if name != f"column {n + 1}" or filled[n].any()]
    cells = [records.columns[n] if some.all() else records.columns[n].filter(pa.array(some)) for n in keep]
    return tuple(columns[n] for n in keep), Records(tuple(cells), records.rows[some])
