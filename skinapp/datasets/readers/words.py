"""What a table says about its lesions: one label and whether it is malignant, from all columns that tell of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.columns import DIAGNOSIS_LEVELS, DIAGNOSIS_NAMES, MALIGNANCY_NAMES, MAX_TEXT, TRUTHS
from skinapp.datasets.labels import derive_malignancy, is_undecided, translate_label
from skinapp.datasets.readers.common import IndexNote
from skinapp.formatting import clean_text
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.text_tables.label_words import find_meaning
from skinapp.text_tables.read import mark_missing, read_numbers, squeeze_name

UNDECIDED = "undecided in the table, without a label"
CONTRADICTION = "diagnosis and malignancy contradict each other, without a label"
SEVERAL = "in several classes or in none, without a label"
AKIEC = "akiec counts as malignant here, the table says benign"
NEVUS = "neither melanoma nor seborrheic keratosis, a nevus as ISIC 2017 defines it"

_ISIC2017 = {"melanoma", "seborrheickeratosis"}
"""The two classes that ISIC 2017 has columns for; a photo in neither is a nevus."""

_NO_CLASS = ("unk", "unknown", "none", "other", "others")


@dataclass(frozen=True)
class LabelColumns:
    """The columns of a file that tell of lesions: names of them, malignancy, and one column per class (`one_hot`)."""

    diagnosis: list[str]
    malignancy: list[str]
    levels: list[str]
    one_hot: list[str]


@dataclass(frozen=True, eq=False)
class Labels:
    """Each photo's diagnosis, string, and whether it is malignant, boolean; NA where not known or not decided."""

    diagnosis: pd.Series
    malignant: pd.Series
    notes: tuple[IndexNote, ...]


def find_label_columns(cells: pd.DataFrame, taken: Collection[str]) -> LabelColumns:
    """Find the columns that tell of lesions; those `taken` tell of something else."""
    known = {squeeze_name(column): column for column in reversed(list(cells.columns)) if column not in taken}

    def pick(names: tuple[str, ...]) -> list[str]:
        return [known[key] for key in map(squeeze_name, names) if key in known]

    diagnosis, malignancy, levels = pick(DIAGNOSIS_NAMES), pick(MALIGNANCY_NAMES), pick(DIAGNOSIS_LEVELS)
    if not diagnosis and not levels:  # target may hold names of lesions
        diagnosis = [column for column in malignancy if _names_lesions(cells[column])]
        malignancy = [column for column in malignancy if column not in diagnosis]
    rest = [column for column in cells.columns if column not in {*taken, *diagnosis, *malignancy, *levels}]
    return LabelColumns(diagnosis, malignancy, levels, _find_one_hot(cells, rest))


def _names_lesions(cells: pd.Series) -> bool:
    return any(translate_label(word, {}) in CODES for word in cells.astype("string").dropna().unique())


def _find_one_hot(cells: pd.DataFrame, columns: Collection[str]) -> list[str]:
    """Return the columns that are named after classes and hold only 0 and 1, where there are two or more."""
    classes = [
        column
        for column in columns
        if (find_meaning(column) or column.casefold() in _NO_CLASS)
        and np.isin(_read_flags(cells[column]), (0, 1)).all()
    ]
    return classes if sum(column.casefold() not in _NO_CLASS for column in classes) > 1 else []


def _read_flags(cells: pd.Series) -> npt.NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return read_numbers(cells.str.lower().replace({"true": "1", "false": "0"}))


def read_labels(
    cells: pd.DataFrame, columns: LabelColumns, label_map: Mapping[str, str], numbers: npt.NDArray[np.int64]
) -> Labels | None:
    """Read each photo's label from all columns that tell of it; None where none does.

    A diagnosis goes before a group of diagnoses, and that before "malignant" and "benign". A label with a code of its
    own says itself whether it is malignant, unless the table says that it is undecided. Labels that contradict each
    other are left out and noted by `numbers`, those of the rows (n,).
    """
    if not any((columns.diagnosis, columns.malignancy, columns.levels, columns.one_hot)):
        return None
    empty = pd.Series(pd.NA, index=cells.index, dtype="string")
    named, undecided = empty, np.zeros(len(cells), dtype=bool)
    notes: list[IndexNote] = []
    for column in columns.diagnosis:
        words, open_ = _read_words(cells[column], label_map)
        undecided |= open_
        long = (cells[column].astype("string").str.len() > MAX_TEXT).fillna(False).to_numpy(dtype=bool)
        notes.append(_note(f"{column} that is not text of at most {MAX_TEXT} characters, left out", long, numbers))
        other = (named.isin(CODES) & words.isin(CODES) & (named != words)).to_numpy(dtype=bool, na_value=False)
        notes.append(
            _note(f"{column} names another lesion than {columns.diagnosis[0]}, which was read", other, numbers)
        )
        named = named.fillna(words)
    levels = _read_levels(cells, columns.levels, label_map)
    one_hot = empty
    if columns.one_hot:
        one_hot, several, nevi = _read_one_hot(cells, columns.one_hot)
        notes += [
            _note(SEVERAL, several & (named.fillna(levels)).isna().to_numpy(), numbers),
            _note(NEVUS, nevi, numbers),
        ]
    general = named.isin(MALIGNANCY_CLASSES)
    diagnosis = named.mask(general).fillna(levels).fillna(one_hot).fillna(named)
    stated, open_ = _read_malignancy(cells, columns.malignancy, numbers, notes)
    general_stated = (
        named.where(general).map(dict(zip(MALIGNANCY_CLASSES, (True, False), strict=True))).astype("boolean")
    )
    stated = stated.fillna(general_stated)
    undecided = (undecided | open_) & stated.isna().to_numpy()
    derived = derive_malignancy(diagnosis)
    differ = (stated != derived).fillna(False).to_numpy(dtype=bool)
    akiec = differ & (diagnosis == "akiec").fillna(False).to_numpy(dtype=bool)
    known = diagnosis.isin([*CODES, *MALIGNANCY_CLASSES]).to_numpy(dtype=bool)
    wrong = differ & ~akiec & known
    malignant = derived.where(known).fillna(stated).fillna(derived).mask(wrong | undecided)
    notes += [
        _note(UNDECIDED, undecided, numbers),
        _note(CONTRADICTION, wrong, numbers),
        _note(AKIEC, akiec, numbers),
    ]
    return Labels(diagnosis.mask(wrong).astype("string"), malignant.astype("boolean"), tuple(notes))


def _note(what: str, flags: npt.NDArray[np.bool_], numbers: npt.NDArray[np.int64]) -> IndexNote:
    return IndexNote(what, tuple(f"row {number:,}" for number in numbers[flags]))


def _read_words(cells: pd.Series, label_map: Mapping[str, str]) -> tuple[pd.Series, npt.NDArray[np.bool_]]:
    """Return a column of names as labels, and which of its cells say that nothing was decided, (n,)."""
    # A word of the map is read before it can count as missing: a class may be called NA.
    text = cells.astype("string").str.strip()
    words = text.dropna().unique()
    labels = {word: translate_label(word, label_map) for word in words if len(word) <= MAX_TEXT}
    missing = set(mark_missing(pd.Series(words, dtype="string")).isna().pipe(lambda flags: words[flags.to_numpy()]))
    open_ = {word for word in labels if word.casefold() not in label_map and is_undecided(word)}
    keep = {
        word: label
        for word, label in labels.items()
        if word not in open_ and (word not in missing or word.casefold() in label_map)
    }
    return text.map(keep).astype("string"), text.isin(open_).to_numpy(dtype=bool)


def _read_levels(cells: pd.DataFrame, columns: Collection[str], label_map: Mapping[str, str]) -> pd.Series:
    """Return the label of the narrowest column with a known one; else the narrowest name as it is."""
    known = name = pd.Series(pd.NA, index=cells.index, dtype="string")
    for column in columns:
        words, _ = _read_words(cells[column], label_map)
        coded = words.where(words.isin(CODES))
        known, name = known.fillna(coded), name.fillna(words)
    return known.fillna(name)


def _read_one_hot(
    cells: pd.DataFrame, columns: list[str]
) -> tuple[pd.Series, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the class of each row, NA in none or several; which rows that is; and which are ISIC 2017's nevi, (n,)."""
    ones = np.column_stack([_read_flags(cells[column]) for column in columns]) == 1
    one = ones.sum(axis=1) == 1
    labels = pd.Series([translate_label(column, {}) for column in columns], dtype="string")
    labels = labels.mask(pd.Series([column.casefold() in _NO_CLASS for column in columns]))
    found = labels.take(ones.argmax(axis=1)).reset_index(drop=True).where(pd.Series(one)).set_axis(cells.index)
    none = ~ones.any(axis=1)
    if {squeeze_name(column) for column in columns} == _ISIC2017:
        return found.mask(none, "nv"), ~one & ~none, none
    return found, found.isna().to_numpy(dtype=bool), np.zeros(len(cells), dtype=bool)


def _read_malignancy(
    cells: pd.DataFrame, columns: Sequence[str], numbers: npt.NDArray[np.int64], notes: list[IndexNote]
) -> tuple[pd.Series, npt.NDArray[np.bool_]]:
    """Return what the columns say of malignancy, boolean, and where the first that speaks says "undecided", (n,)."""
    stated = pd.Series(pd.NA, index=cells.index, dtype="boolean")
    undecided = np.zeros(len(cells), dtype=bool)
    for column in columns:
        text = mark_missing(cells[column].astype("string").str.strip())
        words = text.dropna().unique()
        meanings = {word: TRUTHS.get(word.lower(), _find_malignancy(word)) for word in words}
        said = text.map({word: meaning for word, meaning in meanings.items() if meaning is not None}).astype("boolean")
        open_ = text.isin([word for word in words if is_undecided(word)]).to_numpy(dtype=bool)
        differ = (stated != said).fillna(False).to_numpy(dtype=bool)
        notes.append(_note(f"{column} says otherwise than {columns[0]}, which was read", differ, numbers))
        silent = stated.isna().to_numpy() & ~undecided
        undecided |= silent & open_
        stated = stated.mask(silent, said)
        strange = (text.notna() & said.isna()).to_numpy(dtype=bool) & ~open_
        names = [
            f"{clean_text(repr(str(word)), 60)} in row {number:,}"
            for word, number in zip(text[strange], numbers[strange], strict=True)
        ]
        notes.append(IndexNote(f"{column} that is not true or false, left out", tuple(names)))
    return stated, undecided


def _find_malignancy(word: str) -> bool | None:
    meaning = find_meaning(word)
    return None if meaning is None else meaning.malignant
