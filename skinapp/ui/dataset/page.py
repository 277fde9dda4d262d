"""The Dataset page: the choice of a table, its key figures, and one section at a time."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.datasets.audit.findings import Leaks, count_leaks
from skinapp.datasets.filters import FilterIndex
from skinapp.datasets.summary import DataHeadline, compute_headline
from skinapp.errors import DatasetError
from skinapp.taxonomy import get_class_name
from skinapp.ui import loaders, state
from skinapp.ui.dataset import audit, export, filters, own_table, sections
from skinapp.ui.dataset.contact_sheet import show_contact_sheet
from skinapp.ui.dataset.filters import FilteredTable
from skinapp.ui.tile import show_metric

SECTIONS = ("Classes", "Sizes", "Light and colour", "People", "Splits", "Photos", "Audit", "Export")

MISSING_HELP = "Share of empty cells in the columns age, sex, site, camera and confirmation."
LEAKS_HELP = (
    "Lesions, and pairs of photos of the same picture, that are in two splits. A model is then tested on photos it has "
    "seen in training. Counted for the whole table, without the filters."
)

_TABLE = "table"


@dataclass(frozen=True, eq=False)
class OpenTable:
    """The table on the page; `path` is the shipped file, None for the visitor's own; `root` the folder of photos."""

    name: str
    table: pd.DataFrame
    index: FilterIndex
    path: Path | None
    root: Path | None
    findings: pd.DataFrame | None


def open_table() -> OpenTable:
    """Let the visitor choose a table or open one of their own; DatasetError if none is stored or it cannot be read."""
    choice, bring = st.columns([3, 1], vertical_alignment="bottom")
    with bring:
        own_table.bring_table(_TABLE)
    own, shipped = state.get_own_table(), {path.stem: path for path in loaders.list_tables()}
    names = [*shipped, *([own.name] if own else [])]
    if not names:
        raise DatasetError("No image table is stored. Make one with `skinapp index`, or open one of your own.")
    unknown = [name for name in st.query_params.get_all(_TABLE) if name not in names]
    chosen = choice.selectbox("Image table", names, key=_TABLE, bind="query-params")
    own_table.show_refused()
    if unknown:
        st.info("The link names a table that does not exist here. Another one is shown.")
    if own and chosen == own.name:
        for note in own.notes:
            st.caption(note)
        return OpenTable(own.name, own.table, own.index, None, own.root, own.findings)
    path = shipped[chosen]
    return OpenTable(
        chosen,
        loaders.get_table(path),
        loaders.get_filter_index(path),
        path,
        loaders.get_data_root(),
        loaders.get_findings(chosen),
    )


def show(opened: OpenTable) -> None:
    """Show a table: its filters, its key figures, and the chosen section."""
    filtered = filters.choose_filters(opened.table, opened.index)
    if not filtered.photos:
        st.info("No photo matches these filters. Clear them, or choose other values.")
        return
    _show_headline(_compute_headline(opened, filtered), _count_leaks(opened))
    section = st.pills("Section", SECTIONS, default=SECTIONS[0], required=True, key="section", bind="query-params")
    _show_section(section or SECTIONS[0], opened, filtered)


def _show_section(section: str, opened: OpenTable, filtered: FilteredTable) -> None:
    """Compute and draw one section; the others are not computed."""
    if section == "Photos":
        show_contact_sheet(filtered, opened.root)
    elif section == "Audit":
        audit.show(opened.name, opened.table, opened.findings, opened.root, own=opened.path is None)
    elif section == "Export":
        export.show(opened.name, filtered)
    else:
        draw = {
            "Classes": sections.show_classes,
            "Sizes": sections.show_sizes,
            "Light and colour": sections.show_light,
            "People": sections.show_people,
            "Splits": sections.show_splits,
        }
        draw[section](filtered)


def _compute_headline(opened: OpenTable, filtered: FilteredTable) -> DataHeadline:
    if filtered.whole and opened.path is not None:
        return loaders.get_table_headline(opened.path)
    return compute_headline(filtered.columns(*sections.HEADLINE_COLUMNS))


def _count_leaks(opened: OpenTable) -> Leaks | None:
    return None if opened.findings is None else count_leaks(opened.findings, opened.name)


def _show_headline(counts: DataHeadline, leaks: Leaks | None) -> None:
    """Show the size of the table, its imbalance, and its leaks."""
    largest = "–" if math.isnan(counts.largest_to_smallest) else f"{counts.largest_to_smallest:,.0f} : 1"
    top = ", ".join(get_class_name(label) for label in counts.top_three)
    with st.container(horizontal=True):
        _show_metric(
            "Photos", f"{counts.photos:,}", f"{counts.unlabelled:,} without a label" if counts.unlabelled else ""
        )
        _show_metric("Lesions", f"{counts.lesions:,}" if counts.lesions else "–", _describe_lesions(counts))
        _show_metric("Classes", f"{counts.classes:,}")
        _show_metric("Largest to smallest", largest)
        _show_metric("Share of the top three classes", _format_share(counts.top_three_share), meaning=top or None)
        _show_metric("Missing metadata", _format_share(counts.missing), meaning=MISSING_HELP)
        _show_metric("Leaks found", *_describe_leaks(leaks), meaning=LEAKS_HELP)


def _show_metric(label: str, value: str, below: str = "", meaning: str | None = None) -> None:
    show_metric(label, value, below, meaning, height="stretch")


def _format_share(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"


def _describe_lesions(counts: DataHeadline) -> str:
    return f"{counts.without_lesion:,} photos without one" if counts.without_lesion else ""


def _describe_leaks(leaks: Leaks | None) -> tuple[str, str]:
    if leaks is None:
        return "–", "not audited"
    return f"{leaks.within:,}", f"{leaks.between:,} with other tables" if leaks.between else ""
