"""What each column of a table that a stranger made may hold, and how its cells are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.labels import CONFIRMATIONS, MISSING, NAMES, OLDEST, SPLIT_NAMES
from skinapp.datasets.measures import MEASURES
from skinapp.datasets.table import COLUMNS
from skinapp.taxonomy import DIAGNOSES, MALIGNANCY_CLASSES

SYNONYMS = {theirs: ours for ours, names in NAMES.items() for theirs in names} | {"image": "image_id"}
"""Names that published tables give to columns of an image table; "image" names a photo, since none is read here."""

LONGEST_TEXT = 300
"""Characters of the longest cell that is taken."""

_LONGEST_SAID = 40

_TRUTHS = dict.fromkeys(("true", "1", "1.0", "yes", "malignant"), True)
_TRUTHS |= dict.fromkeys(("false", "0", "0.0", "no", "benign"), False)
_SEXES = {"female": "female", "f": "female", "male": "male", "m": "male"}
_LABELS = {name.casefold(): d.code for d in DIAGNOSES for name in (d.code, d.name, d.short_name)} | {
    label: label for label in MALIGNANCY_CLASSES
}

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Read:
    """A column as it was read: its values, and which of its cells could not be taken, bool (n,)."""

    values: pd.Series
    bad: Flags


Reader = Callable[[pd.Series], Read]


@dataclass(frozen=True)
class Rule:
    """What a column may hold, in words that end "... is not", and what reads it from text or numbers, missing as NA."""

    wanted: str
    reader: Reader


def read_column(column: str, given: pd.Series) -> Read:
    """Read a column of an image table from cells as they came, text or numbers; KeyError for another column.

    Blanks around text are taken off, and words that say that nothing is known (MISSING) become NA.
    """
    wanted = rule(column)
    if pd.api.types.is_numeric_dtype(given) and not pd.api.types.is_bool_dtype(given):
        return wanted.reader(given)
    # Each different word is read once: a table has far more rows than words, but for its ids and hashes.
    places, words = pd.factorize(given.astype("string"), use_na_sentinel=True)
    text = pd.Series(words, dtype="string").str.strip()
    read = wanted.reader(text.mask(text.str.lower().isin([*MISSING, "not recorded"])))
    return Read(read.values.reindex(places).reset_index(drop=True), np.append(read.bad, False)[places])


def rule(column: str) -> Rule:
    """Return the rule of an image table's column; KeyError for a column that no image table has."""
    if column not in COLUMNS:
        raise KeyError(column)
    return RULES.get(column, Rule(_SHORT, _text({})))


def quoted(cell: str) -> str:
    """Quote a stranger's text for a sentence: cut short, and without what a page would take for its own markup."""
    plain = "".join(letter if letter.isalnum() or letter in " .,;:_-+=/@%" else "?" for letter in cell)
    return f"'{plain[:_LONGEST_SAID]}…'" if len(plain) > _LONGEST_SAID else f"'{plain}'"


def _text(known: Mapping[str, str]) -> Reader:
    """Take any text that is not too long; the words in `known`, in lower case, are replaced."""

    def read(cells: pd.Series) -> Read:
        text = cells.astype("string")
        replaced = text.str.casefold().map(known).astype("string").fillna(text) if known else text
        return Read(replaced, (text.str.len() > LONGEST_TEXT).fillna(False).to_numpy(dtype=bool))

    return read


def _one_of(known: Mapping[str, object], dtype: Literal["boolean", "string"]) -> Reader:
    """Take the words in `known`, in lower case, alone."""

    def read(cells: pd.Series) -> Read:
        found = cells.astype("string").str.lower().map(known).astype(dtype)
        return Read(found, (found.isna() & cells.notna()).to_numpy(dtype=bool))

    return read


def _number(low: float, high: float, whole: bool = False) -> Reader:
    """Take numbers within a range, both ends included."""

    def read(cells: pd.Series) -> Read:
        numbers = pd.to_numeric(cells.astype(object) if cells.dtype == "string" else cells, errors="coerce")
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        taken = (values >= low) & (values <= high) & (not whole or values == np.round(values))
        column = pd.Series(np.where(taken, values, np.nan)).astype("Int32" if whole else "Float32")
        return Read(column, ~taken & cells.notna().to_numpy())

    return read


def _hexadecimal(digits: int) -> Reader:
    """Take so many hexadecimal digits."""

    def read(cells: pd.Series) -> Read:
        lower = cells.astype("string").str.lower()
        fits = lower.str.fullmatch(f"[0-9a-f]{{{digits}}}")
        return Read(lower, (~fits.fillna(True)).to_numpy(dtype=bool))

    return read


_SHORT = f"text of at most {LONGEST_TEXT} characters"
_PIXELS = Rule("a whole number of pixels from 1 to 100,000", _number(1, 100_000, whole=True))
_GREY = Rule("a number from 0 to 255", _number(0, 255))
_HASH = Rule("64 hexadecimal digits", _hexadecimal(64))

RULES = {
    "diagnosis": Rule(_SHORT, _text(_LABELS)),
    "confirmation": Rule(_SHORT, _text(CONFIRMATIONS)),
    "malignant": Rule("true or false", _one_of(_TRUTHS, "boolean")),
    "age": Rule(f"a number of years from 0 to {OLDEST}", _number(0, OLDEST)),
    "sex": Rule("female or male", _one_of(_SEXES, "string")),
    "split": Rule("train, validation, test or showcase", _one_of({**SPLIT_NAMES, "showcase": "showcase"}, "string")),
    **dict.fromkeys(("width", "height", "stored_width", "stored_height"), _PIXELS),
    **dict.fromkeys(MEASURES, _GREY),
    "sharpness": Rule("a number from 0 on", _number(0, 1e9)),
    "dark_corners": Rule("a share from 0 to 1", _number(0, 1)),
    "sha256": _HASH,
    "perceptual_hash": _HASH,
}
"""Columns with a rule of their own; of any other column of an image table text of LONGEST_TEXT characters is taken."""
