"""Which photo a row of an uploaded file is about, and which photos belong together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.datasets.columns import COLUMN_NAMES, IMAGE_NAMES, LAST_RESORT, MAX_TEXT, quote
from skinapp.runs.own.table import Problems, describe_rows, is_missing
from skinapp.text_tables.read import TextTable, read_ids, squeeze_name

IDS = tuple(dict.fromkeys((*COLUMN_NAMES["image_id"], "image", "image_name", *IMAGE_NAMES)))
"""Columns that name a photo, the best first."""

GROUP = "group"
"""A column of photos that belong together for whatever reason; it counts before lesions and patients."""

LESIONS, PATIENTS = COLUMN_NAMES["lesion_id"], COLUMN_NAMES["patient_id"]
"""Columns that name the lesion of a photo, and its patient."""


@dataclass(frozen=True, eq=False)
class Photos:
    """The photos of a file's n rows: `ids`, unique, or None where no column names them; `column` is that column.

    `lesions` and `patients` are what photos share, NA where it is missing; None without such a column. A column "group"
    stands for both. `used` are all columns that were read.
    """

    ids: "pd.Series[str] | None"
    column: str | None
    lesions: "pd.Series[str] | None"
    patients: "pd.Series[str] | None"
    used: frozenset[str]


def read_photos(table: TextTable, problems: Problems, other: TextTable | None = None) -> Photos:
    """Read the ids and groups of a file; a column of ids that the `other` file has too is preferred."""
    named = [column for name in IDS if (column := table.find(name)) and not _is_of_something_else(table, column)]
    shared = [column for column in named if other is not None and other.find(column)]
    column = next(iter([*shared, *named]), None)
    group = table.find(GROUP)
    lesion = group or table.find(*LESIONS)
    if column is None and lesion and lesion != group and not table.text(lesion).duplicated().any():
        column = lesion  # MILK10k's tables have one row per lesion and name nothing else
    patient = None if group else table.find(*PATIENTS)
    return Photos(
        ids=None if column is None else _read_ids(table, column, problems),
        column=column,
        lesions=None if lesion is None else _read_groups(table, lesion),
        patients=None if patient is None else _read_groups(table, patient),
        used=frozenset(filter(None, (column, lesion, patient))),
    )


def number_rows(table: TextTable) -> "pd.Series[str]":
    """Return the number of each row below the header as its id."""
    return pd.Series(table.rows).astype("string")


def fill_lesions(lesions: "pd.Series[str] | None", ids: "pd.Series[str]") -> "pd.Series[str]":
    """Return the lesion of each photo; a photo without one becomes a lesion of its own, with a name no lesion has."""
    return ids if lesions is None else lesions.fillna("photo " + ids)


def is_id_or_group(column: str) -> bool:
    """Tell whether a column names photos or groups."""
    return squeeze_name(column) in {squeeze_name(name) for name in (*IDS, GROUP, *LESIONS, *PATIENTS)}


def _is_of_something_else(table: TextTable, column: str) -> bool:
    """Tell whether a column with a name such as "id" repeats itself, as that of a patient does."""
    weak = squeeze_name(column) in map(squeeze_name, LAST_RESORT)
    return weak and bool(table.text(column).duplicated().any())


def _read_groups(table: TextTable, column: str) -> "pd.Series[str]":
    return read_ids(table.text(column)).mask(is_missing(table.text(column)))


def _read_ids(table: TextTable, column: str, problems: Problems) -> "pd.Series[str]":
    ids = read_ids(table.text(column))
    named_files = ids.str.lower().str.endswith(".jpg").to_numpy(dtype=bool)
    if named_files.any():  # like the ISIC's own scorer
        ids = ids.mask(named_files, ids.str.slice(stop=-len(".jpg")))
    if (empty := is_missing(ids)).any():
        problems.add(f"has no {quote(column)} in {describe_rows(table, empty)}. Give every photo an id.")
    if (long := (ids.str.len() > MAX_TEXT).to_numpy(dtype=bool)).any():
        problems.add(f"has more than {MAX_TEXT} characters in {quote(column)}, {describe_rows(table, long)}.")
    twice = ids.duplicated().to_numpy() & ~empty
    if twice.any():
        first = quote(str(ids[int(np.argmax(twice))]))
        problems.add(f"names the photo {first} again in {describe_rows(table, twice)}. Keep one row per photo.")
    return ids
