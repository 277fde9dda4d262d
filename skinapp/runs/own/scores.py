"""The scores of an uploaded file: which columns hold them, for which classes, and what their numbers say.

Three forms are read: columns p_<class>; columns named by their class, as in the challenges of the ISIC; and one column
of scores for malignancy, as in those of 2016, 2020 and 2024.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skinapp.datasets.columns import COLUMN_NAMES, DIAGNOSIS_LEVELS, DIAGNOSIS_NAMES, MALIGNANCY_NAMES, quote
from skinapp.errors import RunError
from skinapp.formatting import shorten_list
from skinapp.metrics.classification import Flags, Floats
from skinapp.runs.own.ids import is_id_or_group
from skinapp.runs.own.table import Problems, describe_rows, is_missing, read_column_of_numbers
from skinapp.runs.predictions import SUM_TOLERANCE
from skinapp.taxonomy import BENIGN, MALIGNANCY_CLASSES, MALIGNANT
from skinapp.text_tables.label_words import Meaning, find_meaning
from skinapp.text_tables.read import TextTable, squeeze_name

ROUNDING = 0.05
"""How far the sum of a row may be from 1 through rounding: ten classes, two decimals each."""

PLAIN = ("p_malignant", "malignant", "malignancy", "malignant_score")
SINGLE = (
    *PLAIN,
    *(
        "target",
        "score",
        "prediction",
        "probability",
        "pred",
        "prob",
        "proba",
        "y_score",
        "y_prob",
        "y_proba",
        "y_pred",
    ),
)
"""Names of a lone column of scores for malignancy; PLAIN are those that can mean nothing else."""

_NOISE = 1e-6
"""How far outside 0 to 1 a number may be through rounding."""

_NO_CLASS = {squeeze_name(name) for names in COLUMN_NAMES.values() for name in names}
_NO_CLASS |= {squeeze_name(name) for name in (*DIAGNOSIS_NAMES, *DIAGNOSIS_LEVELS, *MALIGNANCY_NAMES)} - {MALIGNANT}
_NO_CLASS |= {"scoreweight", "validationweight", "weight", "threshold", "truth", "malignantscore", "confidence"}
"""Columns that are named like no class, whatever they hold."""


@dataclass(frozen=True)
class ScoreColumns:
    """The columns of scores of a file: the word for the class of each, in the file's order.

    `prefixed` is true where they are named p_<class>, so that their rows must add up to 1. `single` is true where there
    is only one, for malignancy. `notes` say which columns were set aside.
    """

    words: Mapping[str, str]
    prefixed: bool = False
    single: bool = False
    notes: tuple[str, ...] = ()


def find_scores(table: TextTable, truths: TextTable | None) -> ScoreColumns | None:
    """Find the columns of scores of a file; None where it has none. The file of truths may make other classes known."""
    prefixed = {column: word for column in table.columns if (word := _cut_prefix(column))}
    if len(prefixed) > 1 or (prefixed and _means(next(iter(prefixed.values()))) != Meaning(MALIGNANT, True)):
        return ScoreColumns(prefixed, prefixed=True)
    named = find_class_columns(table)
    if len(named) > 1 and not prefixed:
        return _set_pair_aside(table, *_add_unknown(table, named, truths))
    return _find_single(table)


def _find_single(table: TextTable) -> ScoreColumns | None:
    """Find the one column of scores for malignancy; RunError where several may be it.

    A column of 0 and 1 alone beside one of scores, as `target` beside `pred`, holds truths or decisions.
    """
    named = [column for name in SINGLE if (column := table.find(name))]
    numbers = {column: read_column_of_numbers(table, column) for column in named}
    named = [column for column in named if np.isfinite(numbers[column]).any()]
    graded = [column for column in named if not _is_hard(numbers[column])]
    plain = [column for column in graded if squeeze_name(column) in map(squeeze_name, PLAIN)]
    chosen = plain[:1] or graded or named
    if chosen and not graded:
        others = [column for column in table.columns if column not in named and _holds_scores(table, column)]
        chosen += [column for column in others if not _is_hard(read_column_of_numbers(table, column))]
    if len(chosen) > 1:
        raise RunError(
            f"{table.file} has several columns that may be the score for {MALIGNANT}: "
            f"{shorten_list(map(quote, chosen))}. Name the right one p_malignant."
        )
    aside = [column for column in named if column not in chosen]
    notes = (f"Not read as scores: {shorten_list(map(quote, aside))}.",) if aside else ()
    return ScoreColumns({chosen[0]: MALIGNANT}, single=True, notes=notes) if chosen else None


def _is_hard(numbers: Floats) -> bool:
    """Tell whether numbers are 0 and 1 alone, as truths are."""
    return bool(np.isin(numbers[np.isfinite(numbers)], (0, 1)).all())


def find_class_columns(table: TextTable, words: Sequence[str] = ()) -> list[str]:
    """Return the columns of numbers that are named by a published class or one of `words`, in the file's order."""
    wanted = set(map(squeeze_name, words))
    return [
        column
        for column in table.columns
        if (squeeze_name(column) in wanted or _is_class(column))
        and np.isfinite(read_column_of_numbers(table, column)).any()
    ]


def read_scores(table: TextTable, scores: ScoreColumns, problems: Problems) -> tuple[Floats, Flags]:
    """Return the numbers, (n, k) in 0 to 1, and which rows have any; a row without one is a photo without an answer."""
    numbers = np.column_stack([read_column_of_numbers(table, column) for column in scores.words])
    empty = np.column_stack([is_missing(table.text(column)) for column in scores.words])
    answered: Flags = np.asarray(~empty.all(axis=1))
    for place, column in enumerate(scores.words):
        cells = table.text(column)
        words = np.isnan(numbers[:, place]) & ~empty[:, place]
        if words.any():
            first = quote(str(cells[int(words.argmax())]))
            problems.add(
                f"holds {first} in the column {quote(column)}, {describe_rows(table, words)}, where a number is "
                "needed. Write numbers such as 0.25."
            )
        missing = empty[:, place] & answered
        if missing.any():
            problems.add(
                f"lacks a number in the column {quote(column)}, {describe_rows(table, missing)}. Write one from 0 to "
                "1, or leave the photo out."
            )
        outside = (numbers[:, place] < -_NOISE) | (numbers[:, place] > 1 + _NOISE)
        if outside.any():
            problems.add(
                f"has numbers that are not in 0 to 1 in the column {quote(column)}, {describe_rows(table, outside)}. "
                "Divide percentages by 100; logits are not read."
            )
    if not answered.any():
        problems.add("has no number in any of its columns of probabilities.")
    clipped = np.clip(numbers, 0, 1)
    return (np.column_stack([clipped, 1 - clipped]) if scores.single else clipped), answered


def normalise(
    table: TextTable, numbers: Floats, answered: Flags, prefixed: bool, problems: Problems
) -> tuple[Floats, tuple[str, ...]]:
    """Return rows that add up to 1, and a note where they did not; rows that cannot be used are problems."""
    sums = numbers.sum(axis=1)
    off = answered & (np.abs(sums - 1) > SUM_TOLERANCE)
    wrong = answered & (np.abs(sums - 1) > ROUNDING) if prefixed else answered & (sums == 0)
    if wrong.any() and prefixed:
        problems.add(
            f"has probabilities that add up to {sums[int(wrong.argmax())]:.3f}, not 1, in "
            f"{describe_rows(table, wrong)}. Include all classes, after softmax."
        )
    elif wrong.any():
        problems.add(
            f"has 0 for every class in {describe_rows(table, wrong)}. Give the photo a score, or leave it out."
        )
    if not off.any():
        return numbers, ()
    note = (
        f"In {off.sum():,} rows the probabilities missed 1 by rounding; they were divided by their sum."
        if prefixed
        else f"In {off.sum():,} rows the scores did not add up to 1, as the ISIC format allows; they were divided by "
        "their sum. The top answers stay; the AUROC of a class can differ from that of the challenge."
    )
    return np.divide(numbers, sums[:, None], out=numbers.copy(), where=off[:, None] & (sums[:, None] > 0)), (note,)


def _cut_prefix(column: str) -> str:
    """Return the class of a column p_<class>; an empty string for any other column."""
    return column[2:].strip() if column[:2].casefold() == "p_" else ""


def _means(word: str) -> Meaning | None:
    return find_meaning(word)


def _is_class(column: str) -> bool:
    if squeeze_name(column) in _NO_CLASS or is_id_or_group(column):
        return False
    return squeeze_name(column) == "unk" or _means(column) not in (None, Meaning(None, None))


def _add_unknown(table: TextTable, named: list[str], truths: TextTable | None) -> tuple[list[str], list[str]]:
    """Return the columns of classes and those of numbers that may be classes but are not read as such.

    A column with an unknown name is a class if the file of truths has it too, or if the rows add up to 1 with it.
    """
    unknown = [column for column in table.columns if column not in named and _holds_scores(table, column)]
    if truths is not None:
        shared = [column for column in unknown if (theirs := truths.find(column)) and _holds_scores(truths, theirs)]
        named, unknown = [*named, *shared], [column for column in unknown if column not in shared]
    if unknown and not _add_up(table, named) and _add_up(table, [*named, *unknown]):
        named, unknown = [*named, *unknown], []
    return [column for column in table.columns if column in named], unknown


def _holds_scores(table: TextTable, column: str) -> bool:
    if squeeze_name(column) in _NO_CLASS or is_id_or_group(column):
        return False
    numbers = read_column_of_numbers(table, column)
    known = numbers[np.isfinite(numbers)]
    return bool(len(known)) and bool(((known >= 0) & (known <= 1)).all()) and len(known) >= len(numbers) / 2


def _add_up(table: TextTable, columns: Sequence[str]) -> bool:
    """Tell whether the rows of these columns, where all are numbers, add up to 1."""
    sums = np.column_stack([read_column_of_numbers(table, column) for column in columns]).sum(axis=1)
    known = sums[np.isfinite(sums)]
    return bool(len(known)) and bool((np.abs(known - 1) <= ROUNDING).all())


def _set_pair_aside(table: TextTable, columns: list[str], unknown: list[str]) -> ScoreColumns:
    """Set "malignant" and "benign" aside where they stand beside lesion types, as a second answer to each photo."""
    notes = []
    pair = [column for column in columns if column.casefold() in MALIGNANCY_CLASSES]
    if len(pair) == 2 and len(columns) > 3 and _add_up(table, pair):
        columns = [column for column in columns if column not in pair]
        notes.append(
            f"The columns {MALIGNANT} and {BENIGN} are a second answer and were set aside: the lesion types are scored."
        )
    if unknown:
        notes.append(
            f"Not read as classes: {shorten_list(map(quote, unknown))}. If one is, name its column p_<class>, as all "
            "others."
        )
    return ScoreColumns({column: column for column in columns}, notes=tuple(notes))
