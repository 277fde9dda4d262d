"""Rows of a table made by others -> rows of an image table: columns by their aliases, cells by their rules.

What can be read is used. A cell that is not allowed counts as missing, and a note names it with its row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.columns import COLUMN_NAMES, LAST_RESORT, NOT_PATHS, find_rule, read_column
from skinapp.datasets.readers.common import IndexNote
from skinapp.datasets.readers.words import find_label_columns, read_labels
from skinapp.datasets.table import COLUMNS
from skinapp.formatting import clean_text
from skinapp.photo import PHOTO_SUFFIXES
from skinapp.text_tables.read import squeeze_name

_MEASURED = tuple(
    column for column in COLUMNS if column not in COLUMN_NAMES and column not in ("diagnosis", "malignant")
)
"""Columns that are measured on a photo's file, which only a table of ours states."""


_UNIT = re.compile(r"[(\[](years?|yrs?|y|px|pixels?|m/f|f/m)[)\]]$", re.IGNORECASE)
"""Units in which cells are read anyhow, behind the name of a column: "age (years)"."""


@dataclass(frozen=True, eq=False)
class ReadRows:
    """Rows with the columns of an image table, each photo's `path` and `image_id` among them where named.

    `used` are the columns that were read, by their names in the file; `renamed` tells which of them have another name
    in an image table; `notes` name the cells that could not be used.
    """

    rows: pd.DataFrame
    used: tuple[str, ...]
    renamed: tuple[str, ...]
    notes: tuple[IndexNote, ...]


def match_columns(columns: Sequence[str], measured: bool) -> dict[str, list[str]]:
    """Find the columns of an image table in a file: ours -> theirs, in the order in which they are read.

    `measured` says whether columns measured on files are read too. Columns about labels are not among them.
    """
    known = {squeeze_name(_UNIT.sub("", column)): column for column in reversed(columns)}
    known |= {squeeze_name(column): column for column in reversed(columns)}
    names = {**COLUMN_NAMES, **{column: (column,) for column in (_MEASURED if measured else ())}}
    found = {
        ours: [known[key] for key in dict.fromkeys(map(squeeze_name, theirs)) if key in known]
        for ours, theirs in names.items()
    }
    if not found["path"] and not found["image_id"]:
        found["image_id"] = [known[name] for name in map(squeeze_name, LAST_RESORT) if name in known][:1]
    found["path"], found["image_id"] = found["path"][:1], found["image_id"][:1]
    return {ours: theirs for ours, theirs in found.items() if theirs}


def read_rows(
    cells: pd.DataFrame, numbers: npt.NDArray[np.int64], label_map: Mapping[str, str], measured: bool = False
) -> ReadRows:
    """Read the cells, strings or numbers, of a table; `numbers` (n,) are those of its rows, for notes."""
    matches = match_columns(list(cells.columns), measured)
    notes: list[IndexNote] = []
    rows = pd.DataFrame(index=range(len(cells)))
    for ours, theirs in matches.items():
        for column in theirs:
            values, note = _read_cells(ours, cells[column], numbers)
            notes.append(note)
            rows[ours] = values if ours not in rows else rows[ours].fillna(values)
    about_labels = find_label_columns(cells, [column for theirs in matches.values() for column in theirs])
    labels = read_labels(cells, about_labels, label_map, numbers)
    if labels is not None:
        rows = rows.assign(diagnosis=labels.diagnosis, malignant=labels.malignant)
        notes += labels.notes
    matches |= {"diagnosis": about_labels.diagnosis, "malignant": about_labels.malignancy}
    renamed = [f"{theirs[0]} as {ours}" for ours, theirs in matches.items() if theirs and theirs[0].casefold() != ours]
    used = [column for theirs in matches.values() for column in theirs]
    return ReadRows(rows, tuple(used), tuple(renamed), tuple(notes))


def names_a_path(column: str) -> bool:
    """Tell whether a column that names photos holds paths of files rather than ids."""
    return squeeze_name(column) not in map(squeeze_name, NOT_PATHS)


def remove_suffix(path: str) -> str:
    """Return the id that a path gives a photo: with forward slashes, without the suffix of a photo or a leading ./"""
    plain = path.replace("\\", "/").removeprefix("./")
    stem, dot, suffix = plain.rpartition(".")
    return stem if dot and stem and f".{suffix.lower()}" in PHOTO_SUFFIXES else plain


def _read_cells(ours: str, cells: pd.Series, numbers: npt.NDArray[np.int64]) -> tuple[pd.Series, IndexNote]:
    read = read_column(ours, cells)
    bad = np.flatnonzero(read.bad)
    named = tuple(f"{clean_text(repr(str(cells.iloc[row])), 60)} in row {numbers[row]:,}" for row in bad)
    return read.values.mask(pd.Series(read.bad)), IndexNote(
        f"{ours} that is not {find_rule(ours).allowed}, left out", named
    )
