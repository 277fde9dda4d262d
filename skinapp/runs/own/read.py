"""The CSV of a visitor's own predictions -> a run like a stored one; docs/predictions-csv.md says what it may hold.

Two formats are read: skinapp's own (`truth` and `p_<class>` columns), and that of the ISIC challenges (`image` and a
column a class, together with a file of truths in the same form). Cells are data alone: nothing in them is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.datasets.columns import MAX_AGE, quote
from skinapp.datasets.labels import translate_label
from skinapp.datasets.readers.isic2019 import ISIC2019_CODES
from skinapp.datasets.table import shorten_list
from skinapp.errors import RunError
from skinapp.metrics.classification import Floats
from skinapp.runs.lookup import places_among
from skinapp.runs.own.csv import Header
from skinapp.runs.own.sheet import MAX_BYTES as SHEET_MAX_BYTES
from skinapp.runs.own.sheet import Sheet, is_plain, missing, open_header, read_sheet, row_of
from skinapp.runs.predictions import SUM_TOLERANCE, Predictions, probability_columns
from skinapp.runs.views.subgroups import AGE_BANDS

MAX_BYTES = SHEET_MAX_BYTES

MAX_LEVELS = 50
"""Different words that a column may hold to be a subgroup; one with more is a measure or free text."""

ROUNDING = 0.05
"""How far a row may be from adding up to 1 and be taken for rounded: ten classes, two decimals each."""

ISIC_CODES = {theirs.casefold(): ours for theirs, ours in ISIC2019_CODES.items()} | {"akiec": "akiec", "unk": "UNK"}
"""Columns of the ISIC challenges of 2018 and 2019, in lower case -> labels; UNK stays what it is."""

NOTE = "Predictions that were brought along: what they were made from, and on which photos, is not known here."

_AGES = ("age", "age_approx")

Notes = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OwnPredictions:
    """A visitor's predictions: the run, its subgroups, and what she should know of how they were read.

    `facts` has a row a photo, in the order of the run's predictions, and a string column for each subgroup, NA where
    nothing is known; it may have no column.
    """

    predictions: Predictions
    facts: pd.DataFrame
    notes: Notes


def read_predictions(data: bytes, name: str, truth: bytes | None = None) -> OwnPredictions:
    """Read predictions from the bytes of a CSV called `name`; `truth` is the file of truths of the ISIC format.

    Photos keep their order; classes stand in the taxonomy's order, then in the file's. Raises RunError, naming column
    and row where there is one, for what cannot be taken as it stands.
    """
    header = open_header(data, _plain(name))
    own = {column: label for column in header.columns if (label := _own_label(column))}
    if own:
        return _own_format(data, header, own, truth is not None)
    if len(_isic_labels(header)) < 2:
        raise RunError(
            f"{header.file} has no columns of probabilities. Name one p_<class> for each class, beside a column "
            "truth; or take the ISIC format: image, MEL, NV and so on."
        )
    if truth is None:
        raise RunError(f"{header.file} is in the ISIC format, which holds no truth. Bring its file of truths as well.")
    return _isic_format(data, header, truth)


def _own_format(data: bytes, header: Header, labels: Mapping[str, str], other_truth: bool) -> OwnPredictions:
    sheet = read_sheet(data, header, {column: translate_label(label, {}) for column, label in labels.items()})
    column = next((column for column in sheet.text.columns if column.casefold() == "truth"), None)
    if column is None:
        raise RunError(f"{header.file} lacks the column truth, which names each photo's class. Add it.")
    words, notes = _rounded(sheet)
    if other_truth:
        notes += ("The file of truths was not needed: this CSV holds its own.",)
    truth = _known_truth(sheet.text[column], sheet)
    return _own_predictions(sheet, truth, words, sheet.groups, sheet.text.drop(columns=column), notes)


def _isic_format(data: bytes, header: Header, truth: bytes) -> OwnPredictions:
    sheet = read_sheet(data, header, _isic_labels(header))
    answers_header = open_header(truth, f"The file of truths of {header.file}")
    answers = read_sheet(truth, answers_header, _isic_labels(answers_header))
    values, notes = _divided(sheet)
    places = places_among(sheet.ids, answers.ids)
    if (lacking := places < 0).any():
        photo = quote(sheet.ids[int(lacking.argmax())])
        raise RunError(
            f"{answers.file} lacks the photo {photo}, which {header.file} has in {row_of(lacking)}. Add its truth, or "
            "leave the photo out."
        )
    if unscored := len(answers.ids) - len(sheet.ids):
        notes += (f"{unscored:,} photos of the file of truths have no prediction here and are not scored.",)
    text = answers.text.iloc[places].reset_index(drop=True)
    text = pd.concat([sheet.text, text[[column for column in text if column not in sheet.text]]], axis=1)
    groups = sheet.groups if answers.groups is None else answers.groups.iloc[places].reset_index(drop=True)
    return _own_predictions(sheet, _known_truth(_one_hot(answers)[places], sheet), values, groups, text, notes)


def _own_label(column: str) -> str:
    """Return the class that a column p_<class> is of; nothing for any other column."""
    return column[2:].strip() if column[:2].casefold() == "p_" else ""


def _isic_labels(header: Header) -> dict[str, str]:
    return {column: ISIC_CODES[column.casefold()] for column in header.columns if column.casefold() in ISIC_CODES}


def _plain(name: str) -> str:
    """Return a file's name without signs that a page or a terminal could take for its own."""
    return quote(Path(name).name)[1:-1]


def _known_truth(words: "pd.Series[str]", sheet: Sheet) -> pd.Series:
    """Return each photo's class, one of the sheet's; RunError for another, or none."""
    places, said = pd.factorize(words)
    meant = pd.Series([translate_label(str(word), {}) for word in said], dtype="string")
    strange = ~meant.isin(sheet.labels).to_numpy(dtype=bool)[places]
    if strange.any():
        word = quote(str(said[places[int(strange.argmax())]]))
        raise RunError(
            f"{sheet.file}: the truth {word} in {row_of(strange)} is none of its classes ({shorten_list(sheet.labels, 10)})."
            " Add a column of probabilities for it, or leave the photo out."
        )
    return meant.take(places).reset_index(drop=True)


def _one_hot(answers: Sheet) -> pd.Series:
    ones = answers.numbers == 1
    wrong = (ones.sum(axis=1) != 1) | ((answers.numbers != 0) & ~ones).any(axis=1)
    if wrong.any():
        photo = quote(answers.ids[int(wrong.argmax())])
        raise RunError(f"{answers.file} does not give {photo} one class, in {row_of(wrong)}. Write one 1, and 0 else.")
    return pd.Series(answers.labels, dtype="string").take(ones.argmax(axis=1)).reset_index(drop=True)


def _rounded(sheet: Sheet) -> tuple[Floats, Notes]:
    """Return rows that add up to 1: what is off by a rounding is divided by its sum; RunError for what is not."""
    sums = sheet.numbers.sum(axis=1)
    wrong = np.abs(sums - 1) > ROUNDING
    if wrong.any():
        raise RunError(
            f"{sheet.file}: the probabilities in {row_of(wrong)} add up to {sums[int(wrong.argmax())]:.3f}, not 1. "
            "Bring those of all classes, after softmax."
        )
    rounded = np.abs(sums - 1) > SUM_TOLERANCE
    if not rounded.any():
        return sheet.numbers, ()
    note = (
        f"In {rounded.sum():,} rows the probabilities added up to 1 but for rounding; they were divided by their sum."
    )
    return np.where(rounded[:, None], sheet.numbers / sums[:, None], sheet.numbers), (note,)


def _divided(sheet: Sheet) -> tuple[Floats, Notes]:
    """Return rows that add up to 1 from scores that need not; RunError for a row of nothing but 0."""
    sums = sheet.numbers.sum(axis=1)
    if (nothing := sums == 0).any():
        raise RunError(
            f"{sheet.file}: every class has 0 in {row_of(nothing)}. Give the photo a score, or leave it out."
        )
    others = int((np.abs(sums - 1) > SUM_TOLERANCE).sum())
    if not others:
        return sheet.numbers, ()
    note = (
        f"In {others:,} rows the scores did not add up to 1, as the ISIC format allows; they were divided by their "
        "sum. The answers stay; the AUROC of a class can differ from what the challenge computes from the scores."
    )
    return sheet.numbers / sums[:, None], (note,)


def _own_predictions(
    sheet: Sheet,
    truth: pd.Series,
    values: Floats,
    groups: pd.Series | None,
    text: pd.DataFrame,
    notes: Notes,
) -> OwnPredictions:
    if groups is None:
        notes += (
            "Without a column lesion_id or group each photo is drawn by itself: the intervals are too narrow where "
            "photos share a lesion.",
        )
    if truth.nunique() == 1:
        notes += (f"Every photo is {quote(truth[0])}: what compares classes is undefined.",)
    facts, left_out = _facts(text)
    frame = pd.DataFrame({"image_id": sheet.ids, "lesion_id": sheet.ids if groups is None else groups, "truth": truth})
    frame = frame.join(pd.DataFrame(values, columns=probability_columns(sheet.labels)))
    return OwnPredictions(Predictions(Path(sheet.file).stem, sheet.labels, frame), facts, notes + left_out)


def _facts(text: pd.DataFrame) -> tuple[pd.DataFrame, Notes]:
    """Return the columns that can be subgroups, ages in bands, and a note that names those that cannot."""
    facts, left_out = {}, []
    for column in text.columns:
        known = text[column].mask(missing(text[column]))
        if (bands := _age_bands(column, known)) is not None:
            facts["age_band"] = bands
        elif is_plain(column) and known.nunique() <= MAX_LEVELS:
            facts[column] = known
        else:
            left_out.append(quote(column))
    note = f"No subgroups, because of more than {MAX_LEVELS} different words or an odd name: {shorten_list(left_out)}."
    return pd.DataFrame(facts, index=text.index), (note,) if left_out else ()


def _age_bands(column: str, known: pd.Series) -> pd.Series | None:
    """Return a column of ages as bands of years; None for any other column, or one that holds more than ages."""
    if column.casefold() not in _AGES:
        return None
    places, words = pd.factorize(known, use_na_sentinel=True)
    years = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").astype(float)
    if not years.between(0, MAX_AGE).all():
        return None
    bands = pd.cut(years, [*AGE_BANDS, np.inf], right=False, labels=list(AGE_BANDS.values())).astype("string")
    return bands.reindex(places).reset_index(drop=True)
