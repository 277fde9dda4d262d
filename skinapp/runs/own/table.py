"""An uploaded file of predictions or of truths as text, and everything that is wrong with it in one message."""

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.columns import quote
from skinapp.errors import DatasetError, RunError
from skinapp.formatting import shorten_list
from skinapp.metrics.classification import Flags, Floats
from skinapp.text_tables.read import MISSING_WORDS, TextTable, read_numbers, read_text_table

MAX_BYTES = 200 * 2**20
MAX_ROWS = 2_000_000
MAX_COLUMNS = 300
"""The largest file that is read: five times the rows of ISIC 2024, and within the memory of a small server."""

LONGEST_NAME = 60
PLAIN = " .,;_-+/()&%'"
"""The characters of a name beside letters and digits: none that a page could read as markup."""

_LISTED_ROWS = 5


class Problems:
    """What is wrong with a file, collected so that one message lists all of it; `file` is what messages call it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[str] = []

    def add(self, problem: str) -> None:
        """Note a problem: a sentence that goes on after the name of the file, such as "has no rows."."""
        self._found.append(problem)

    def check(self) -> None:
        """Raise RunError where a problem was noted."""
        if len(self._found) == 1:
            raise RunError(f"{self.file} {self._found[0]}")
        if self._found:
            listed = "\n".join(f"- It {problem}" for problem in self._found)
            raise RunError(f"{self.file} cannot be used. Correct it and open it again:\n{listed}")


def open_table(data: bytes, file: str) -> TextTable:
    """Read the bytes of a file as text; RunError where it is too large, no table, or has rows that are too long."""
    if len(data) > MAX_BYTES:
        raise RunError(f"{file} is larger than {MAX_BYTES // 2**20} MB. Upload a part of it.")
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_ROWS + 1:
        raise RunError(f"{file} holds more than {MAX_ROWS:,} rows. Upload a part of it.")
    try:
        table = read_text_table(data, file, MAX_COLUMNS)
    except DatasetError as error:
        raise RunError(str(error)) from error
    problems = Problems(file)
    if table.misfits:
        # Left out, they could be those of one kind: a decimal comma between commas makes only fractions too long.
        problems.add(
            f"has more cells than its header has names in {list_numbers(table.misfits)}. Quote cells that hold a "
            "separator, and write decimals with a point."
        )
    for name in table.columns:
        again = re.fullmatch(r"(.+) \(\d+\)", name)  # so the reader names a column whose name occurs again
        if again and again[1].casefold() in map(str.casefold, table.columns):
            problems.add(f"has two columns named {quote(again[1])}. Keep one of them.")
    if not len(table) and not table.misfits:
        problems.add("has no row below its header. Write one row per photo.")
    problems.check()
    return table


def is_plain(name: str) -> bool:
    """Return whether a name is short and free of characters that a page could read as markup."""
    return len(name) <= LONGEST_NAME and all(letter.isalnum() or letter in PLAIN for letter in name)


def is_missing(text: pd.Series) -> Flags:
    """Return which cells are empty or hold a word for a missing value, (n,)."""
    return text.str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)


def describe_rows(table: TextTable, wrong: Flags) -> str:
    """Return in words which rows of a table are wrong, (n,) bool: the first few, and how many more there are."""
    return list_numbers(table.rows[wrong])


def list_numbers(rows: "npt.NDArray[np.int64] | tuple[int, ...]") -> str:
    """Return in words the numbers of rows below the header: the first few, and how many more there are."""
    if len(rows) == 1:
        return f"row {rows[0]:,} below the header"
    return f"rows {shorten_list((f'{row:,}' for row in rows), _LISTED_ROWS)} below the header"


def read_column_of_numbers(table: TextTable, column: str) -> Floats:
    """Read a column as numbers, float64 (n,), 85% as 0.85; NaN where a cell is missing or holds something else."""
    text = table.text(column)
    percent = text.str.endswith("%").to_numpy(dtype=bool)
    if not percent.any():
        return read_numbers(text)
    numbers = read_numbers(text.mask(percent, text.str.slice(stop=-1).str.strip()))
    return np.where(percent, numbers / 100, numbers)
