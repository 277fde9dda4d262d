"""The filters of the Dataset page; their values are part of the address, so that a link can be shared."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skinapp.datasets.columns import quote
from skinapp.datasets.filters import Facet, FilterIndex, Mask, Selection, select_rows
from skinapp.taxonomy import get_class_name
from skinapp.ui import state
from skinapp.ui.titles import TITLES

_PER_ROW = 4


@dataclass(frozen=True, eq=False)
class FilteredTable:
    """A table and the rows that its filters keep, `mask` bool (n,)."""

    table: pd.DataFrame
    mask: Mask
    selection: Selection

    @property
    def photos(self) -> int:
        """The number of photos that the filters keep."""
        return int(self.mask.sum())

    @property
    def whole(self) -> bool:
        """Whether no filter is active, so that every photo is kept."""
        return not self.selection.active

    def columns(self, *names: str) -> pd.DataFrame:
        """Return the filtered rows of some columns, or of all, with a new index; callers must not change it."""
        part = self.table[list(names)] if names else self.table
        return part if self.whole else part[self.mask].reset_index(drop=True)


def choose_filters(table: pd.DataFrame, index: FilterIndex) -> FilteredTable:
    """Show the filters of a table, and return the filtered table."""
    _show_unknown(index)
    with st.expander("Filters", icon=":material/filter_alt:"):
        selection = Selection(**_choose_values(index), age=_choose_age(index))
    filtered = FilteredTable(table, select_rows(index, selection), selection)
    _show_summary(filtered, index)
    return filtered


def get_value_format(column: str, values: tuple[str, ...]) -> Callable[[str], str]:
    """Return the function that formats a column's values: diagnoses get their names unless two would be the same."""
    distinct = len({get_class_name(value) for value in values}) == len(values)
    return get_class_name if column == "diagnosis" and distinct else str


def _choose_values(index: FilterIndex) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    columns: list[DeltaGenerator] = []
    for number, facet in enumerate(index.facets):
        columns = st.columns(_PER_ROW) if number % _PER_ROW == 0 else columns
        with columns[number % _PER_ROW]:
            chosen[facet.column] = _choose_facet(facet)
    return chosen


def _choose_facet(facet: Facet) -> tuple[str, ...]:
    _read_codes(facet)
    values = st.multiselect(
        TITLES[facet.column],
        facet.values,
        format_func=get_value_format(facet.column, facet.values),
        key=facet.column,
        bind="query-params",
        placeholder="All",
    )
    return tuple(values)


def _choose_age(index: FilterIndex) -> tuple[float, float] | None:
    limits = index.age_range
    if limits is None:
        return None
    chosen = st.slider(
        TITLES["age"],
        *limits,
        value=limits,
        key="age",
        bind="query-params",
        help="A narrower range also removes photos without a recorded age.",
    )
    return None if chosen == limits else chosen


def _read_codes(facet: Facet) -> None:
    """Accept codes in the address as well as names: Streamlit itself accepts only the names that it shows."""
    given = st.query_params.get_all(facet.column)
    shown = [get_value_format(facet.column, facet.values)(value) for value in facet.values]
    if state.get_widget(facet.column) is None and any(value in facet.values and value not in shown for value in given):
        wanted = [value for value, name in zip(facet.values, shown, strict=True) if {value, name} & set(given)]
        state.set_widget(facet.column, wanted)


def _show_unknown(index: FilterIndex) -> None:
    """Name the filter values in the address that this table does not have; they are ignored."""
    known = {facet.column: facet for facet in index.facets}
    unknown = []
    for column in set(TITLES) - {"age"}:
        values = known[column].values if column in known else ()
        accepted = {*values, *map(get_value_format(column, values), values), ""}
        unknown += [
            f"{TITLES[column]} {quote(value)}" for value in st.query_params.get_all(column) if value not in accepted
        ]
    age = st.query_params.get_all("age")
    if age and not _is_age_range(age, index.age_range):
        unknown.append(f"{TITLES['age']} {quote(' to '.join(age))}")
    if unknown:
        st.info(
            "The link has filter values that do not occur in this table. They are ignored: "
            f"{', '.join(sorted(unknown)[:5])}."
        )


def _is_age_range(age: list[str], limits: tuple[int, int] | None) -> bool:
    """Tell whether the ages in the address are a range that the slider can show."""
    if limits is None or len(age) != 2 or not all(years.isdecimal() for years in age):
        return False
    return limits[0] <= int(age[0]) <= int(age[1]) <= limits[1]


def _show_summary(filtered: FilteredTable, index: FilterIndex) -> None:
    """Show the number of photos and the active filters, in a row that is always there so that nothing below moves."""
    formats = {facet.column: get_value_format(facet.column, facet.values) for facet in index.facets}
    parts = [
        f"{TITLES[column]}: {', '.join(map(format_value, getattr(filtered.selection, column)))}"
        for column, format_value in formats.items()
        if getattr(filtered.selection, column)
    ]
    if filtered.selection.age is not None:
        youngest, oldest = filtered.selection.age
        parts.append(f"{TITLES['age']}: {youngest:.0f} to {oldest:.0f}")
    with st.container(horizontal=True, vertical_alignment="center"):
        active = "; ".join(parts) or "No filter."
        st.markdown(f"**{filtered.photos:,} of {len(filtered.table):,} photos.** {active}", width="content")
        st.button(
            "Clear filters",
            icon=":material/filter_alt_off:",
            type="tertiary",
            disabled=filtered.whole,
            on_click=_clear_filters,
            args=(index,),
        )


def _clear_filters(index: FilterIndex) -> None:
    for facet in index.facets:
        state.set_widget(facet.column, [])
    if index.age_range is not None:
        state.set_widget("age", index.age_range)
