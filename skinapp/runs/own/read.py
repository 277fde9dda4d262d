"""Read uploaded predictions; docs/predictions-csv.md describes the formats.

A file of predictions holds scores (scores.py) and names each photo (ids.py). The truths (truths.py) stand in it or in a
file of their own, which is joined by the ids, never by row. Cells are data only and are never evaluated.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from skinapp.datasets.columns import quote
from skinapp.errors import RunError
from skinapp.formatting import shorten_list
from skinapp.metrics.classification import Flags, Floats
from skinapp.runs.lookup import match_ids
from skinapp.runs.own.classes import (
    ClassNames,
    Meanings,
    find_unknown_classes,
    make_truth_reader,
    name_classes,
    sort_labels,
    state_classes,
)
from skinapp.runs.own.facts import list_subgroups
from skinapp.runs.own.ids import IDS, Photos, fill_lesions, number_rows, read_photos
from skinapp.runs.own.scores import ScoreColumns, find_scores, normalise, read_scores
from skinapp.runs.own.table import MAX_BYTES, Problems, describe_rows, open_table
from skinapp.runs.own.truths import TruthReader, Truths, read_truth_column, read_truth_file
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.taxonomy import BENIGN, MALIGNANCY_CLASSES, MALIGNANT
from skinapp.text_tables.read import TextTable

__all__ = ["MAX_BYTES", "NOTE", "OwnPredictions", "read_predictions"]

NOTE = "These predictions were uploaded: skinapp does not know the model or the photos behind them."

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


def read_predictions(
    data: bytes, name: str, truth: bytes | None = None, meanings: Meanings | None = None
) -> OwnPredictions:
    """Read predictions from the bytes of a table called `name`; `truth` is a file with the truths of its photos.

    `meanings` say of classes that are unknown here what they are. Photos keep their order; classes are in the order of
    the taxonomy, then of the file. Photos without an answer or a truth are left out, and a note says so. Raises
    RunError, with columns and rows where possible, that lists all that is wrong with a file.
    """
    table = open_table(data, _clean_name(name))
    other = None if truth is None else open_table(truth, f"The file of truths of {table.file}")
    problems = Problems(table.file)
    answers = _read_answers(table, other, meanings or {}, problems)
    read = make_truth_reader(answers.names, meanings or {})
    if other is None or (answers.scores.prefixed and table.find("truth")):
        truths = read_truth_column(table, read, sort_labels(answers.names.labels), problems)
        problems.check()
        known = _Known(truths, None, None, pd.DataFrame(index=range(len(table))), ())
        if other is not None:
            known = replace(known, notes=("The file of truths was not used: this table has a column of truths.",))
    else:
        problems.check()
        known = _join(answers, other, read)
    _check_meanings(meanings or {}, answers.names, known.truths)
    return _build(answers, known, meanings or {})


@dataclass(frozen=True, eq=False)
class _Answers:
    """A file of predictions: n rows of k classes. `values` (n, k) add up to 1 where a row is `answered`, (n,)."""

    table: TextTable
    scores: ScoreColumns
    names: ClassNames
    photos: Photos
    values: Floats
    answered: Flags
    notes: Notes


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of the photos of n rows beside the answers: truths, lesions and patients, and other columns."""

    truths: Truths
    lesions: "pd.Series[str] | None"
    patients: "pd.Series[str] | None"
    text: pd.DataFrame
    notes: Notes
    joined: bool = False


def _read_answers(table: TextTable, other: TextTable | None, meanings: Meanings, problems: Problems) -> _Answers:
    scores = find_scores(table, other)
    if scores is None:
        problems.add(
            "has no columns of probabilities. Name one p_<class> for each class, beside a column truth; or use the "
            "ISIC format: image, MEL, NV and so on."
        )
        problems.check()
        raise AssertionError("a problem was added")
    if len(scores.words) < 2 and not scores.single:
        only = ", ".join(map(quote, scores.words))
        problems.add(f"has columns of numbers for fewer than two classes ({only}). Add the others.")
    words = MALIGNANCY_CLASSES if scores.single else tuple(scores.words.values())
    names = name_classes(words, meanings, problems)
    numbers, answered = read_scores(table, scores, problems)
    photos = read_photos(table, problems, other)
    values, scaled = normalise(table, numbers, answered, scores.prefixed, problems)
    single = (f"{quote(next(iter(scores.words)))} was read as the score for {MALIGNANT}, the rest to 1 as {BENIGN}.",)
    notes = (*table.notes, *scores.notes, *(single if scores.single else ()), *names.notes, *scaled)
    return _Answers(table, scores, names, photos, values, answered, notes)


def _join(answers: _Answers, other: TextTable, read: TruthReader) -> _Known:
    """Read a file of truths and bring its rows into the order of the answers, by the ids of the photos."""
    problems = Problems(other.file)
    photos = read_photos(other, problems, answers.table)
    ours, theirs = _get_ids(answers.table, answers.photos), _get_ids(other, photos)
    words = answers.names.words
    truths = read_truth_file(other, read, sort_labels(answers.names.labels), words, problems)
    problems.check()
    matched = match_ids(ours, theirs)
    places = matched.places
    if not (places >= 0).any():
        raise RunError(
            f"{other.file} names none of the photos of {answers.table.file}. The first are {quote(str(theirs[0]))} in "
            f"its {quote(str(photos.column))}, and {quote(str(ours[0]))} in {quote(str(answers.photos.column))} of the "
            "predictions. Give both files the same ids."
        )
    used = {*photos.used, *truths.columns}
    text = other.frame([column for column in other.columns if column not in used])

    def order(column: "pd.Series[str]") -> "pd.Series[str]":
        return column.reindex(places).where(places >= 0).reset_index(drop=True)

    unscored = len(other) - int((places >= 0).sum())
    note = f"{unscored:,} photos of the file of truths have no prediction and are not scored."
    return _Known(
        replace(truths, labels=order(truths.labels)),
        None if photos.lesions is None else order(photos.lesions),
        None if photos.patients is None else order(photos.patients),
        text.apply(order) if len(text.columns) else pd.DataFrame(index=range(len(places))),
        (*(f"The file of truths: {note}" for note in other.notes), *matched.notes, *((note,) if unscored else ())),
        joined=True,
    )


def _get_ids(table: TextTable, photos: Photos) -> "pd.Series[str]":
    if photos.ids is None:
        raise RunError(
            f"{table.file} has no column that names its photos, so truths cannot be joined to predictions. Add one "
            f"that both files have, such as {', '.join(IDS[:4])} or filename."
        )
    return photos.ids


def _build(answers: _Answers, known: _Known, meanings: Meanings) -> OwnPredictions:
    table, photos, labels = answers.table, answers.photos, known.truths.labels
    kept = answers.answered & labels.notna().to_numpy(dtype=bool)
    if not kept.any():
        raise RunError(f"{table.file} has no photo with both an answer and a truth. Fill them in.")
    ids = number_rows(table) if photos.ids is None else photos.ids
    lesions = photos.lesions if known.lesions is None else known.lesions
    patients = photos.patients if known.patients is None else known.patients
    frame = pd.DataFrame({"image_id": ids, "lesion_id": fill_lesions(lesions, ids), "truth": labels})
    if patients is not None and patients.notna().any():
        frame.insert(2, "patient_id", patients)
    scores = pd.DataFrame(answers.values, columns=probability_columns(answers.names.labels))
    classes = sort_labels(answers.names.labels)
    frame = frame.join(scores[probability_columns(classes)])[kept].reset_index(drop=True)
    run = Predictions(
        Path(table.file).stem, classes, frame, stated=dict(answers.names.stated), numbered=photos.ids is None
    )
    run, unused = _drop_unused_classes(run)
    facts, left_out = list_subgroups(_select_text(answers, known)[kept].reset_index(drop=True))
    notes = (
        *answers.notes,
        *known.notes,
        *_describe_missing(answers, labels),
        *unused,
        *_describe_photos(run, lesions is None and patients is None),
        *left_out,
    )
    return OwnPredictions(state_classes(run, meanings), facts, notes)


def _select_text(answers: _Answers, known: _Known) -> pd.DataFrame:
    """Return the columns that hold neither scores nor ids, groups or truths: those of the predictions, then others."""
    used = {*answers.scores.words, *answers.photos.used}
    used |= set() if known.joined else set(known.truths.columns)
    named = [
        column for column in answers.table.columns if not re.fullmatch(r"column \d+", column)
    ]  # others have no name
    own = answers.table.frame([column for column in named if column not in used])
    return pd.concat([own, known.text[[column for column in known.text if column not in own]]], axis=1)


def _drop_unused_classes(run: Predictions) -> tuple[Predictions, Notes]:
    """Drop the unknown classes that no photo has and no row scores: they change no figure but that of malignancy."""
    unknown = find_unknown_classes(run)
    unused = [
        label for label in unknown if not run.frame[f"p_{label}"].any() and not (run.frame["truth"] == label).any()
    ]
    kept = tuple(label for label in run.classes if label not in unused)
    if not unused or len(kept) < 2:
        return run, ()
    frame = run.frame.drop(columns=probability_columns(tuple(unused)))
    note = f"Left out {shorten_list(map(quote, unused))}: no photo has this truth, and every score for it is 0."
    return replace(run, classes=kept, frame=frame), (note,)


def _describe_missing(answers: _Answers, labels: "pd.Series[str]") -> Notes:
    without_answer, without_truth = ~answers.answered, labels.isna().to_numpy(dtype=bool)
    return tuple(
        f"{missing.sum():,} photos have no {what} and are not scored: {describe_rows(answers.table, missing)}."
        for missing, what in ((without_answer, "probabilities"), (without_truth & answers.answered, "truth"))
        if missing.any()
    )


def _describe_photos(run: Predictions, alone: bool) -> Notes:
    notes = []
    if run.numbered:
        notes.append(
            f"Without a column of ids, such as {', '.join(IDS[:3])}, photos are numbered by row, and the predictions "
            "can be compared with no other run."
        )
    if alone:
        notes.append(
            "Without a column lesion_id, patient_id or group each photo counts as a lesion: the intervals are too "
            "narrow where photos share a lesion."
        )
    if run.frame["truth"].nunique() == 1:
        first = quote(str(run.frame["truth"].iloc[0]))
        notes.append(f"Every photo is {first}: figures that compare classes are undefined.")
    return tuple(notes)


def _check_meanings(meanings: Meanings, names: ClassNames, truths: Truths) -> None:
    known = {word.casefold() for word in (*names.words, *names.labels)} | truths.words
    if strange := [word for word in meanings if word not in known]:
        raise RunError(
            f"The classes that were mapped include {shorten_list(map(quote, strange))}, which the predictions do not "
            f"have. Theirs are {shorten_list(map(quote, names.words), 12)}."
        )


def _clean_name(name: str) -> str:
    """Return a file's name without characters that a page or a terminal could interpret."""
    return quote(Path(name).name)[1:-1]
