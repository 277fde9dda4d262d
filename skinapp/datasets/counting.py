"""Columns as numbers, so that a table of some 400,000 photos is counted in milliseconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.table import SPLITS
from skinapp.taxonomy import BENIGN, MALIGNANT

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Coded:
    """A column as places in a list of names: `codes`, intp (n,), is -1 where the value is missing.

    The name None stands for what is missing, where `whole` has given that a code of its own.
    """

    codes: Codes
    names: tuple[str | None, ...]

    @property
    def named(self) -> "pd.Series[str]":
        """The names as a column of type string, in the order of their codes."""
        return pd.Series(self.names, dtype="string")

    def ordered(self, first: tuple[str, ...]) -> "Coded":
        """Return the same column with its names in the order of `first`, those it lacks behind, by the alphabet."""
        rank = {name: place for place, name in enumerate(first)}
        names = sorted(self.names, key=lambda name: (rank.get(name or "", len(rank)), name or ""))
        places = np.array([names.index(name) for name in self.names] + [-1], dtype=np.intp)
        return Coded(places[self.codes], tuple(names))

    def whole(self) -> "Coded":
        """Give what is missing, where anything is, the last code and the name None."""
        missing = self.codes < 0
        return Coded(np.where(missing, len(self.names), self.codes), (*self.names, None)) if missing.any() else self


def coded(column: "pd.Series[str]") -> Coded:
    """Number a column's values, strings or categories, by the alphabet."""
    codes, names = pd.factorize(column)
    return Coded(codes, tuple(map(str, names))).ordered(())


def coded_labels(table: pd.DataFrame) -> Coded:
    """Number what each photo is labelled: its diagnosis, else "malignant" or "benign", else missing."""
    diagnosis, malignancy = coded(table["diagnosis"]), coded_malignancy(table)
    bare = (diagnosis.codes < 0) & (malignancy.codes >= 0)
    if not bare.any():
        return diagnosis
    names = (*diagnosis.names, *(name for name in malignancy.names if name not in diagnosis.names))
    theirs = np.array([names.index(name) for name in malignancy.names])
    codes = np.where(bare, theirs[malignancy.codes], diagnosis.codes)
    used = np.unique(codes[codes >= 0])
    places = np.full(len(names) + 1, -1, dtype=np.intp)
    places[used] = np.arange(len(used))
    return Coded(places[codes], tuple(names[place] for place in used)).ordered(())


def coded_malignancy(table: pd.DataFrame) -> Coded:
    """Number what is known to be benign, 0, or malignant, 1."""
    malignant = table["malignant"].to_numpy(dtype=float, na_value=np.nan)
    return Coded(np.nan_to_num(malignant, nan=-1).astype(np.intp), (BENIGN, MALIGNANT))


def coded_splits(table: pd.DataFrame) -> Coded:
    """Number the splits in the order in which they are used: train, validation, test, showcase, then others."""
    return coded(table["split"]).ordered(SPLITS)


def coded_lesions(table: pd.DataFrame) -> Codes:
    """Number the lesions; -1 where none is named. Their names and order do not matter."""
    return pd.factorize(table["lesion_id"])[0]


def crossed(rows: Codes, n_rows: int, columns: Codes, n_columns: int) -> npt.NDArray[np.int64]:
    """Count how often each row code meets each column code: int64 (n_rows, n_columns); -1 on a side counts nowhere."""
    n = n_rows * n_columns
    # What is missing gets a cell of its own behind the others: quicker than to pick out what is there.
    cells = np.where((rows < 0) | (columns < 0), n, rows * n_columns + columns)
    return np.bincount(cells, minlength=n + 1)[:n].astype(np.int64).reshape(n_rows, n_columns)


def distinct(groups: Codes, n_groups: int, members: Codes) -> npt.NDArray[np.int64]:
    """Count the different members of each group: int64 (n_groups,); -1 on a side counts nowhere."""
    both = (groups >= 0) & (members >= 0)
    width = members.max(initial=0) + 1
    pairs = pd.unique(groups[both] * width + members[both])
    return np.bincount(pairs // width, minlength=n_groups).astype(np.int64)
