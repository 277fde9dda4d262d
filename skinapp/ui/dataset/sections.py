"""Sections of the Dataset page that count and draw the kept photos; each reads only the columns that it needs."""

import pandas as pd
import streamlit as st

from skinapp.charts.distribution import Unit, cap_effect, class_distribution, class_distribution_by_split
from skinapp.charts.flow import flow_chart
from skinapp.charts.measures import measure_by_class
from skinapp.charts.metadata import metadata_by_class
from skinapp.charts.sizes import size_heatmap
from skinapp.datasets import description, summary
from skinapp.datasets.splits import split_by_lesion
from skinapp.datasets.table import SPLITS
from skinapp.errors import DatasetError
from skinapp.ui import chart
from skinapp.ui.dataset.filters import FilteredTable
from skinapp.ui.titles import TITLES

LABELS = ("diagnosis", "malignant")
HEADLINE_COLUMNS = (*LABELS, "lesion_id", *summary.METADATA)

CAP, MOST_CAP = 2_000, 10_000
"""Photos a class: the cap that published work on these data sets uses, and the largest that the slider offers."""

SEED = 2026
MOST_TO_SPLIT = 50_000
"""A preview splits by lesion, which takes half a minute for 400,000 photos: of more than these it is not offered."""

MEASURES = {
    "Brightness": "brightness",
    "Contrast": "contrast",
    "Sharpness": "sharpness",
    "Dark corners": "dark_corners",
    "Red": "red",
    "Green": "green",
    "Blue": "blue",
}
PEOPLE = {TITLES[column]: column for column in ("age", "sex", "site", "camera", "confirmation")}

EVERY_SOURCE = "All together"

TABLE_ONE = ("characteristic", "level", *SPLITS, description.NO_SPLIT, description.ALL)
SPLIT_COUNTS = ("split", "photos", "lesions", "malignant")

PATIENTS = "Patients are not recorded: one patient's lesions may be on both sides of a split."


def classes(kept: FilteredTable) -> None:
    """Show how many photos or lesions each class has, split by split, and what a cap would leave."""
    table = kept.columns(*LABELS, "lesion_id", "split")
    counts = summary.class_counts(table)
    if counts.empty:
        st.info("No photo here has a label: there are no classes to count.")
        return
    unit: Unit = "lesions" if _choice("Count", ("photos", "lesions"), "unit") == "lesions" else "photos"
    chart.show(class_distribution(counts, unit), "classes", f"Bars: {unit} of each class, most first")
    if table["split"].notna().any():
        st.subheader("Split by split", anchor=False)
        by_split = summary.class_counts_by_split(table)
        chart.show(class_distribution_by_split(by_split, unit), "classes-by-split", f"{unit} of each class and split")
    _cap(table)


def _cap(table: pd.DataFrame) -> None:
    st.subheader("If each class were capped", anchor=False)
    cap = st.slider(
        "Most photos a class", 50, MOST_CAP, CAP, step=50, key="cap", bind="query-params", help="Drawn by chance."
    )
    counts = summary.capped_counts(table, cap)
    chart.show(cap_effect(counts), "cap-chart", f"Bars: photos of each class before and after a cap of {cap:,}")
    before, after = summary.imbalance(counts["before"]), summary.imbalance(counts["after"])
    st.caption(
        f"{counts['after'].sum():,} of {counts['before'].sum():,} photos would stay; largest to smallest class "
        f"{before:,.0f} : 1 before, {after:,.0f} : 1 after. The photos left out teach nothing."
    )


def sizes(kept: FilteredTable) -> None:
    """Show which sizes the photos have, as published and as stored."""
    table = kept.columns("source", "width", "height", "stored_width", "stored_height")
    published = table["width"].notna().any()
    options = ("as published", "as stored here")
    shown = _choice("Width and height", options, "sizes", options[0] if published else options[1])
    stored = shown == options[1]
    counts = summary.size_counts(table, stored=stored)
    sources = sorted(counts["source"].dropna().unique())
    source = st.selectbox("Source", [EVERY_SOURCE, *sources], key="size-source") if len(sources) > 1 else EVERY_SOURCE
    figure = size_heatmap(counts, None if source == EVERY_SOURCE else source)
    chart.show(figure, "image-sizes", f"Photos of each size in pixels, {shown}")
    st.caption(
        "The size of the files that were read here; copies are often smaller than what was published."
        if stored
        else "The size of the published originals, where the source says it. What was read here may be a smaller copy."
    )


def light(kept: FilteredTable) -> None:
    """Show what a picture tells without its lesion, by class: what a model could cheat with."""
    words = st.selectbox("Measure", tuple(MEASURES), key="measure", bind="query-params")
    frame = summary.measure_quantiles(kept.columns(*LABELS, MEASURES[words]), MEASURES[words])
    if frame.empty:
        st.info(f"{words} was not measured for these photos. Index them with `skinapp index` to have it.")
        return
    chart.show(measure_by_class(frame, words), "measure-chart", f"{words} of the photos of each class")
    st.caption(
        "Measured on the stored photo, lesion and skin together. Where classes lie apart, a model can tell them apart "
        "without looking at the lesion; the shortcut probe under Audit says how far that carries. AUROC: how well the "
        "measure alone tells a class from all others; 0.5 tells nothing, near 0 or 1 tells all."
    )


def people(kept: FilteredTable) -> None:
    """Show age, sex, site, camera and confirmation by class."""
    words = _choice("Show", tuple(PEOPLE), "people")
    column = PEOPLE[words]
    counts = summary.metadata_counts(kept.columns(*LABELS, column), column)
    chart.show(metadata_by_class(counts, words), "people-chart", f"{words} of the photos of each class, in shares")
    if column == "confirmation":
        st.caption(
            "How the label was found. Histology looks at tissue; the others do not, and can be wrong more often."
        )


def splits(kept: FilteredTable) -> None:
    """Show the flow from the sources to the splits, Table 1, and what a fresh split would give."""
    table = kept.columns(*HEADLINE_COLUMNS, "image_id", "path", "sha256", "perceptual_hash", "source", "split")
    st.subheader("From the sources to the splits", anchor=False)
    chart.show(flow_chart(description.flow(table)), "flow", "Photos and lesions at each step, from source to split")
    st.subheader("Table 1", anchor=False)
    st.dataframe(description.table_one(table), hide_index=True, key="table-one", column_config=_titled(TABLE_ONE))
    st.caption(PATIENTS)
    _preview(table)


def _preview(table: pd.DataFrame) -> None:
    st.subheader("What a fresh split would give", anchor=False)
    if len(table) > MOST_TO_SPLIT:
        st.caption(f"Offered for up to {MOST_TO_SPLIT:,} photos; use `skinapp split` for more, or filter.")
        return
    if not st.toggle("Preview a stratified split", key="preview"):
        st.caption("70% train, 10% validation, 20% test: lesions and identical files whole, classes in proportion.")
        return
    try:
        done = split_by_lesion(table, table.head(0), SEED)
    except DatasetError as error:
        st.info(str(error))
        return
    counts = summary.class_counts_by_split(done)
    chart.show(class_distribution_by_split(counts, "photos"), "preview-chart", "Photos of each class in a fresh split")
    st.dataframe(summary.split_counts(done), hide_index=True, width="content", column_config=_titled(SPLIT_COUNTS))
    st.caption(f"Counts alone; nothing is stored. `skinapp split` makes it, seed {SEED}. {PATIENTS}")


def _titled(columns: tuple[str, ...]) -> dict[str, str]:
    """Head the columns of a table that is shown with a capital letter."""
    return {column: column.capitalize() for column in columns}


def _choice(label: str, options: tuple[str, ...], key: str, default: str | None = None) -> str:
    """Let the reader choose one of a few; the choice stands in the address."""
    first = default or options[0]
    chosen = st.segmented_control(label, options, default=first, required=True, key=key, bind="query-params")
    return chosen or first
