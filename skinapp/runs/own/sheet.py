"""One file of predictions or of truths that a visitor brought: its columns, ids, groups and numbers, checked."""

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
"""What is taken at most: five times the rows of ISIC 2024, and no more than a small server can hold for a visitor."""

_IMAGE = ("image_id", "image", "isic_id")
_GROUP = ("group", "lesion_id")
_LONGEST_NAME = 60
_PLAIN = " .,;_-+/()&%'"
"""What a name may hold beside letters and digits: nothing that a page could take for its own markup."""
_NOISE = 1e-6
"""How far beyond 0 or 1 a number may be for the arithmetic that made it."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """One file, read: n photos, k classes.

    `labels` are the classes, the taxonomy's in its order before others, and `columns` the names that their columns
    have in the file; `numbers` is float64 (n, k), each in 0 to 1. `ids` stand once each; `groups` is None where the
    file has none. `text` holds all other columns that have a name.
    """

    file: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    numbers: Floats
    ids: pd.Series
    groups: pd.Series | None
    text: pd.DataFrame


def open_header(data: bytes, file: str) -> Header:
    """Read the first line of a file of predictions or truths; RunError where it is too large or no CSV."""
    if len(data) > MAX_BYTES:
        raise RunError(f"{file} is larger than {MAX_BYTES // 2**20} MB. Bring a part of it.")
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_ROWS + 1:
        raise RunError(f"{file} holds more than {MAX_ROWS:,} rows. Bring a part of it.")
    return read_header(data, file)


def read_sheet(data: bytes, header: Header, labels: Mapping[str, str]) -> Sheet:
    """Read a file whose columns of numbers are the keys of `labels`, and the values their classes.

    Raises RunError for fewer than two classes or too many, two columns for one class, a name that is no plain text,
    no row, an id that is missing or stands twice, and a number that is missing or not in 0 to 1.
    """
    _check_labels(header, labels)
    known = {label: place for place, label in enumerate(KNOWN_LABELS)}
    columns = sorted(labels, key=lambda column: known.get(labels[column], len(known)))
    cells = read_cells(data, header, [c for c in header.columns if c and c not in labels], columns)
    if not len(cells.numbers):
        raise RunError(f"{header.file} holds no row below its header. Write a row for each photo.")
    image, group = _first_of(_IMAGE, cells.text), _first_of(_GROUP, cells.text)
    ids = _ids(cells.text, image, header, len(cells.numbers))
    return Sheet(
        file=header.file,
        labels=tuple(labels[column] for column in columns),
        columns=tuple(columns),
        numbers=_in_range(cells.numbers, columns, header),
        ids=ids,
        groups=None if group is None else _groups(cells.text[group], ids),
        text=cells.text.drop(columns=[column for column in (image, group) if column is not None]),
    )


def is_plain(name: str) -> bool:
    """Tell whether a name is short and without signs that a page could take for its own markup."""
    return len(name) <= _LONGEST_NAME and all(letter.isalnum() or letter in _PLAIN for letter in name)


def row_of(wrong: Flags) -> str:
    """Say where the first of some wrong rows, (n,), is, and how many more there are."""
    more = int(wrong.sum()) - 1
    return f"row {int(wrong.argmax()) + 1:,} below the header" + (f" (and {more:,} more)" if more else "")


def missing(text: pd.Series) -> Flags:
    """Tell which cells are empty or a word that says that nothing is known, (n,)."""
    return text.str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)


def _check_labels(header: Header, labels: Mapping[str, str]) -> None:
    if len(labels) < 2:
        only = ", ".join(map(quote, labels)) or "none"
        raise RunError(f"{header.file} has columns of numbers for fewer than two classes ({only}). Add the others.")
    if len(labels) > MAX_CLASSES:
        raise RunError(f"{header.file} has {len(labels)} classes, more than {MAX_CLASSES}. Join some of them.")
    seen: dict[str, str] = {}
    for column, label in labels.items():
        if not is_plain(label):
            raise RunError(
                f"{header.file} has the class {quote(label)}. Name it with at most {_LONGEST_NAME} letters, digits, "
                f"blanks and {_PLAIN.strip()}"
            )
        if label in seen:
            raise RunError(f"{header.file} has {quote(seen[label])} and {quote(column)} for one class. Keep one.")
        seen[label] = column


def _first_of(names: tuple[str, ...], text: pd.DataFrame) -> str | None:
    lower = {column.casefold(): column for column in text.columns}
    return next((lower[name] for name in names if name in lower), None)


def _ids(text: pd.DataFrame, column: str | None, header: Header, rows: int) -> pd.Series:
    if column is None:
        return pd.Series(np.arange(1, rows + 1)).astype("string")
    ids = text[column]
    named_files = ids.str.lower().str.endswith(".jpg").to_numpy(dtype=bool)
    if named_files.any():  # as the ISIC's own scorer does
        ids = ids.mask(named_files, ids.str.slice(stop=-len(".jpg")))
    empty = (ids == "").to_numpy(dtype=bool)
    if empty.any():
        raise RunError(f"{header.file} has no {quote(column)} in {row_of(empty)}. Give every photo one.")
    twice = ids.duplicated().to_numpy()
    if twice.any():
        first = quote(ids[int(twice.argmax())])
        raise RunError(f"{header.file} names the photo {first} again in {row_of(twice)}. Keep one row a photo.")
    return ids


def _groups(groups: pd.Series, ids: pd.Series) -> pd.Series:
    """Return what the bootstrap keeps together; a photo of no group becomes one of its own, under no group's name."""
    return groups.mask(missing(groups), "photo " + ids)


def _in_range(numbers: Floats, columns: Sequence[str], header: Header) -> Floats:
    for wrong, fault in (
        (np.isnan(numbers), "is empty or NaN. Write a number from 0 to 1, or leave the photo out"),
        ((numbers < -_NOISE) | (numbers > 1 + _NOISE), "is not in 0 to 1. Divide percentages by 100; no logits"),
    ):
        if wrong.any():
            column = quote(columns[int(wrong.argmax()) % len(columns)])
            raise RunError(f"{header.file}: the column {column} in {row_of(np.any(wrong, axis=1))} {fault}.")
    return np.clip(numbers, 0, 1)
