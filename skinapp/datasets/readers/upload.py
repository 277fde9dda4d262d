"""A table that a visitor uploads -> image table: every value is checked before it is used."""

import csv
from dataclasses import dataclass
from io import BytesIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skinapp.datasets.columns import MAX_TEXT, SYNONYMS, find_rule, quote, read_column
from skinapp.datasets.labels import derive_malignancy
from skinapp.datasets.table import COLUMNS, build_image_table
from skinapp.errors import DatasetError

MAX_BYTES = 50 * 2**20
MAX_ROWS = 500_000
MAX_COLUMNS = 300
"""The largest upload: more rows than ISIC 2024 has, and no more than a small server can hold for one visitor."""

SUFFIXES = (".csv", ".parquet")

_MAX_HEADER = 2**16
_MAX_PARQUET_BYTES = 2**29
"""The largest size that a Parquet file may state for its unpacked data; a small file can unpack to far more."""


@dataclass(frozen=True, eq=False)
class UploadedTable:
    """The table of an upload, and notes for its owner: columns that were renamed or left out."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_upload(data: bytes, name: str) -> UploadedTable:
    """Read the bytes of a table of photos, Parquet if `name` ends in .parquet, else CSV.

    It needs a column image_id or path, and may have any other column of an image table (COLUMNS in
    skinapp.datasets.table), under its name there or one in SYNONYMS. Raises DatasetError if the file is too large or is
    not a table; else a single one for all its bad columns, one line each.
    """
    if len(data) > MAX_BYTES:
        raise DatasetError(
            f"{name} is larger than {MAX_BYTES // 2**20} MB. Upload a part of it, or save it as Parquet."
        )
    raw = _read_parquet(data, name) if name.lower().endswith(".parquet") else _read_csv(data, name)
    if raw.frame.empty:
        raise DatasetError(f"{name} has no rows. Upload a table with one row per photo.")
    if len(raw.frame) > MAX_ROWS:
        raise DatasetError(f"{name} holds more than {MAX_ROWS:,} rows. Upload a part of it.")
    rows, problems = _read_columns(raw.frame)
    if problems:
        unknown = [_describe_unknown(column) for column in raw.left_out]
        raise DatasetError("\n".join([f"{name} cannot be used. Correct it and upload it again:", *problems, *unknown]))
    return UploadedTable(build_image_table(_fill_malignancy(rows)), _write_notes(raw))


@dataclass(frozen=True, eq=False)
class _RawTable:
    """Unchecked cells under the column names of an image table; `renamed` holds phrases such as "dx as diagnosis"."""

    frame: pd.DataFrame
    renamed: tuple[str, ...]
    left_out: tuple[str, ...]


def _read_csv(data: bytes, name: str) -> _RawTable:
    try:
        first_line = data[:_MAX_HEADER].decode("utf-8-sig", errors="ignore").splitlines()[:1] or [""]
        separator = ";" if first_line[0].count(";") > first_line[0].count(",") else ","
        header = next(csv.reader(first_line, delimiter=separator), [])
        wanted, renamed, left_out = _pick_columns(header, name)
        frame = pd.read_csv(
            BytesIO(data),
            sep=separator,
            dtype="string",
            keep_default_na=False,
            encoding="utf-8-sig",
            nrows=MAX_ROWS + 1,
        )
    except (ValueError, csv.Error) as error:  # includes pandas' ParserError and UnicodeDecodeError
        raise DatasetError(f"{name} is not a CSV table in UTF-8 ({error}). Save it as one, or as Parquet.") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes cells beyond the header for row names
        raise DatasetError(f"{name} has rows with more cells than its header names. Quote cells that hold a separator.")
    picked = frame.iloc[:, [header.index(column) for column in wanted]].set_axis(list(wanted.values()), axis=1)
    return _RawTable(picked, renamed, left_out)


def _read_parquet(data: bytes, name: str) -> _RawTable:
    try:
        file = pq.ParquetFile(BytesIO(data))
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        if file.metadata.num_rows > MAX_ROWS or sum(group.total_byte_size for group in groups) > _MAX_PARQUET_BYTES:
            raise DatasetError(f"{name} holds more than {MAX_ROWS:,} rows or half a gigabyte. Upload a part of it.")
        wanted, renamed, left_out = _pick_columns(file.schema_arrow.names, name)
        # Text stays dictionary-encoded until its length is known.
        text = [field.name for field in file.schema_arrow if _is_text(field.type)]
        packed = pq.ParquetFile(BytesIO(data), read_dictionary=text).read(columns=list(wanted))
        packed = packed.unify_dictionaries()
        frame = pd.DataFrame({wanted[column]: _unpack_column(packed[column], column, name) for column in wanted})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{name} is not a Parquet table of plain columns ({error}). Save it as CSV.") from error
    return _RawTable(frame, renamed, left_out)


def _unpack_column(column: pa.ChunkedArray, name: str, file: str) -> pd.Series:
    """Return a column's cells, text or numbers; DatasetError for any other type and for cells that are too long."""
    if not _is_plain(column.type):
        raise DatasetError(f"Column {quote(name)} of {file} holds {column.type}. Keep text, numbers or true and false.")
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


def _pick_columns(header: list[str], name: str) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Return the columns to read (theirs -> ours), which of them are renamed, and which are left out."""
    if len(header) > MAX_COLUMNS:
        raise DatasetError(f"{name} has {len(header):,} columns. Keep those of an image table: {', '.join(COLUMNS)}.")
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise DatasetError(f"{name} has two columns named {', '.join(map(quote, repeated))}. Keep one of them.")
    lower = {column: column.strip().lower() for column in header}
    wanted = {column: name for column, name in lower.items() if name in COLUMNS}
    for column, theirs in lower.items():
        if SYNONYMS.get(theirs) and SYNONYMS[theirs] not in wanted.values():
            wanted[column] = SYNONYMS[theirs]
    if not {"image_id", "path"} & set(wanted.values()):
        unknown = "".join(f"\n{_describe_unknown(column)}" for column in header)
        raise DatasetError(
            f"{name} lacks the column image_id, which names each photo. An image table has the columns "
            f"{', '.join(COLUMNS)}.{unknown if not wanted else ''}"
        )
    renamed = tuple(f"{theirs} as {ours}" for theirs, ours in wanted.items() if lower[theirs] != ours)
    return wanted, renamed, tuple(column for column in header if column not in wanted)


def _read_columns(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Read every column by its rule, and describe the wrong values of each column that has any."""
    read = {column: read_column(column, raw[column]) for column in raw.columns}
    problems = [_describe_problem(name, raw[name][column.bad]) for name, column in read.items() if column.bad.any()]
    rows = pd.DataFrame({name: column.values for name, column in read.items()})
    if "image_id" not in rows:
        rows["image_id"] = rows["path"].str.replace(r"\.\w{1,5}$", "", regex=True)
    ids = rows["image_id"].astype("string")
    if ids.isna().any():
        problems.append(f"Column image_id: {ids.isna().sum():,} rows have none. Give every photo one.")
    repeated = ids[ids.duplicated() & ids.notna()]
    if len(repeated):
        more = _count_more(len(repeated))
        problems.append(f"Column image_id: {quote(repeated.iloc[0])} occurs more than once{more}.")
    return rows, problems


def _describe_unknown(column: str) -> str:
    return f"Column {quote(column)} is not a column of an image table."


def _describe_problem(column: str, bad: pd.Series) -> str:
    cell, row = quote(str(bad.iloc[0])), int(bad.index[0]) + 1
    return f"Column {column}: {cell} in row {row:,} is not {find_rule(column).allowed}{_count_more(len(bad))}."


def _count_more(cells: int) -> str:
    return f"; {cells - 1:,} more like it" if cells > 1 else ""


def _fill_malignancy(rows: pd.DataFrame) -> pd.DataFrame:
    """Derive from the diagnoses which photos are malignant, where the table does not say."""
    if "diagnosis" not in rows:
        return rows
    derived = derive_malignancy(rows["diagnosis"])
    return rows.assign(malignant=rows["malignant"].fillna(derived) if "malignant" in rows else derived)


def _write_notes(raw: _RawTable) -> tuple[str, ...]:
    renamed = f"Read {', '.join(raw.renamed)}." if raw.renamed else ""
    left_out = f"Left out, as they are not columns of an image table: {', '.join(map(quote, raw.left_out))}."
    return tuple(filter(None, (renamed, left_out if raw.left_out else "")))
