"""Which rows of an image table a selection keeps, computed fast enough for 400,000 rows at every click.

To add a filter, add its column to FACETS and to Selection.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.encoding import EncodedColumn, encode, encode_labels

NOT_RECORDED = "not recorded"
"""The choice for a missing value; the table itself holds NA."""

MAX_VALUES = 200
"""A column with more distinct values is treated as free text and gets no filter."""

FACETS = ("diagnosis", "split", "source", "sex", "site", "camera", "confirmation")
"""Columns that photos can be filtered by, in the order in which the page offers them."""

USUAL_MAX_AGE = 90
"""Upper end of the range of ages in years, unless a table has older people."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """The values to keep of each column (empty: all), and the range of `age` in years, both ends included."""

    diagnosis: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    sex: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    camera: tuple[str, ...] = ()
    confirmation: tuple[str, ...] = ()
    age: tuple[float, float] | None = None

    @property
    def active(self) -> int:
        """The number of active filters."""
        return sum(bool(getattr(self, field.name)) for field in fields(self))


@dataclass(frozen=True, eq=False)
class Facet:
    """A column's distinct values, most photos first and NOT_RECORDED last; `codes`, (n,), index them for each row."""

    column: str
    values: tuple[str, ...]
    codes: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FilterIndex:
    """What filtering a table needs, built once per table and shared; `ages` is float32 (n,), NaN for missing."""

    facets: tuple[Facet, ...]
    ages: npt.NDArray[np.float32]

    @property
    def age_range(self) -> tuple[int, int] | None:
        """The range of ages to choose from, in whole years; None if no age is recorded."""
        known = self.ages[~np.isnan(self.ages)]
        return (0, max(USUAL_MAX_AGE, int(np.ceil(known.max())))) if known.size else None


def build_filter_index(table: pd.DataFrame) -> FilterIndex:
    """Prepare an image table for filtering; a column with fewer than two values or more than MAX_VALUES gets no facet.

    The facet "diagnosis" holds the photo's label: "malignant" or "benign" where only that is known.
    """
    columns = {column: encode_labels(table) if column == "diagnosis" else encode(table[column]) for column in FACETS}
    facets = (_build_facet(column, values) for column, values in columns.items())
    ages = table["age"].to_numpy(dtype=np.float32, na_value=np.nan)
    return FilterIndex(tuple(facet for facet in facets if facet is not None), ages)


def select_rows(index: FilterIndex, selection: Selection) -> Mask:
    """Tell which rows a selection keeps, bool (n,).

    A row is kept if it has one of the chosen values in every filtered column. Values and columns that the table does
    not have match no row. An age range leaves out photos without an age.
    """
    kept = np.ones(len(index.ages), dtype=bool)
    facets = {facet.column: facet for facet in index.facets}
    for column in FACETS:
        chosen = getattr(selection, column)
        if chosen:
            facet = facets.get(column)
            kept &= False if facet is None else np.isin(facet.values, chosen)[facet.codes]
    if selection.age is not None:
        youngest, oldest = selection.age
        kept &= (index.ages >= youngest) & (index.ages <= oldest)
    return kept


def _build_facet(column: str, values: EncodedColumn) -> Facet | None:
    if not 0 < len(values.names) <= MAX_VALUES:
        return None
    missing, *counts = np.bincount(values.codes + 1, minlength=len(values.names) + 1)
    order = np.argsort(-np.array(counts), kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.uint8)
    rank[order], rank[-1] = np.arange(len(order)), len(order)  # the code of a missing value is -1: the last
    names = tuple(str(values.names[code]) for code in order) + ((NOT_RECORDED,) if missing else ())
    return Facet(column, names, rank[values.codes]) if len(names) > 1 else None
