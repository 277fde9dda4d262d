"""Which rows of an image table a selection keeps: yes and no over codes, quick enough for a click on 400,000 rows."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.counting import Coded, coded, coded_labels

NOT_RECORDED = "not recorded"
"""The choice that stands for a missing value; tables themselves hold NA."""

MOST_VALUES = 200
"""A column of more different values is free text: no list of them helps anybody to choose."""

FACETS = ("diagnosis", "split", "source", "sex", "site", "camera", "confirmation")
"""Columns that photos can be chosen by, in the order in which a page offers them."""

USUAL_AGE = 90
"""Years up to which a range of ages can be asked for, more where a table has older people."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """What is asked for: of each column the values that are kept, none for all of them; `age` in years, both kept."""

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
        """How many columns are narrowed."""
        return sum(bool(getattr(self, field.name)) for field in fields(self))


@dataclass(frozen=True, eq=False)
class Facet:
    """A column's different values, most photos first and NOT_RECORDED last, and each row's place among them."""

    column: str
    values: tuple[str, ...]
    places: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FilterIndex:
    """What selecting from one table needs: made once a table, then shared; `ages` is float32 (n,), NaN for missing."""

    facets: tuple[Facet, ...]
    ages: npt.NDArray[np.float32]

    @property
    def age_range(self) -> tuple[int, int] | None:
        """The range to choose from in whole years, the same for most tables; None where no age is recorded."""
        known = self.ages[~np.isnan(self.ages)]
        return (0, max(USUAL_AGE, int(np.ceil(known.max())))) if known.size else None


def filter_index(table: pd.DataFrame) -> FilterIndex:
    """Prepare an image table for selecting; columns with one value, none, or more than MOST_VALUES get no facet.

    The diagnosis is the photo's label: "malignant" or "benign" where only that is known.
    """
    columns = {column: coded_labels(table) if column == "diagnosis" else coded(table[column]) for column in FACETS}
    found = (_facet(column, values) for column, values in columns.items())
    ages = table["age"].to_numpy(dtype=np.float32, na_value=np.nan)
    return FilterIndex(tuple(facet for facet in found if facet is not None), ages)


def rows(index: FilterIndex, selection: Selection) -> Mask:
    """Tell which rows a selection keeps, bool (n,).

    Values of one column add up, columns narrow each other. Values and columns that the table does not have keep
    nothing. An age range leaves out photos without an age.
    """
    kept = np.ones(len(index.ages), dtype=bool)
    facets = {facet.column: facet for facet in index.facets}
    for column in FACETS:
        chosen = getattr(selection, column)
        if chosen:
            facet = facets.get(column)
            kept &= False if facet is None else np.isin(facet.values, chosen)[facet.places]
    if selection.age is not None:
        youngest, oldest = selection.age
        kept &= (index.ages >= youngest) & (index.ages <= oldest)
    return kept


def _facet(column: str, values: Coded) -> Facet | None:
    if not 0 < len(values.names) <= MOST_VALUES:
        return None
    missing, *counts = np.bincount(values.codes + 1, minlength=len(values.names) + 1)
    order = np.argsort(-np.array(counts), kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.uint8)
    rank[order], rank[-1] = np.arange(len(order)), len(order)  # a missing value's code is -1: the last
    names = tuple(str(values.names[place]) for place in order) + ((NOT_RECORDED,) if missing else ())
    return Facet(column, names, rank[values.codes]) if len(names) > 1 else None
