"""The columns of tables made by others: their names, what each may hold, and how its cells are read.

To add a column to the image table, add it to COLUMNS in skinapp.datasets.table, its other names to COLUMN_NAMES and,
unless any short text will do, a rule to RULES. The words for lesions are in skinapp.text_tables.label_words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.labels import CONFIRMATIONS, find_split, translate_label
from skinapp.datasets.measures import MEASURES
from skinapp.datasets.table import COLUMNS
from skinapp.text_tables.read import MISSING_WORDS, read_ids, read_numbers

COLUMN_NAMES = {
    "path": (
        *("path", "file", "filename", "filepath", "image_path", "img_path", "photo", "photo_path", "picture"),
        *("image_file", "image_filename", "image", "image_name", "img", "img_name", "img_id", "bcn_filename"),
        *("DDI_file", "md5hash", "derm", "jpg"),
    ),
    "image_id": ("image_id", "isic_id", "photo_id"),
    "lesion_id": ("lesion_id", "lesion"),
    "patient_id": ("patient_id", "patient", "subject_id", "person_id"),
    "age": ("age", "age_approx", "age_approximated", "patient_age", "age_at_diagnosis"),
    "sex": ("sex", "gender", "patient_sex"),
    "site": (
        *("site", "localization", "localisation", "location", "anatom_site_general", "anatom_site_general_challenge"),
        *("anatomical_site", "anatomic_site", "anatom_site", "body_site", "region", "anatom_site_special"),
    ),
    "camera": ("camera", "dataset"),
    "confirmation": ("confirmation", "dx_type", "diagnosis_confirm_type"),
    "source": ("source",),
    "width": ("width", "pixels_x"),
    "height": ("height", "pixels_y"),
    "split": ("split", "set", "partition", "subset"),
}
"""Columns of an image table -> the names that a table of others may give them, however they are spelt.

A cell that is missing in the first of several columns is read from the next.
"""

LAST_RESORT = ("id", "name", "image_number")
"""Columns that name the photos where no column of COLUMN_NAMES does."""

IMAGE_NAMES = (*COLUMN_NAMES["image_id"], *COLUMN_NAMES["path"], *LAST_RESORT)
"""All names of columns that tell which photo a row is about."""

NOT_PATHS = ("image", "image_name", "img_id", "img", "img_name", "md5hash")
"""Columns of "path" whose cells are often ids without a folder or suffix."""

DIAGNOSIS_NAMES = (
    *("diagnosis", "dx", "label", "class", "target_name", "diagnostic", "disease", "lesion_type", "class_name"),
    *("category", "diagnosis_label", "condition", "labels", "classes", "diagnosis_name", "disease_label"),
)
"""Columns that name the lesion."""

DIAGNOSIS_LEVELS = (
    *("diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "iddx_5", "iddx_4", "iddx_3", "iddx_2"),
    *("diagnosis_full", "iddx_full", "nine_partition_label"),
)
"""Columns of the ISIC Archive, of ISIC 2024 and of Fitzpatrick17k that name groups of lesions, the narrowest first."""

MALIGNANCY_NAMES = (
    *("malignant", "benign_malignant", "diagnosis_1", "iddx_1", "three_partition_label", "is_malignant", "malignancy"),
    "target",
)
"""Columns that say whether a lesion is malignant; a cell that is missing in the first is read from the next."""

MAX_AGE = 120
"""Years; the highest age that is accepted."""

MAX_TEXT = 300
"""Characters of the longest cell that is accepted."""

_MAX_QUOTE = 40

_TRUE = (
    "true",
    "1",
    "1.0",
    "1,0",
    "yes",
    "y",
    "t",
    "malignant",
    "wahr",
    "ja",
    "vrai",
    "oui",
    "verdadero",
    "vero",
    "sí",
)
_FALSE = ("false", "0", "0.0", "0,0", "no", "n", "f", "benign", "falsch", "nein", "faux", "non", "falso")
TRUTHS = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
"""Cells, in lower case, that say whether something is so; a German Excel writes WAHR for TRUE, a French one VRAI."""

_FEMALE = ("female", "f", "woman", "weiblich", "w", "féminin", "femme", "femenino", "mujer", "femmina")
_MALE = ("male", "m", "man", "männlich", "masculin", "homme", "masculino", "hombre", "maschio")
_SEXES = dict.fromkeys(_FEMALE, "female") | dict.fromkeys(_MALE, "male")
_YEARS = r"(?i)\s*(?:\+|years?(?: old)?|yrs?\.?|y\.?o\.?|y)$"
"""What may stand behind an age: the ISIC Archive writes 85+."""

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
    read = reader(text.mask(text.str.lower().isin(MISSING_WORDS)))
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


def _id_reader() -> CellReader:
    """Accept any text up to MAX_TEXT characters, without what programs add to ids unseen."""

    def read(cells: pd.Series) -> ReadColumn:
        ids = read_ids(cells.astype("string"))
        return ReadColumn(ids, (ids.str.len() > MAX_TEXT).fillna(False).to_numpy(dtype=bool))

    return read


def _label_reader() -> CellReader:
    """Accept any text up to MAX_TEXT characters; words that mean a known label become that label."""

    def read(cells: pd.Series) -> ReadColumn:
        text = cells.astype("string")
        translated = text.map(lambda word: translate_label(word, {}), na_action="ignore").astype("string")
        return ReadColumn(translated, (text.str.len() > MAX_TEXT).fillna(False).to_numpy(dtype=bool))

    return read


def _choice_reader(known: Mapping[str, object], dtype: Literal["boolean", "string"]) -> CellReader:
    """Accept only the words in `known` (lower case)."""

    def read(cells: pd.Series) -> ReadColumn:
        values = cells.astype("string").str.lower().map(known).astype(dtype)
        return ReadColumn(values, (values.isna() & cells.notna()).to_numpy(dtype=bool))

    return read


def _split_reader() -> CellReader:
    """Accept the names of splits, however a folder of them may be called, and showcase."""

    def read(cells: pd.Series) -> ReadColumn:
        words = cells.astype("string").str.lower()
        known = {word: "showcase" if word == "showcase" else find_split(word) for word in words.dropna().unique()}
        values = words.map(known).astype("string")
        return ReadColumn(values, (values.isna() & cells.notna()).to_numpy(dtype=bool))

    return read


def _number_reader(low: float, high: float, whole: bool = False, behind: str = "") -> CellReader:
    """Accept numbers from `low` to `high`, both included; only whole ones where `whole`.

    What matches the expression `behind` after a number, as a unit, is ignored.
    """

    def read(cells: pd.Series) -> ReadColumn:
        if pd.api.types.is_numeric_dtype(cells):
            values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            values = read_numbers(cells.str.replace(behind, "", regex=True) if behind else cells)
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

RULES = {
    **dict.fromkeys(("path", "image_id", "lesion_id", "patient_id"), ColumnRule(_SHORT, _id_reader())),
    "diagnosis": ColumnRule(_SHORT, _label_reader()),
    "confirmation": ColumnRule(_SHORT, _text_reader(CONFIRMATIONS)),
    "malignant": ColumnRule("true or false", _choice_reader(TRUTHS, "boolean")),
    "age": ColumnRule(f"a number of years from 0 to {MAX_AGE}", _number_reader(0, MAX_AGE, behind=_YEARS)),
    "sex": ColumnRule("female or male", _choice_reader(_SEXES, "string")),
    "split": ColumnRule("train, validation, test or showcase", _split_reader()),
    **dict.fromkeys(("width", "height", "stored_width", "stored_height"), _PIXELS),
    **dict.fromkeys(MEASURES, _GREY),
    "sharpness": ColumnRule("a number of at least 0", _number_reader(0, 1e9)),
    "dark_corners": ColumnRule("a share from 0 to 1", _number_reader(0, 1)),
    "sha256": _HASH,
    "perceptual_hash": _HASH,
}
"""Columns with a rule of their own; every other column of an image table accepts text of up to MAX_TEXT characters."""
