"""A table of photos or findings as the bytes of a file to download."""

from io import BytesIO

import pandas as pd

_FORMULA = r"^[=+\-@\t\r]"
"""How a cell begins that a spreadsheet would run as a formula (OWASP, CSV injection)."""


def encode_csv(table: pd.DataFrame) -> bytes:
    """Write a table as CSV in UTF-8; missing cells are empty.

    Text that a spreadsheet would run as a formula gets an apostrophe in front, as OWASP advises.
    """
    safe = table.copy(deep=False)
    for column in table.columns[[dtype == "string" for dtype in table.dtypes]]:
        risky = table[column].str.match(_FORMULA).fillna(False)
        if risky.any():
            safe[column] = table[column].mask(risky, "'" + table[column])
    return safe.to_csv(index=False).encode()


def encode_parquet(table: pd.DataFrame) -> bytes:
    """Write a table as Parquet with its types, readable by skinapp's commands."""
    file = BytesIO()
    table.to_parquet(file, index=False, compression="zstd")
    return file.getvalue()
