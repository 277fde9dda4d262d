"""Read an uploaded CSV of predictions; docs/predictions-csv.md describes its formats.

Two formats are read: skinapp's own (columns `truth` and `p_<class>`), and that of the ISIC challenges (`image` and one
column per class, with a file of truths in the same form). Cells are data only and are never evaluated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.datasets.columns import MAX_AGE, quote
from skinapp.datasets.labels import translate_label
from skinapp.datasets.readers.isic2019 import ISIC2019_CODES
from skinapp.errors import RunError
from skinapp.formatting import shorten_list
from skinapp.metrics.classification import Floats
from skinapp.runs.lookup import find_indices
from skinapp.runs.own.csv import Header
from skinapp.runs.own.sheet import MAX_BYTES as SHEET_MAX_BYTES
from skinapp.runs.own.sheet import Sheet, describe_row, is_missing, is_plain, open_header, read_sheet
from skinapp.runs.predictions import SUM_TOLERANCE, Predictions, probability_columns
from skinapp.runs.views.subgroups import AGE_BANDS

MAX_BYTES = SHEET_MAX_BYTES

MAX_LEVELS = 50
"""The most different words in a column of subgroups; a column with more is a measure or free text."""

ROUNDING = 0.05
"""How far the sum of a row may be from 1 through rounding: ten classes, two decimals each."""

ISIC_CODES = {theirs.casefold(): ours for theirs, ours in ISIC2019_CODES.items()} | {"akiec": "akiec", "unk": "UNK"}
"""Columns of the ISIC challenges of 2018 and 2019, in lower case, and their labels; UNK stays a class of its own."""

NOTE = "These predictions were uploaded: skinapp does not know the model or the photos behind them."

_AGES = ("age", "age_approx")

Notes = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OwnPredictions:
    """Uploaded predictions, their subgroups, and notes on how the file was read.

    `facts` has one row per photo, in the order of the predictions, and one string column per subgroup, NA where
    unknown; it may have no column.
    """

    predictions: Predictions
    facts: pd.DataFrame
    notes: Notes


def read_predictions(data: bytes, name: str, truth: bytes | None = None) -> OwnPredictions:
    """Read predictions from the bytes of a CSV called `name`; `truth` is the file of truths of the ISIC format.

    Photos keep their order; classes are in the order of the taxonomy, then of the file. Raises RunError, with column
    and row where possible, for a file that cannot be read.
    """
    header = open_header(data, _clean_name(name))
    own = {column: label for column in header.columns if (label := _parse_label(column))}
    if own:
        return _read_own_format(data, header, own, truth is not None)
    if len(_map_isic_labels(header)) < 2:
        raise RunError(
            f"{header.file} has no columns of probabilities. Name one p_<class> for each class, beside a column "
            "truth; or use the ISIC format: image, MEL, NV and so on."
        )
    if truth is None:
        raise RunError(f"{header.file} is in the ISIC format, which holds no truth. Add its file of truths.")
    return _read_isic_format(data, header, truth)


def _read_own_format(data: bytes, header: Header, labels: Mapping[str, str], other_truth: bool) -> OwnPredictions:
    sheet = read_sheet(data, header, {column: translate_label(label, {}) for column, label in labels.items()})
    column = next((column for column in sheet.text.columns if column.casefold() == "truth"), None)
    if column is None:
        raise RunError(f"{header.file} lacks the column truth, which names each photo's class. Add it.")
    words, notes = _normalise_rounded(sheet)
    if other_truth:
        notes += ("The file of truths was not used: this CSV has a column of truths.",)
    truth = _resolve_truth(sheet.text[column], sheet)
    return _build(sheet, truth, words, sheet.groups, sheet.text.drop(columns=column), notes)


def _read_isic_format(data: bytes, header: Header, truth: bytes) -> OwnPredictions:
    sheet = read_sheet(data, header, _map_isic_labels(header))
    answers_header = open_header(truth, f"The file of truths of {header.file}")
    answers = read_sheet(truth, answers_header, _map_isic_labels(answers_header))
    values, notes = _normalise_scores(sheet)
    places = find_indices(sheet.ids, answers.ids)
    if (lacking := places < 0).any():
        photo = quote(sheet.ids[int(lacking.argmax())])
        raise RunError(
            f"{answers.file} lacks the photo {photo}, which {header.file} has in {describe_row(lacking)}. "
            "Add its truth, or leave the photo out."
        )
    if unscored := len(answers.ids) - len(sheet.ids):
        notes += (f"{unscored:,} photos of the file of truths have no prediction and are not scored.",)
    text = answers.text.iloc[places].reset_index(drop=True)
    text = pd.concat([sheet.text, text[[column for column in text if column not in sheet.text]]], axis=1)
    groups = sheet.groups if answers.groups is None else answers.groups.iloc[places].reset_index(drop=True)
    return _build(sheet, _resolve_truth(_decode_one_hot(answers)[places], sheet), values, groups, text, notes)


def _parse_label(column: str) -> str:
    """Return the class of a column p_<class>; an empty string for any other column."""
    return column[2:].strip() if column[:2].casefold() == "p_" else ""


def _map_isic_labels(header: Header) -> dict[str, str]:
    return {column: ISIC_CODES[column.casefold()] for column in header.columns if column.casefold() in ISIC_CODES}


def _clean_name(name: str) -> str:
    """Return a file's name without characters that a page or a terminal could interpret."""
    return quote(Path(name).name)[1:-1]


def _resolve_truth(words: "pd.Series[str]", sheet: Sheet) -> pd.Series:
    """Return each photo's class; RunError for a class that the sheet lacks, or none."""
    places, words_found = pd.factorize(words)
    labels = pd.Series([translate_label(str(word), {}) for word in words_found], dtype="string")
    unknown = ~labels.isin(sheet.labels).to_numpy(dtype=bool)[places]
    if unknown.any():
        word = quote(str(words_found[places[int(unknown.argmax())]]))
        raise RunError(
            f"{sheet.file}: the truth {word} in {describe_row(unknown)} is none of its classes "
            f"({shorten_list(sheet.labels, 10)}). Add a column of probabilities for it, or leave the photo out."
        )
    return labels.take(places).reset_index(drop=True)


def _decode_one_hot(answers: Sheet) -> pd.Series:
    ones = answers.numbers == 1
    wrong = (ones.sum(axis=1) != 1) | ((answers.numbers != 0) & ~ones).any(axis=1)
    if wrong.any():
        photo = quote(answers.ids[int(wrong.argmax())])
        raise RunError(
            f"{answers.file} does not give {photo} one class, in {describe_row(wrong)}. "
            "Write 1 for its class and 0 for the others."
        )
    return pd.Series(answers.labels, dtype="string").take(ones.argmax(axis=1)).reset_index(drop=True)


def _normalise_rounded(sheet: Sheet) -> tuple[Floats, Notes]:
    """Return rows that add up to 1: rows off by rounding are divided by their sum; RunError for rows further off."""
    sums = sheet.numbers.sum(axis=1)
    wrong = np.abs(sums - 1) > ROUNDING
    if wrong.any():
        raise RunError(
            f"{sheet.file}: the probabilities in {describe_row(wrong)} add up to {sums[int(wrong.argmax())]:.3f}, "
            "not 1. Include all classes, after softmax."
        )
    rounded = np.abs(sums - 1) > SUM_TOLERANCE
    if not rounded.any():
        return sheet.numbers, ()
    note = f"In {rounded.sum():,} rows the probabilities missed 1 by rounding; they were divided by their sum."
    return np.where(rounded[:, None], sheet.numbers / sums[:, None], sheet.numbers), (note,)


def _normalise_scores(sheet: Sheet) -> tuple[Floats, Notes]:
    """Return scores divided by the sum of their row; RunError for a row of zeros."""
    sums = sheet.numbers.sum(axis=1)
    if (zeros := sums == 0).any():
        raise RunError(
            f"{sheet.file}: every class has 0 in {describe_row(zeros)}. Give the photo a score, or leave it out."
        )
    unnormalised = int((np.abs(sums - 1) > SUM_TOLERANCE).sum())
    if not unnormalised:
        return sheet.numbers, ()
    note = (
        f"In {unnormalised:,} rows the scores did not add up to 1, as the ISIC format allows; they were divided by "
        "their sum. The top answers stay; the AUROC of a class can differ from that of the challenge."
    )
    return sheet.numbers / sums[:, None], (note,)


def _build(
    sheet: Sheet,
    truth: pd.Series,
    values: Floats,
    groups: pd.Series | None,
    text: pd.DataFrame,
    notes: Notes,
) -> OwnPredictions:
    if groups is None:
        notes += (
            "Without a column lesion_id or group each photo counts as a lesion: the intervals are too narrow where "
            "photos share a lesion.",
        )
    if truth.nunique() == 1:
        notes += (f"Every photo is {quote(truth[0])}: figures that compare classes are undefined.",)
    facts, left_out = _list_subgroups(text)
    frame = pd.DataFrame({"image_id": sheet.ids, "lesion_id": sheet.ids if groups is None else groups, "truth": truth})
    frame = frame.join(pd.DataFrame(values, columns=probability_columns(sheet.labels)))
    return OwnPredictions(Predictions(Path(sheet.file).stem, sheet.labels, frame), facts, notes + left_out)


def _list_subgroups(text: pd.DataFrame) -> tuple[pd.DataFrame, Notes]:
    """Return the columns of subgroups, with ages in bands, and a note that names the other columns."""
    facts, left_out = {}, []
    for column in text.columns:
        known = text[column].mask(is_missing(text[column]))
        if (bands := _age_bands(column, known)) is not None:
            facts["age_band"] = bands
        elif is_plain(column) and known.nunique() <= MAX_LEVELS:
            facts[column] = known
        else:
            left_out.append(quote(column))
    note = (
        f"Not used as subgroups, because of more than {MAX_LEVELS} different words or an unusual name: "
        f"{shorten_list(left_out)}."
    )
    return pd.DataFrame(facts, index=text.index), (note,) if left_out else ()


def _age_bands(column: str, known: pd.Series) -> pd.Series | None:
    """Return a column of ages as bands of years; None where it is another column or holds other values than ages."""
    if column.casefold() not in _AGES:
        return None
    places, words = pd.factorize(known, use_na_sentinel=True)
    years = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").astype(float)
    if not years.between(0, MAX_AGE).all():
        return None
    bands = pd.cut(years, [*AGE_BANDS, np.inf], right=False, labels=list(AGE_BANDS.values())).astype("string")
    return bands.reindex(places).reset_index(drop=True)
