"""A table of photos or findings as a file to take away."""

from io import BytesIO

import pandas as pd

_FORMULA = r"^[=+\-@\t\r]"
"""A cell that begins so is run by spreadsheets as a formula (OWASP, CSV injection)."""


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8, missing cells empty.

    Text that a spreadsheet would run as a formula gets an apostrophe in front, as OWASP advises.
    """
    safe = table.copy(deep=False)
    for column in table.columns[[dtype == "string" for dtype in table.dtypes]]:
        risky = table[column].str.match(_FORMULA).fillna(False)
        if risky.any():
            safe[column] = table[column].mask(risky, "'" + table[column])
    return safe.to_csv(index=False).encode()


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as Parquet, with its types, as skinapp's own commands read it."""
    file = BytesIO()
    table.to_parquet(file, index=False, compression="zstd")
    return file.getvalue()
