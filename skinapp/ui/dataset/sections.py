"""Sections of the Dataset page that count and draw the filtered photos; each reads only the columns that it needs."""

import pandas as pd
import streamlit as st

from skinapp.charts.distribution import Unit, draw_cap_effect, draw_class_distribution, draw_class_distribution_by_split
from skinapp.charts.flow import draw_flow_chart
from skinapp.charts.measures import draw_measure_by_class
from skinapp.charts.metadata import draw_metadata_by_class
from skinapp.charts.sizes import draw_sizes
from skinapp.datasets import description, summary
from skinapp.datasets.splits import split_by_lesion
from skinapp.datasets.table import SPLITS
from skinapp.errors import DatasetError
from skinapp.ui import chart
from skinapp.ui.dataset.filters import FilteredTable
from skinapp.ui.titles import TITLES

LABELS = ("diagnosis", "malignant")
HEADLINE_COLUMNS = (*LABELS, "lesion_id", *summary.METADATA)

CAP, MAX_CAP = 2_000, 10_000
"""Photos per class: the cap in published work on these data sets, and the highest on the slider."""

SEED = 2026
MAX_TO_SPLIT = 50_000
"""Photos up to which a split is previewed: a split by lesion takes half a minute for 400,000."""

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

PATIENTS = "Patients are not recorded, so one patient's lesions may be in several splits."


def show_classes(filtered: FilteredTable) -> None:
    """Show the photos or lesions of each class, in all and per split, and the effect of a cap."""
    table = filtered.columns(*LABELS, "lesion_id", "split")
    counts = summary.count_classes(table)
    if counts.empty:
        st.info("None of these photos has a label, so there are no classes to count.")
        return
    unit: Unit = "lesions" if _choose("Count", ("photos", "lesions"), "unit") == "lesions" else "photos"
    chart.show(draw_class_distribution(counts, unit), "classes", f"Bars: {unit} of each class, the largest class first")
    if table["split"].notna().any():
        st.subheader("Classes in each split", anchor=False)
        by_split = summary.count_classes_by_split(table)
        chart.show(
            draw_class_distribution_by_split(by_split, unit), "classes-by-split", f"{unit} of each class and split"
        )
    _show_cap(table)


def _show_cap(table: pd.DataFrame) -> None:
    st.subheader("Effect of a cap per class", anchor=False)
    cap = st.slider(
        "Maximum photos per class", 50, MAX_CAP, CAP, step=50, key="cap", bind="query-params", help="Drawn at random."
    )
    counts = summary.count_capped(table, cap)
    chart.show(draw_cap_effect(counts), "cap-chart", f"Bars: photos of each class before and after a cap of {cap:,}")
    before, after = summary.compute_imbalance(counts["before"]), summary.compute_imbalance(counts["after"])
    st.caption(
        f"{counts['after'].sum():,} of {counts['before'].sum():,} photos would be kept. Largest to smallest class: "
        f"{before:,.0f} : 1 before, {after:,.0f} : 1 after. The model would never see the photos that are left out."
    )


def show_sizes(filtered: FilteredTable) -> None:
    """Show the sizes of the photos, as published or as stored."""
    table = filtered.columns("source", "width", "height", "stored_width", "stored_height")
    published = table["width"].notna().any()
    options = ("as published", "as stored here")
    shown = _choose("Width and height", options, "sizes", options[0] if published else options[1])
    stored = shown == options[1]
    counts = summary.count_sizes(table, stored=stored)
    sources = sorted(counts["source"].dropna().unique())
    source = st.selectbox("Source", [EVERY_SOURCE, *sources], key="size-source") if len(sources) > 1 else EVERY_SOURCE
    figure = draw_sizes(counts, None if source == EVERY_SOURCE else source)
    chart.show(figure, "image-sizes", f"Photos of each size in pixels, {shown}")
    st.caption(
        "Sizes of the stored files. Copies are often smaller than the published originals."
        if stored
        else "Sizes of the published originals, if the source states them. The stored files may be smaller copies."
    )


def show_light(filtered: FilteredTable) -> None:
    """Show a measure that ignores the lesion, by class: a model could use it as a shortcut."""
    title = st.selectbox("Measure", tuple(MEASURES), key="measure", bind="query-params")
    frame = summary.compute_measure_quantiles(filtered.columns(*LABELS, MEASURES[title]), MEASURES[title])
    if frame.empty:
        st.info(f"{title} was not measured for these photos. `skinapp index` measures it.")
        return
    chart.show(draw_measure_by_class(frame, title), "measure-chart", f"{title} of the photos of each class")
    st.caption(
        "Measured on the stored photo, lesion and skin together. If the classes differ, a model can tell them apart "
        "without looking at the lesion; the shortcut probe under Audit shows how well. AUROC: how well this measure "
        "alone separates a class from all others. 0.5 is no separation; 0 or 1 is complete separation."
    )


def show_people(filtered: FilteredTable) -> None:
    """Show age, sex, site, camera and confirmation by class."""
    title = _choose("Show", tuple(PEOPLE), "people")
    column = PEOPLE[title]
    counts = summary.count_metadata(filtered.columns(*LABELS, column), column)
    chart.show(draw_metadata_by_class(counts, title), "people-chart", f"{title}: share of the photos in each class")
    if column == "confirmation":
        st.caption(
            "How the diagnosis was confirmed. Only histology examines tissue; the other methods are wrong more often."
        )


def show_splits(filtered: FilteredTable) -> None:
    """Show the flow from the sources to the splits, Table 1, and a preview of a new split."""
    table = filtered.columns(*HEADLINE_COLUMNS, "image_id", "path", "sha256", "perceptual_hash", "source", "split")
    st.subheader("From the sources to the splits", anchor=False)
    chart.show(
        draw_flow_chart(description.trace_flow(table)), "flow", "Photos and lesions at each step, from source to split"
    )
    st.subheader("Table 1", anchor=False)
    st.dataframe(
        description.make_table_one(table),
        hide_index=True,
        key="table-one",
        column_config=_capitalize_headings(TABLE_ONE),
    )
    st.caption(PATIENTS)
    _show_split_preview(table)


def _show_split_preview(table: pd.DataFrame) -> None:
    st.subheader("Preview of a new split", anchor=False)
    if len(table) > MAX_TO_SPLIT:
        st.caption(f"Available for up to {MAX_TO_SPLIT:,} photos. Filter the table, or use `skinapp split`.")
        return
    if not st.toggle("Preview a stratified split", key="preview"):
        st.caption(
            "70% train, 10% validation, 20% test. Lesions and identical files stay together; each split has the same "
            "share of each class."
        )
        return
    try:
        split = split_by_lesion(table, table.head(0), SEED)
    except DatasetError as error:
        st.info(str(error))
        return
    counts = summary.count_classes_by_split(split)
    chart.show(
        draw_class_distribution_by_split(counts, "photos"), "preview-chart", "Photos of each class in a new split"
    )
    st.dataframe(
        summary.count_splits(split), hide_index=True, width="content", column_config=_capitalize_headings(SPLIT_COUNTS)
    )
    st.caption(f"Counts only; nothing is stored. `skinapp split` makes this split with seed {SEED}. {PATIENTS}")


def _capitalize_headings(columns: tuple[str, ...]) -> dict[str, str]:
    """Give each column a heading that begins with a capital letter."""
    return {column: column.capitalize() for column in columns}


def _choose(label: str, options: tuple[str, ...], key: str, default: str | None = None) -> str:
    """Let the visitor choose one option; the choice is part of the address."""
    first = default or options[0]
    chosen = st.segmented_control(label, options, default=first, required=True, key=key, bind="query-params")
    return chosen or first
