"""The truths of uploaded predictions: one column of words, or one column per class with 1 and 0."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.datasets.columns import DIAGNOSIS_LEVELS, DIAGNOSIS_NAMES, MALIGNANCY_NAMES, quote
from skinapp.datasets.labels import is_undecided
from skinapp.formatting import shorten_list
from skinapp.runs.own.scores import find_class_columns
from skinapp.runs.own.table import Problems, describe_rows, is_missing, read_column_of_numbers
from skinapp.text_tables.read import TextTable

TRUTHS = ("truth", "true_label", "true_class", "y_true", "ground_truth", "gt")
"""Columns of truths in a file of predictions. A column "label" there may as well hold answers."""

LABELS = (*TRUTHS, *DIAGNOSIS_NAMES, *DIAGNOSIS_LEVELS, *MALIGNANCY_NAMES)
"""Columns of truths in a file that holds nothing else to learn them from."""

TruthReader = Callable[[str], str | None]


@dataclass(frozen=True, eq=False)
class Truths:
    """The truth of each of n rows: `labels`, NA where it is missing or undecided.

    `columns` are those that hold it, `words` what it calls the classes, in lower case.
    """

    labels: "pd.Series[str]"
    columns: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()


def read_truth_column(table: TextTable, read: TruthReader, classes: tuple[str, ...], problems: Problems) -> Truths:
    """Read the truths that a file of predictions holds itself."""
    column = table.find(*TRUTHS)
    if column is None:
        others = [name for name in LABELS if table.find(name)]
        hint = f" If it is {quote(others[0])}, rename that." if others else ""
        problems.add(f"lacks the column truth, which names each photo's class. Add it, or a file of truths.{hint}")
        return Truths(pd.Series(pd.NA, index=range(len(table)), dtype="string"))
    return _read_words(table, column, read, classes, problems)


def read_truth_file(
    table: TextTable, read: TruthReader, classes: tuple[str, ...], words: tuple[str, ...], problems: Problems
) -> Truths:
    """Read a file of truths: columns of the `words` for the classes, or the column whose words mean most of them."""
    column = table.find(*TRUTHS)
    if column is not None:
        return _read_words(table, column, read, classes, problems)
    one_hot = find_class_columns(table, words)
    if len(one_hot) > 1:
        return _read_one_hot(table, one_hot, read, classes, problems)
    named = [column for name in LABELS if (column := table.find(name))]
    if not named:
        problems.add(
            "has no column of truths. Name one truth, or have one column for each class with 1 for its photos and 0 "
            "for the others."
        )
        return Truths(pd.Series(pd.NA, index=range(len(table)), dtype="string"))
    best = max(dict.fromkeys(named), key=lambda column: _count_understood(table.text(column), read))
    return _read_words(table, best, read, classes, problems)


def _count_understood(cells: "pd.Series[str]", read: TruthReader) -> int:
    counts = cells.value_counts()
    return int(sum(times for word, times in counts.items() if read(str(word)) is not None))


def _read_words(
    table: TextTable, column: str, read: TruthReader, classes: tuple[str, ...], problems: Problems
) -> Truths:
    cells = table.text(column)
    places, words = pd.factorize(cells.mask(is_missing(cells)), use_na_sentinel=True)
    known = [str(word) for word in words]
    labels = [read(word) for word in known]
    strange = [label is None and not is_undecided(word) for word, label in zip(known, labels, strict=True)]
    wrong = np.append(np.array(strange, dtype=bool), False)[places]
    if wrong.any():
        named = shorten_list((quote(word) for word, bad in zip(known, strange, strict=True) if bad), 10)
        problems.add(
            f"names a truth that is none of the classes ({shorten_list(classes, 10)}): {named}, in "
            f"{describe_rows(table, wrong)}. Add a column of probabilities for it, or leave the photo out."
        )
    truths = pd.Series(pd.array(labels, dtype="string")).reindex(places).reset_index(drop=True)
    return Truths(truths, (column,), frozenset(map(str.casefold, known)))


def _read_one_hot(
    table: TextTable, columns: list[str], read: TruthReader, classes: tuple[str, ...], problems: Problems
) -> Truths:
    numbers = np.column_stack([read_column_of_numbers(table, column) for column in columns])
    empty = np.column_stack([is_missing(table.text(column)) for column in columns]).all(axis=1)
    ones = numbers == 1
    wrong = ~empty & ((ones.sum(axis=1) != 1) | ((numbers != 0) & ~ones).any(axis=1))
    if wrong.any():
        problems.add(
            f"does not give one class in {describe_rows(table, wrong)}. Write 1 for the class of a photo and 0 for the "
            "others."
        )
    labels = [read(column) for column in columns]
    strange = np.array([label is None for label in labels])[ones.argmax(axis=1)] & ~wrong & ~empty
    if strange.any():
        named = shorten_list((quote(columns[place]) for place in sorted(set(ones.argmax(axis=1)[strange]))), 10)
        problems.add(
            f"names a truth that is none of the classes ({shorten_list(classes, 10)}): {named}, in "
            f"{describe_rows(table, strange)}. Add a column of probabilities for it, or leave the photo out."
        )
    found = pd.Series(pd.array(labels, dtype="string")).take(ones.argmax(axis=1)).reset_index(drop=True)
    return Truths(found.mask(empty | wrong), tuple(columns), frozenset(map(str.casefold, columns)))
