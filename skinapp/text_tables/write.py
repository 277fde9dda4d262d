"""The one writer of tables for others: CSV that no spreadsheet runs and no name breaks, and Parquet."""

import csv
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from numbers import Real

import pandas as pd

from skinapp.formatting import escape_controls

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would run as a formula (OWASP, CSV injection)."""


def make_cell_safe(text: str) -> str:
    """Return text for a cell of a CSV.

    An apostrophe stands before what a spreadsheet would run as a formula, as OWASP advises. Control characters, line
    breaks and bytes that are no text become \\x1b and the like: a name cannot break a row or reach a terminal.
    """
    plain = escape_controls(text)
    return f"'{plain}" if text.lstrip(" ").startswith(_FORMULA) else plain


def format_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV; text is made safe (see make_cell_safe), and None is an empty cell."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        # A number stays one; everything else, as a path, is text.
        plain = [cell is None or isinstance(cell, Real) for cell in row]
        writer.writerow([cell if known else make_cell_safe(str(cell)) for cell, known in zip(row, plain, strict=True)])
    return text.getvalue()


def encode_csv(table: pd.DataFrame) -> bytes:
    """Write a table as CSV in UTF-8; missing cells are empty, and text is made safe (see make_cell_safe)."""
    safe = table.copy(deep=False)
    for column in table.columns:
        words = () if pd.api.types.is_numeric_dtype(table[column].dtype) else table[column].dropna().unique()
        changed = {word: made for word in words if (made := make_cell_safe(str(word))) != word}
        if changed:
            safe[column] = table[column].astype(object).replace(changed)
    safe.columns = [make_cell_safe(str(column)) for column in table.columns]
    return safe.to_csv(index=False, lineterminator="\n").encode()


def encode_parquet(table: pd.DataFrame) -> bytes:
    """Write a table as Parquet with its types, readable by skinapp's commands."""
    file = BytesIO()
    table.to_parquet(file, index=False, compression="zstd")
    return file.getvalue()
