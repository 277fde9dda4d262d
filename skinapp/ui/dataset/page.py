"""The Dataset page's frame: which table, what it holds in a line, which section of it is looked at."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.datasets.audit.findings import Leaks, leaks
from skinapp.datasets.filters import FilterIndex
from skinapp.datasets.summary import DataHeadline, headline
from skinapp.errors import DatasetError
from skinapp.taxonomy import class_name
from skinapp.ui import loaders, state
from skinapp.ui.dataset import audit, export, filters, own_table, sections
from skinapp.ui.dataset.contact_sheet import contact_sheet
from skinapp.ui.dataset.filters import FilteredTable
from skinapp.ui.metric import metric

SECTIONS = ("Classes", "Sizes", "Light and colour", "People", "Splits", "Photos", "Audit", "Export")

MISSING_HELP = "Share of the cells for age, sex, site, camera and confirmation in which nothing is recorded."
LEAKS_HELP = (
    "Pairs of photos that show one picture, and lesions, on both sides of a split: what a model has seen in training "
    "is then scored as new. Counted for the whole table, whatever the filters keep."
)

_TABLE = "table"


@dataclass(frozen=True, eq=False)
class Opened:
    """The table on show; `path` is the shipped file, None for the visitor's own; `root` is where its photos may lie."""

    name: str
    table: pd.DataFrame
    index: FilterIndex
    path: Path | None
    root: Path | None
    findings: pd.DataFrame | None


def open_table() -> Opened:
    """Let the reader choose a table, or bring one; DatasetError where none is stored or it cannot be read."""
    choice, bring = st.columns([3, 1], vertical_alignment="bottom")
    with bring:
        own_table.bring_table(_TABLE)
    own, shipped = state.own_table(), {path.stem: path for path in loaders.tables()}
    names = [*shipped, *([own.name] if own else [])]
    if not names:
        raise DatasetError("No image table is stored. Make one with `skinapp index`, or open one of your own.")
    asked = [name for name in st.query_params.get_all(_TABLE) if name not in names]
    chosen = choice.selectbox("Image table", names, key=_TABLE, bind="query-params")
    own_table.say_refused()
    if asked:
        st.info("The address asks for a table that is not here. Another is shown.")
    if own and chosen == own.name:
        for note in own.notes:
            st.caption(note)
        return Opened(own.name, own.table, own.index, None, own.root, own.findings)
    path = shipped[chosen]
    return Opened(
        chosen, loaders.table(path), loaders.filter_index(path), path, loaders.data_root(), loaders.findings(chosen)
    )


def show(opened: Opened) -> None:
    """Show a table: its filters, its headline, and the one section that is looked at."""
    kept = filters.choose(opened.table, opened.index)
    if not kept.photos:
        st.info("No photo matches these filters. Clear them, or choose other values.")
        return
    _headline(_counted(opened, kept), _leaks(opened))
    section = st.pills("Section", SECTIONS, default=SECTIONS[0], required=True, key="section", bind="query-params")
    _section(section or SECTIONS[0], opened, kept)


def _section(section: str, opened: Opened, kept: FilteredTable) -> None:
    """Compute and draw one section; the others cost nothing until they are chosen."""
    if section == "Photos":
        contact_sheet(kept, opened.root)
    elif section == "Audit":
        audit.show(opened.name, opened.table, opened.findings, opened.root, own=opened.path is None)
    elif section == "Export":
        export.show(opened.name, kept)
    else:
        draw = {
            "Classes": sections.classes,
            "Sizes": sections.sizes,
            "Light and colour": sections.light,
            "People": sections.people,
            "Splits": sections.splits,
        }
        draw[section](kept)


def _counted(opened: Opened, kept: FilteredTable) -> DataHeadline:
    if kept.whole and opened.path is not None:
        return loaders.table_headline(opened.path)
    return headline(kept.columns(*sections.HEADLINE_COLUMNS))


def _leaks(opened: Opened) -> Leaks | None:
    return None if opened.findings is None else leaks(opened.findings, opened.name)


def _headline(counts: DataHeadline, found: Leaks | None) -> None:
    """Show how much there is, how unevenly, and what is wrong with it."""
    largest = "–" if math.isnan(counts.largest_to_smallest) else f"{counts.largest_to_smallest:,.0f} : 1"
    top = ", ".join(class_name(label) for label in counts.top_three)
    with st.container(horizontal=True):
        _metric("Photos", f"{counts.photos:,}", f"{counts.unlabelled:,} without a label" if counts.unlabelled else "")
        _metric("Lesions", f"{counts.lesions:,}" if counts.lesions else "–", _lesions(counts))
        _metric("Classes", f"{counts.classes:,}")
        _metric("Largest to smallest", largest)
        _metric("Top three classes", _share(counts.top_three_share), help=top or None)
        _metric("Missing metadata", _share(counts.missing), help=MISSING_HELP)
        _metric("Leaks found", *_leaks_in_words(found), help=LEAKS_HELP)


def _metric(label: str, value: str, below: str = "", help: str | None = None) -> None:
    metric(label, value, below, help, height="stretch")


def _share(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"


def _lesions(counts: DataHeadline) -> str:
    return f"{counts.without_lesion:,} photos without one" if counts.without_lesion else ""


def _leaks_in_words(found: Leaks | None) -> tuple[str, str]:
    if found is None:
        return "–", "not audited"
    return f"{found.within:,}", f"{found.between:,} with other tables" if found.between else ""
