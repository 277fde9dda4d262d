"""Columns encoded as integers, so that a table of 400,000 photos is counted in milliseconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.table import SPLITS
from skinapp.taxonomy import BENIGN, MALIGNANT

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class EncodedColumn:
    """A column as indices into `names`: `codes`, intp (n,), is -1 where the value is missing.

    After `name_missing` missing values have a code too; its name is None.
    """

    codes: Codes
    names: tuple[str | None, ...]

    @property
    def names_column(self) -> "pd.Series[str]":
        """The names as a column of type string, in the order of their codes."""
        return pd.Series(self.names, dtype="string")

    def sort_names(self, first: tuple[str, ...] = ()) -> "EncodedColumn":
        """Return the column with its names in the order of `first`, then all others by the alphabet."""
        rank = {name: number for number, name in enumerate(first)}
        names = sorted(self.names, key=lambda name: (rank.get(name or "", len(rank)), name or ""))
        new_codes = np.array([names.index(name) for name in self.names] + [-1], dtype=np.intp)
        return EncodedColumn(new_codes[self.codes], tuple(names))

    def name_missing(self) -> "EncodedColumn":
        """Return the column with its missing values, if any, under the last code and the name None."""
        missing = self.codes < 0
        if not missing.any():
            return self
        return EncodedColumn(np.where(missing, len(self.names), self.codes), (*self.names, None))


def encode(column: "pd.Series[str]") -> EncodedColumn:
    """Encode a column of strings or categories, its values in the order of the alphabet."""
    codes, names = pd.factorize(column)
    return EncodedColumn(codes, tuple(map(str, names))).sort_names()


def encode_labels(table: pd.DataFrame) -> EncodedColumn:
    """Encode each photo's label: its diagnosis, else "malignant" or "benign", else missing."""
    diagnosis, malignancy = encode(table["diagnosis"]), encode_malignancy(table)
    malignancy_only = (diagnosis.codes < 0) & (malignancy.codes >= 0)
    if not malignancy_only.any():
        return diagnosis
    names = (*diagnosis.names, *(name for name in malignancy.names if name not in diagnosis.names))
    malignancy_codes = np.array([names.index(name) for name in malignancy.names])
    codes = np.where(malignancy_only, malignancy_codes[malignancy.codes], diagnosis.codes)
    used = np.unique(codes[codes >= 0])
    new_codes = np.full(len(names) + 1, -1, dtype=np.intp)
    new_codes[used] = np.arange(len(used))
    return EncodedColumn(new_codes[codes], tuple(names[code] for code in used)).sort_names()


def encode_malignancy(table: pd.DataFrame) -> EncodedColumn:
    """Encode benign as 0 and malignant as 1."""
    malignant = table["malignant"].to_numpy(dtype=float, na_value=np.nan)
    return EncodedColumn(np.nan_to_num(malignant, nan=-1).astype(np.intp), (BENIGN, MALIGNANT))


def encode_splits(table: pd.DataFrame) -> EncodedColumn:
    """Encode the splits in this order: train, validation, test, showcase, then others."""
    return encode(table["split"]).sort_names(SPLITS)


def encode_lesions(table: pd.DataFrame) -> Codes:
    """Number the lesions in any order; -1 where none is named."""
    return pd.factorize(table["lesion_id"])[0]


def count_pairs(rows: Codes, n_rows: int, columns: Codes, n_columns: int) -> npt.NDArray[np.int64]:
    """Count each pair of a row code and a column code: int64 (n_rows, n_columns); pairs with a -1 are not counted."""
    n = n_rows * n_columns
    # Missing pairs go to one extra cell at the end, which is quicker than selecting the others.
    cells = np.where((rows < 0) | (columns < 0), n, rows * n_columns + columns)
    return np.bincount(cells, minlength=n + 1)[:n].astype(np.int64).reshape(n_rows, n_columns)


def count_distinct(groups: Codes, n_groups: int, members: Codes) -> npt.NDArray[np.int64]:
    """Count the distinct members of each group: int64 (n_groups,); pairs with a -1 are not counted."""
    both = (groups >= 0) & (members >= 0)
    width = members.max(initial=0) + 1
    pairs = pd.unique(groups[both] * width + members[both])
    return np.bincount(pairs // width, minlength=n_groups).astype(np.int64)
