"""A table that a visitor uploads -> image table: every value is checked before it is used."""

from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skinapp.datasets.columns import IMAGE_NAMES, MAX_TEXT, quote
from skinapp.datasets.readers.common import IndexNote, note_unknown_labels
from skinapp.datasets.readers.rows import ReadRows, match_columns, names_a_path, read_rows, remove_suffix
from skinapp.datasets.readers.words import find_label_columns
from skinapp.datasets.table import COLUMNS, build_image_table
from skinapp.errors import DatasetError
from skinapp.formatting import clean_text, shorten_list
from skinapp.text_tables.read import read_text_table

MAX_BYTES = 50 * 2**20
MAX_ROWS = 500_000
MAX_COLUMNS = 300
"""The largest upload: more rows than ISIC 2024 has, and no more than a small server can hold for one visitor."""

SUFFIXES = (".csv", ".parquet", ".tsv", ".tab", ".txt")

_SUMS = ("total", "totals", "sum", "grand total", "mean", "average", "gesamt", "summe")
"""What stands in the column of ids, in lower case, in a row below the photos that sums them up."""

_MAX_PARQUET_BYTES = 2**29
"""The largest size that a Parquet file may state for its unpacked data; a small file can unpack to far more."""


@dataclass(frozen=True, eq=False)
class UploadedTable:
    """The table of an upload, and notes for its owner: what was renamed, left out or could not be read."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_upload(data: bytes, name: str) -> UploadedTable:
    """Read the bytes of a table of photos: Parquet if `name` ends in .parquet, else any text table.

    It needs a column that names the photos (see IMAGE_NAMES in skinapp.datasets.columns), and may have any other column
    of an image table, under its name there or an alias. What can be read is used; notes name the rest, with rows.
    Raises DatasetError if the file is too large, is not a table, or names no photo.
    """
    if len(data) > MAX_BYTES:
        raise DatasetError(
            f"{name} is larger than {MAX_BYTES // 2**20} MB. Upload a part of it, or save it as Parquet."
        )
    raw = _read_parquet(data, name) if name.lower().endswith(".parquet") else _read_text(data, name)
    if raw.cells.empty:
        raise DatasetError(f"{name} has no rows. Upload a table with one row per photo.")
    if len(raw.cells) > MAX_ROWS:
        raise DatasetError(f"{name} holds more than {MAX_ROWS:,} rows. Upload a part of it.")
    read = read_rows(raw.cells, raw.numbers, {}, measured=True)
    rows, notes = _select_rows(_fill_ids(read), raw.numbers)
    if rows.empty:
        raise DatasetError(f"{name} names no photo in any row. Give every photo an id in one column.")
    table = build_image_table(rows)
    notes = [*read.notes, *notes, note_unknown_labels(table)]
    return UploadedTable(table, (*raw.notes, *_describe_columns(raw, read), *_describe_notes(notes)))


@dataclass(frozen=True, eq=False)
class _RawTable:
    """Unchecked cells under the names of the file's columns, the number of each row, int64 (n,), and `left_out`."""

    cells: pd.DataFrame
    numbers: np.ndarray
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def _read_text(data: bytes, name: str) -> _RawTable:
    table = read_text_table(data, name, MAX_COLUMNS)
    _check_columns(table.columns, name)
    return _RawTable(table.frame(), table.rows, (), table.notes)


def _read_parquet(data: bytes, name: str) -> _RawTable:
    try:
        file = pq.ParquetFile(BytesIO(data))
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        if file.metadata.num_rows > MAX_ROWS or sum(group.total_byte_size for group in groups) > _MAX_PARQUET_BYTES:
            raise DatasetError(f"{name} holds more than {MAX_ROWS:,} rows or half a gigabyte. Upload a part of it.")
        names = file.schema_arrow.names
        _check_columns(names, name)
        plain = [field.name for field in file.schema_arrow if _is_plain(field.type)]
        wanted = _list_wanted(names)
        # Text stays dictionary-encoded until its length is known.
        text = [field.name for field in file.schema_arrow if _is_text(field.type)]
        packed = pq.ParquetFile(BytesIO(data), read_dictionary=text).read(columns=[c for c in names if c in wanted])
        packed = packed.unify_dictionaries()
        cells = pd.DataFrame({c: _unpack_column(packed[c], c, name) for c in packed.column_names})
    except (pa.ArrowException, OSError, ValueError) as error:
        fault = clean_text(str(error), 200)
        raise DatasetError(f"{name} is not a Parquet table of plain columns ({fault}). Save it as CSV.") from error
    left_out = tuple(column for column in names if column not in wanted or column not in plain)
    return _RawTable(cells, np.arange(1, len(cells) + 1), left_out, ())


def _unpack_column(column: pa.ChunkedArray, name: str, file: str) -> pd.Series:
    """Return a column's cells, text or numbers; DatasetError for any other type and for cells that are too long."""
    if not _is_plain(column.type):
        raise DatasetError(f"Column {quote(name)} of {file} holds {column.type}. Keep text, numbers or true and false.")
    try:
        column.validate(full=True)  # Parquet does not notice text that is not UTF-8
    except pa.ArrowInvalid as error:
        raise DatasetError(
            f"Column {quote(name)} of {file} holds text that is not UTF-8. Write the file again with its text as UTF-8."
        ) from error
    if pa.types.is_dictionary(column.type):
        words = pd.Series(column.chunk(0).dictionary.to_pandas() if column.num_chunks else [], dtype="string")
        if (words.str.len() > 2 * MAX_TEXT).any():
            raise DatasetError(f"Column {quote(name)} of {file} holds a cell of more than {2 * MAX_TEXT} characters.")
        column = column.cast(pa.string())
    return pd.Series(column.to_pandas(types_mapper=pd.ArrowDtype))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_plain(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
    packed = pa.types.is_dictionary(kind) and _is_text(kind.value_type)
    return bool(_is_text(kind) or packed or any(test(kind) for test in tests))


def _check_columns(columns: Collection[str], name: str) -> None:
    """Raise DatasetError for too many columns, and where no column names the photos."""
    if len(columns) > MAX_COLUMNS:
        raise DatasetError(f"{name} has {len(columns):,} columns. Keep those of an image table: {', '.join(COLUMNS)}.")
    if not {"path", "image_id"} & match_columns(list(columns), measured=False).keys():
        raise DatasetError(
            f"{name} lacks the column image_id, which names each photo. It has {shorten_list(columns, 20)}. Call the "
            f"column one of {', '.join(IMAGE_NAMES)}."
        )


def _list_wanted(names: Collection[str]) -> set[str]:
    """Return the columns of a Parquet file that may be read; those of classes are found by their cells."""
    matches = [column for theirs in match_columns(list(names), measured=True).values() for column in theirs]
    about = find_label_columns(pd.DataFrame(columns=list(names), dtype="string"), matches)
    return {*matches, *about.diagnosis, *about.malignancy, *about.levels, *about.one_hot}


def _fill_ids(read: ReadRows) -> pd.DataFrame:
    """Give each row an id: of its own column, or of its path without the suffix; ids are not taken for paths."""
    rows = read.rows
    if "path" not in rows:
        return rows
    ids = rows["path"].map(remove_suffix, na_action="ignore").astype("string")
    rows = rows.assign(image_id=rows["image_id"].fillna(ids) if "image_id" in rows else ids)
    return rows if names_a_path(read.used[0]) else rows.drop(columns="path")


def _select_rows(rows: pd.DataFrame, numbers: np.ndarray) -> tuple[pd.DataFrame, list[IndexNote]]:
    """Keep the rows with an id, each once, and note the others."""
    ids = rows["image_id"].astype("string")
    sums = ids.str.casefold().isin(_SUMS).to_numpy(dtype=bool)
    nameless = ids.isna().to_numpy(dtype=bool)
    repeated = (ids.duplicated() & ids.notna()).to_numpy(dtype=bool)
    again = tuple(f"{image} in row {number:,}" for image, number in zip(ids[repeated], numbers[repeated], strict=True))
    notes = [
        IndexNote("row of a total, left out", tuple(f"row {number:,}" for number in numbers[sums])),
        IndexNote("without an id, left out", tuple(f"row {number:,}" for number in numbers[nameless])),
        IndexNote("listed twice, first row kept", again),
    ]
    return rows[~(nameless | repeated | sums)].reset_index(drop=True), notes


def _describe_columns(raw: _RawTable, read: ReadRows) -> tuple[str, ...]:
    left_out = [column for column in (*raw.cells.columns, *raw.left_out) if column not in read.used]
    listed = (
        f"Left out, as they are not columns of an image table: {shorten_list(map(quote, dict.fromkeys(left_out)), 30)}."
    )
    renamed = f"Read {', '.join(clean_text(phrase) for phrase in read.renamed)}." if read.renamed else ""
    return tuple(filter(None, (renamed, listed if left_out else "")))


def _describe_notes(notes: Collection[IndexNote]) -> list[str]:
    return [
        f"{len(note.names):,} {note.what}: {shorten_list(map(_plain, note.names))}." for note in notes if note.names
    ]


def _plain(name: str) -> str:
    """Return a name without characters that a page could take for markup."""
    return quote(name)[1:-1]
