"""The filters of the Dataset page: widgets whose choices stand in the address, so that a link can be shared."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skinapp.datasets.columns import quoted
from skinapp.datasets.filters import Facet, FilterIndex, Mask, Selection, rows
from skinapp.taxonomy import class_name
from skinapp.ui import state
from skinapp.ui.titles import TITLES

_A_ROW = 4


@dataclass(frozen=True, eq=False)
class FilteredTable:
    """A table and which of its rows the filters keep, bool (n,); `whole` says that they keep every one."""

    table: pd.DataFrame
    mask: Mask
    selection: Selection

    @property
    def photos(self) -> int:
        """How many photos are kept."""
        return int(self.mask.sum())

    @property
    def whole(self) -> bool:
        """Tell whether every photo is kept."""
        return not self.selection.active

    def columns(self, *names: str) -> pd.DataFrame:
        """Return the kept rows of some columns, all where none is named, numbered anew; callers must not change it."""
        part = self.table[list(names)] if names else self.table
        return part if self.whole else part[self.mask].reset_index(drop=True)


def choose(table: pd.DataFrame, index: FilterIndex) -> FilteredTable:
    """Show the filters that a table can have, and return what they keep."""
    _say_unknown(index)
    with st.expander("Filters", icon=":material/filter_alt:"):
        selection = Selection(**_facets(index), age=_age(index))
    kept = FilteredTable(table, rows(index, selection), selection)
    _summary(kept, index)
    return kept


def words(column: str, values: tuple[str, ...]) -> Callable[[str], str]:
    """Return what writes a column's values for readers: diagnoses by name, unless two would bear the same."""
    named = len({class_name(value) for value in values}) == len(values)
    return class_name if column == "diagnosis" and named else str


def _facets(index: FilterIndex) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    places: list[DeltaGenerator] = []
    for number, facet in enumerate(index.facets):
        places = st.columns(_A_ROW) if number % _A_ROW == 0 else places
        with places[number % _A_ROW]:
            chosen[facet.column] = _facet(facet)
    return chosen


def _facet(facet: Facet) -> tuple[str, ...]:
    _read_codes(facet)
    values = st.multiselect(
        TITLES[facet.column],
        facet.values,
        format_func=words(facet.column, facet.values),
        key=facet.column,
        bind="query-params",
        placeholder="All",
    )
    return tuple(values)


def _age(index: FilterIndex) -> tuple[float, float] | None:
    limits = index.age_range
    if limits is None:
        return None
    chosen = st.slider(
        TITLES["age"],
        *limits,
        value=limits,
        key="age",
        bind="query-params",
        help="A narrower range leaves out photos whose age is not recorded.",
    )
    return None if chosen == limits else chosen


def _read_codes(facet: Facet) -> None:
    """Take codes in a link as well as words: Streamlit itself knows only the words that it shows."""
    asked = st.query_params.get_all(facet.column)
    shown = [words(facet.column, facet.values)(value) for value in facet.values]
    if state.widget_value(facet.column) is None and any(
        value in facet.values and value not in shown for value in asked
    ):
        wanted = [value for value, word in zip(facet.values, shown, strict=True) if {value, word} & set(asked)]
        state.set_widget(facet.column, wanted)


def _say_unknown(index: FilterIndex) -> None:
    """Say what the address asks for that this table does not have; it is then left out."""
    known = {facet.column: facet for facet in index.facets}
    strange = []
    for column in set(TITLES) - {"age"}:
        values = known[column].values if column in known else ()
        taken = {*values, *map(words(column, values), values), ""}
        strange += [
            f"{TITLES[column]} {quoted(value)}" for value in st.query_params.get_all(column) if value not in taken
        ]
    age = st.query_params.get_all("age")
    if age and not _fits(age, index.age_range):
        strange.append(f"{TITLES['age']} {quoted(' to '.join(age))}")
    if strange:
        st.info(f"The address asks for what this table does not have. Left out: {', '.join(sorted(strange)[:5])}.")


def _fits(age: list[str], limits: tuple[int, int] | None) -> bool:
    """Tell whether an address's range of ages is one that the slider can show."""
    if limits is None or len(age) != 2 or not all(years.isdecimal() for years in age):
        return False
    return limits[0] <= int(age[0]) <= int(age[1]) <= limits[1]


def _summary(kept: FilteredTable, index: FilterIndex) -> None:
    """Say what is kept, in a row that is always there, so that nothing below it jumps."""
    values = {facet.column: words(facet.column, facet.values) for facet in index.facets}
    parts = [
        f"{TITLES[column]}: {', '.join(map(write, getattr(kept.selection, column)))}"
        for column, write in values.items()
        if getattr(kept.selection, column)
    ]
    if kept.selection.age is not None:
        youngest, oldest = kept.selection.age
        parts.append(f"{TITLES['age']}: {youngest:.0f} to {oldest:.0f}")
    with st.container(horizontal=True, vertical_alignment="center"):
        said = "; ".join(parts) or "No filter."
        st.markdown(f"**{kept.photos:,} of {len(kept.table):,} photos.** {said}", width="content")
        st.button(
            "Clear filters",
            icon=":material/filter_alt_off:",
            type="tertiary",
            disabled=kept.whole,
            on_click=_clear,
            args=(index,),
        )


def _clear(index: FilterIndex) -> None:
    for facet in index.facets:
        state.set_widget(facet.column, [])
    if index.age_range is not None:
        state.set_widget("age", index.age_range)
