"""The columns of tables made by others: their names, what each may hold, and how its cells are read.

To add a column to the image table, add it to COLUMNS in skinapp.datasets.table, its other names to COLUMN_NAMES and,
unless any short text will do, a rule to RULES.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.labels import CONFIRMATIONS, SPLIT_NAMES
from skinapp.datasets.measures import MEASURES
from skinapp.datasets.table import COLUMNS
from skinapp.taxonomy import DIAGNOSES, MALIGNANCY_CLASSES

COLUMN_NAMES = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image_path", "photo", "image"),
    "image_id": ("image_id", "isic_id"),
    "lesion_id": ("lesion_id", "lesion"),
    "diagnosis": ("diagnosis", "dx", "label", "class", "target_name"),
    "malignant": ("malignant", "target", "benign_malignant"),
    "age": ("age", "age_approx"),
    "sex": ("sex", "gender"),
    "site": ("site", "localization", "anatom_site_general"),
    "camera": ("camera", "dataset"),
    "confirmation": ("confirmation", "dx_type", "diagnosis_confirm_type"),
    "source": ("source",),
    "width": ("width",),
    "height": ("height",),
    "split": ("split", "set", "partition"),
}
"""Columns of an image table -> the names, in lower case, that a CSV may give them; the first match is read."""

SYNONYMS = {theirs: ours for ours, names in COLUMN_NAMES.items() for theirs in names} | {"image": "image_id"}
"""Column names in published tables -> columns of an image table, for uploads: "image" is an id there, not a file."""

MISSING_WORDS = ("", "unknown", "na", "n/a", "nan", "none", "null", "<na>")
"""Cells, in lower case, that mean "not known"."""

MAX_AGE = 120
"""Years; the highest age that is accepted."""

MAX_TEXT = 300
"""Characters of the longest cell that is accepted."""

_MAX_QUOTE = 40

_TRUTHS = dict.fromkeys(("true", "1", "1.0", "yes", "malignant"), True)
_TRUTHS |= dict.fromkeys(("false", "0", "0.0", "no", "benign"), False)
_SEXES = {"female": "female", "f": "female", "male": "male", "m": "male"}
_LABELS = {name.casefold(): d.code for d in DIAGNOSES for name in (d.code, d.name, d.short_name)} | {
    label: label for label in MALIGNANCY_CLASSES
}

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ReadColumn:
    """A column after reading: its values, and which cells hold something that is not allowed, bool (n,)."""

    values: pd.Series
    bad: Flags


CellReader = Callable[[pd.Series], ReadColumn]


@dataclass(frozen=True)
class ColumnRule:
    """What a column may hold: `allowed` in words that fit after "is not", `reader` for its cells (missing as NA)."""

    allowed: str
    reader: CellReader


def read_column(column: str, cells: pd.Series) -> ReadColumn:
    """Read the cells, text or numbers, of a column of an image table; KeyError for any other column.

    Surrounding blanks are removed, and MISSING_WORDS become NA.
    """
    reader = find_rule(column).reader
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        return reader(cells)
    # Each distinct word is read once: except for ids and hashes, a table has far more rows than distinct words.
    codes, words = pd.factorize(cells.astype("string"), use_na_sentinel=True)
    text = pd.Series(words, dtype="string").str.strip()
    read = reader(text.mask(text.str.lower().isin([*MISSING_WORDS, "not recorded"])))
    return ReadColumn(read.values.reindex(codes).reset_index(drop=True), np.append(read.bad, False)[codes])


def find_rule(column: str) -> ColumnRule:
    """Return the rule for a column of an image table; KeyError for any other column."""
    if column not in COLUMNS:
        raise KeyError(column)
    return RULES.get(column, ColumnRule(_SHORT, _text_reader({})))


def quote(cell: str) -> str:
    """Quote a stranger's text in a sentence: shortened, and with characters that a page could take for markup as ?."""
    plain = "".join(letter if letter.isalnum() or letter in " .,;:_-+=/@%" else "?" for letter in cell)
    return f"'{plain[:_MAX_QUOTE]}…'" if len(plain) > _MAX_QUOTE else f"'{plain}'"


def _text_reader(known: Mapping[str, str]) -> CellReader:
    """Accept any text up to MAX_TEXT characters; the words in `known` (lower case) are replaced."""

    def read(cells: pd.Series) -> ReadColumn:
        text = cells.astype("string")
        replaced = text.str.casefold().map(known).astype("string").fillna(text) if known else text
        return ReadColumn(replaced, (text.str.len() > MAX_TEXT).fillna(False).to_numpy(dtype=bool))

    return read


def _choice_reader(known: Mapping[str, object], dtype: Literal["boolean", "string"]) -> CellReader:
    """Accept only the words in `known` (lower case)."""

    def read(cells: pd.Series) -> ReadColumn:
        values = cells.astype("string").str.lower().map(known).astype(dtype)
        return ReadColumn(values, (values.isna() & cells.notna()).to_numpy(dtype=bool))

    return read


def _number_reader(low: float, high: float, whole: bool = False) -> CellReader:
    """Accept numbers from `low` to `high`, both included; only whole ones where `whole`."""

    def read(cells: pd.Series) -> ReadColumn:
        numbers = pd.to_numeric(cells.astype(object) if cells.dtype == "string" else cells, errors="coerce")
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        accepted = (values >= low) & (values <= high) & (not whole or values == np.round(values))
        column = pd.Series(np.where(accepted, values, np.nan)).astype("Int32" if whole else "Float32")
        return ReadColumn(column, ~accepted & cells.notna().to_numpy())

    return read


def _hex_reader(digits: int) -> CellReader:
    """Accept a fixed number of hexadecimal digits."""

    def read(cells: pd.Series) -> ReadColumn:
        lower = cells.astype("string").str.lower()
        fits = lower.str.fullmatch(f"[0-9a-f]{{{digits}}}")
        return ReadColumn(lower, (~fits.fillna(True)).to_numpy(dtype=bool))

    return read


_SHORT = f"text of at most {MAX_TEXT} characters"
_PIXELS = ColumnRule("a whole number of pixels from 1 to 100,000", _number_reader(1, 100_000, whole=True))
_GREY = ColumnRule("a number from 0 to 255", _number_reader(0, 255))
_HASH = ColumnRule("64 hexadecimal digits", _hex_reader(64))
_SPLITS = {**SPLIT_NAMES, "showcase": "showcase"}

RULES = {
    "diagnosis": ColumnRule(_SHORT, _text_reader(_LABELS)),
    "confirmation": ColumnRule(_SHORT, _text_reader(CONFIRMATIONS)),
    "malignant": ColumnRule("true or false", _choice_reader(_TRUTHS, "boolean")),
    "age": ColumnRule(f"a number of years from 0 to {MAX_AGE}", _number_reader(0, MAX_AGE)),
    "sex": ColumnRule("female or male", _choice_reader(_SEXES, "string")),
    "split": ColumnRule("train, validation, test or showcase", _choice_reader(_SPLITS, "string")),
    **dict.fromkeys(("width", "height", "stored_width", "stored_height"), _PIXELS),
    **dict.fromkeys(MEASURES, _GREY),
    "sharpness": ColumnRule("a number of at least 0", _number_reader(0, 1e9)),
    "dark_corners": ColumnRule("a share from 0 to 1", _number_reader(0, 1)),
    "sha256": _HASH,
    "perceptual_hash": _HASH,
}
"""Columns with a rule of their own; every other column of an image table accepts text of up to MAX_TEXT characters."""
