"""One uploaded file of predictions or of truths: its columns, ids, groups and numbers, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.datasets.columns import MISSING_WORDS, quote
from skinapp.datasets.labels import KNOWN_LABELS
from skinapp.errors import RunError
from skinapp.metrics.classification import Flags, Floats
from skinapp.runs.own.csv import Header, read_cells, read_header

MAX_BYTES = 200 * 2**20
MAX_ROWS = 2_000_000
MAX_CLASSES = 50
"""The largest file that is read: five times the rows of ISIC 2024, and within the memory of a small server."""

_IMAGE = ("image_id", "image", "isic_id")
_GROUP = ("group", "lesion_id")
_LONGEST_NAME = 60
_PLAIN = " .,;_-+/()&%'"
"""The characters of a name beside letters and digits: none that a page could read as markup."""
_NOISE = 1e-6
"""How far outside 0 to 1 a number may be through rounding."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The contents of one file: n photos, k classes.

    `labels` are the classes, those of the taxonomy first and in its order; `columns` are their column names in the
    file. `numbers` is float64 (n, k) in 0 to 1. `ids` are unique; `groups` is None where the file has none. `text`
    holds all other named columns.
    """

    file: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    numbers: Floats
    ids: pd.Series
    groups: pd.Series | None
    text: pd.DataFrame


def open_header(data: bytes, file: str) -> Header:
    """Read the first line of a file of predictions or truths; RunError where it is too large or not a CSV."""
    if len(data) > MAX_BYTES:
        raise RunError(f"{file} is larger than {MAX_BYTES // 2**20} MB. Upload a part of it.")
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_ROWS + 1:
        raise RunError(f"{file} holds more than {MAX_ROWS:,} rows. Upload a part of it.")
    return read_header(data, file)


def read_sheet(data: bytes, header: Header, labels: Mapping[str, str]) -> Sheet:
    """Read a file; the keys of `labels` are its columns of numbers, the values their classes.

    Raises RunError for fewer than two or too many classes, two columns for one class, a class name with other
    characters than `is_plain` allows, no row, a missing or repeated id, and a number that is missing or not in 0 to 1.
    """
    _check_labels(header, labels)
    known = {label: place for place, label in enumerate(KNOWN_LABELS)}
    columns = sorted(labels, key=lambda column: known.get(labels[column], len(known)))
    cells = read_cells(data, header, [c for c in header.columns if c and c not in labels], columns)
    if not len(cells.numbers):
        raise RunError(f"{header.file} has no row below its header. Write one row per photo.")
    image, group = _find_column(_IMAGE, cells.text), _find_column(_GROUP, cells.text)
    ids = _read_ids(cells.text, image, header, len(cells.numbers))
    return Sheet(
        file=header.file,
        labels=tuple(labels[column] for column in columns),
        columns=tuple(columns),
        numbers=_check_range(cells.numbers, columns, header),
        ids=ids,
        groups=None if group is None else _fill_groups(cells.text[group], ids),
        text=cells.text.drop(columns=[column for column in (image, group) if column is not None]),
    )


def is_plain(name: str) -> bool:
    """Return whether a name is short and free of characters that a page could read as markup."""
    return len(name) <= _LONGEST_NAME and all(letter.isalnum() or letter in _PLAIN for letter in name)


def describe_row(wrong: Flags) -> str:
    """Return in words where the first wrong row is, and how many more there are; `wrong` is (n,) bool."""
    more = int(wrong.sum()) - 1
    return f"row {int(wrong.argmax()) + 1:,} below the header" + (f" (and {more:,} more)" if more else "")


def is_missing(text: pd.Series) -> Flags:
    """Return which cells are empty or hold a word for a missing value, (n,)."""
    return text.str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)


def _check_labels(header: Header, labels: Mapping[str, str]) -> None:
    if len(labels) < 2:
        only = ", ".join(map(quote, labels)) or "none"
        raise RunError(f"{header.file} has columns of numbers for fewer than two classes ({only}). Add the others.")
    if len(labels) > MAX_CLASSES:
        raise RunError(f"{header.file} has {len(labels)} classes, more than {MAX_CLASSES}. Merge some of them.")
    seen: dict[str, str] = {}
    for column, label in labels.items():
        if not is_plain(label):
            raise RunError(
                f"{header.file} has the class {quote(label)}. Name it with at most {_LONGEST_NAME} letters, digits, "
                f"blanks and {_PLAIN.strip()}"
            )
        if label in seen:
            raise RunError(f"{header.file} has {quote(seen[label])} and {quote(column)} for the same class. Keep one.")
        seen[label] = column


def _find_column(names: tuple[str, ...], text: pd.DataFrame) -> str | None:
    lower = {column.casefold(): column for column in text.columns}
    return next((lower[name] for name in names if name in lower), None)


def _read_ids(text: pd.DataFrame, column: str | None, header: Header, rows: int) -> pd.Series:
    if column is None:
        return pd.Series(np.arange(1, rows + 1)).astype("string")
    ids = text[column]
    named_files = ids.str.lower().str.endswith(".jpg").to_numpy(dtype=bool)
    if named_files.any():  # like the ISIC's own scorer
        ids = ids.mask(named_files, ids.str.slice(stop=-len(".jpg")))
    empty = (ids == "").to_numpy(dtype=bool)
    if empty.any():
        raise RunError(f"{header.file} has no {quote(column)} in {describe_row(empty)}. Give every photo an id.")
    twice = ids.duplicated().to_numpy()
    if twice.any():
        first = quote(ids[int(twice.argmax())])
        raise RunError(f"{header.file} names the photo {first} again in {describe_row(twice)}. Keep one row per photo.")
    return ids


def _fill_groups(groups: pd.Series, ids: pd.Series) -> pd.Series:
    """Return the group of each photo; a photo without one becomes a group of its own, with a name no group has."""
    return groups.mask(is_missing(groups), "photo " + ids)


def _check_range(numbers: Floats, columns: Sequence[str], header: Header) -> Floats:
    for wrong, fault in (
        (np.isnan(numbers), "is empty or NaN. Write a number from 0 to 1, or leave the photo out"),
        (
            (numbers < -_NOISE) | (numbers > 1 + _NOISE),
            "is not in 0 to 1. Divide percentages by 100; logits are not read",
        ),
    ):
        if wrong.any():
            column = quote(columns[int(wrong.argmax()) % len(columns)])
            raise RunError(f"{header.file}: the column {column} in {describe_row(np.any(wrong, axis=1))} {fault}.")
    return np.clip(numbers, 0, 1)
