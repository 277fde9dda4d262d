"""A table that a visitor uploads -> image table: nothing in it is trusted before it was checked."""

import csv
from dataclasses import dataclass
from io import BytesIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from skinapp.datasets.columns import LONGEST_TEXT, SYNONYMS, quoted, read_column, rule
from skinapp.datasets.labels import malignancy
from skinapp.datasets.table import COLUMNS, image_table
from skinapp.errors import DatasetError

MAX_BYTES = 50 * 2**20
MAX_ROWS = 500_000
MAX_COLUMNS = 300
"""What is taken at most: more than ISIC 2024 has rows, and no more than a small server can hold for a visitor."""

SUFFIXES = (".csv", ".parquet")

_LONGEST_HEADER = 2**16
_PARQUET_BYTES = 2**29
"""Bytes that a Parquet file says it needs unpacked; a small file can claim far more than a server has."""


@dataclass(frozen=True, eq=False)
class Upload:
    """A table that was taken, and what its owner should know: columns that were renamed, left out or worked out."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_upload(data: bytes, name: str) -> Upload:
    """Read the bytes of a CSV or Parquet table of photos; the suffix of `name` says which it is.

    It needs a column image_id and any others of an image table (skinapp.datasets.table.COLUMNS), by their names there
    or by those in SYNONYMS. Cells are data alone: nothing in them is looked up or computed. Raises DatasetError
    where the file is too large or is no table, and otherwise one for all its bad columns, a line for each.
    """
    if len(data) > MAX_BYTES:
        raise DatasetError(
            f"{name} is larger than {MAX_BYTES // 2**20} MB. Upload a part of it, or save it as Parquet."
        )
    raw = _from_parquet(data, name) if name.lower().endswith(".parquet") else _from_csv(data, name)
    if raw.frame.empty:
        raise DatasetError(f"{name} holds no row. Upload a table with a row for each photo.")
    if len(raw.frame) > MAX_ROWS:
        raise DatasetError(f"{name} holds more than {MAX_ROWS:,} rows. Upload a part of it.")
    taken, problems = _checked(raw.frame)
    if problems:
        strange = [f"Column {quoted(column)} is no column of an image table." for column in raw.left_out]
        raise DatasetError("\n".join([f"{name} cannot be used. Mend it and upload it again:", *problems, *strange]))
    return Upload(image_table(_completed(taken)), _notes(raw))


@dataclass(frozen=True, eq=False)
class _Raw:
    """Cells as they came, under the names of an image table; `renamed` as "dx: diagnosis", `left_out` as they stood."""

    frame: pd.DataFrame
    renamed: tuple[str, ...]
    left_out: tuple[str, ...]


def _from_csv(data: bytes, name: str) -> _Raw:
    try:
        first = data[:_LONGEST_HEADER].decode("utf-8-sig", errors="ignore").splitlines()[:1] or [""]
        separator = ";" if first[0].count(";") > first[0].count(",") else ","
        header = next(csv.reader(first, delimiter=separator), [])
        wanted, renamed, left_out = _columns(header, name)
        frame = pd.read_csv(
            BytesIO(data),
            sep=separator,
            dtype="string",
            keep_default_na=False,
            encoding="utf-8-sig",
            nrows=MAX_ROWS + 1,
        )
    except (ValueError, csv.Error) as error:  # pandas' ParserError and UnicodeDecodeError are ValueErrors
        raise DatasetError(f"{name} is not a CSV table in UTF-8 ({error}). Save it as one, or as Parquet.") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what the header does not name for row names
        raise DatasetError(f"{name} has rows with more cells than its header names. Quote cells that hold a separator.")
    taken = frame.iloc[:, [header.index(column) for column in wanted]].set_axis(list(wanted.values()), axis=1)
    return _Raw(taken, renamed, left_out)


def _from_parquet(data: bytes, name: str) -> _Raw:
    try:
        file = pq.ParquetFile(BytesIO(data))
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        if file.metadata.num_rows > MAX_ROWS or sum(group.total_byte_size for group in groups) > _PARQUET_BYTES:
            raise DatasetError(f"{name} holds more than {MAX_ROWS:,} rows or half a gigabyte. Upload a part of it.")
        wanted, renamed, left_out = _columns(file.schema_arrow.names, name)
        # Text stays packed, each different word once, until its length is known.
        text = [field.name for field in file.schema_arrow if _is_text(field.type)]
        packed = pq.ParquetFile(BytesIO(data), read_dictionary=text).read(columns=list(wanted))
        packed = packed.unify_dictionaries()
        frame = pd.DataFrame({wanted[column]: _unpacked(packed[column], column, name) for column in wanted})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{name} is not a Parquet table of plain columns ({error}). Save it as CSV.") from error
    return _Raw(frame, renamed, left_out)


def _unpacked(column: pa.ChunkedArray, name: str, file: str) -> pd.Series:
    """Return a column's cells, text or numbers; DatasetError for other things and for cells too long to be unpacked."""
    if not _is_plain(column.type):
        raise DatasetError(
            f"Column {quoted(name)} of {file} holds {column.type}. Keep text, numbers or true and false."
        )
    if pa.types.is_dictionary(column.type):
        words = pd.Series(column.chunk(0).dictionary.to_pandas() if column.num_chunks else [], dtype="string")
        if (words.str.len() > 2 * LONGEST_TEXT).any():
            raise DatasetError(
                f"Column {quoted(name)} of {file} holds a cell of more than {2 * LONGEST_TEXT} characters."
            )
        column = column.cast(pa.string())
    return pd.Series(column.to_pandas(types_mapper=pd.ArrowDtype))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_plain(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
    packed = pa.types.is_dictionary(kind) and _is_text(kind.value_type)
    return bool(_is_text(kind) or packed or any(test(kind) for test in tests))


def _columns(header: list[str], name: str) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Say which columns are taken under which name, which of them were renamed, and which are left out."""
    if len(header) > MAX_COLUMNS:
        raise DatasetError(f"{name} has {len(header):,} columns. Keep those of an image table: {', '.join(COLUMNS)}.")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise DatasetError(f"{name} has two columns named {', '.join(map(quoted, twice))}. Keep one of them.")
    named = {column: column.strip().lower() for column in header}
    wanted = {column: meant for column, meant in named.items() if meant in COLUMNS}
    for column, meant in named.items():
        if SYNONYMS.get(meant) and SYNONYMS[meant] not in wanted.values():
            wanted[column] = SYNONYMS[meant]
    if not {"image_id", "path"} & set(wanted.values()):
        strange = "".join(f"\nColumn {quoted(column)} is no column of an image table." for column in header)
        raise DatasetError(
            f"{name} lacks the column image_id, which names each photo. An image table has the columns "
            f"{', '.join(COLUMNS)}.{strange if not wanted else ''}"
        )
    renamed = tuple(f"{column} as {meant}" for column, meant in wanted.items() if named[column] != meant)
    return wanted, renamed, tuple(column for column in header if column not in wanted)


def _checked(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Read every column by its rule; with them a sentence for each column that holds what it must not."""
    read = {column: read_column(column, raw[column]) for column in raw.columns}
    problems = [_problem(column, raw[column][found.bad]) for column, found in read.items() if found.bad.any()]
    taken = pd.DataFrame({column: found.values for column, found in read.items()})
    if "image_id" not in taken:
        taken["image_id"] = taken["path"].str.replace(r"\.\w{1,5}$", "", regex=True)
    ids = taken["image_id"].astype("string")
    if ids.isna().any():
        problems.append(f"Column image_id: {ids.isna().sum():,} rows have none. Give every photo one.")
    twice = ids[ids.duplicated() & ids.notna()]
    if len(twice):
        problems.append(f"Column image_id: {quoted(twice.iloc[0])} stands there more than once{_more(len(twice))}.")
    return taken, problems


def _problem(column: str, bad: pd.Series) -> str:
    said, row = quoted(str(bad.iloc[0])), int(bad.index[0]) + 1
    return f"Column {column}: {said} in row {row:,} is not {rule(column).wanted}{_more(len(bad))}."


def _more(found: int) -> str:
    return f"; {found - 1:,} more like it" if found > 1 else ""


def _completed(taken: pd.DataFrame) -> pd.DataFrame:
    """Work out which photos are malignant from their diagnoses, where the table does not say."""
    if "diagnosis" not in taken:
        return taken
    known = malignancy(taken["diagnosis"])
    return taken.assign(malignant=taken["malignant"].fillna(known) if "malignant" in taken else known)


def _notes(raw: _Raw) -> tuple[str, ...]:
    renamed = f"Read {', '.join(raw.renamed)}." if raw.renamed else ""
    left_out = f"Left out, being no columns of an image table: {', '.join(map(quoted, raw.left_out))}."
    return tuple(filter(None, (renamed, left_out if raw.left_out else "")))
