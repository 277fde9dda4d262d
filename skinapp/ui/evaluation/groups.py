"""Sections of the Evaluation page on whom and how: subgroups, lesions photographed twice, the training."""

import pandas as pd
import streamlit as st

from skinapp.charts.forest import draw_forest_plot
from skinapp.charts.learning import draw_learning_curves
from skinapp.charts.repeats import draw_repeats
from skinapp.metrics.labels import get_metric_name
from skinapp.runs.predictions import Predictions
from skinapp.runs.views import repeats as seen_again
from skinapp.runs.views.subgroups import REPLICATES, compute_subgroup_figures
from skinapp.ui import chart, loaders
from skinapp.ui.evaluation import widgets
from skinapp.ui.open_run import MANY_PHOTOS, OpenRun
from skinapp.ui.titles import TITLES

SUBGROUP_METRICS = ("balanced_accuracy", "accuracy", "malignant_auroc", "sensitivity", "specificity")
WITHOUT_THRESHOLD = "Sensitivity and specificity here count a photo as malignant if its likeliest class is malignant."
FEWER_REPLICATES = 40
"""So many draws are made of more than MANY_PHOTOS: a reader need not wait for each column."""

SKIN_TONE = (
    "Skin tone is not recorded in any of these data sets, so nothing can be said of it; nearly all photos are of light "
    "skin. Patients are not recorded either."
)


def subgroups(opened: OpenRun) -> None:
    """Show a figure by age, sex, site, camera, confirmation, diagnosis or a column of the visitor's own."""
    columns = [column for column in opened.facts.columns if opened.facts[column].notna().any()]
    if not columns:
        st.info("Nothing is known of these photos but their labels, so there are no subgroups to compare.")
        return
    left, right = st.columns(2)
    titles = {_title(column): column for column in columns}
    by = left.selectbox("By", list(titles), key="by", bind="query-params")
    names = {get_metric_name(metric): metric for metric in SUBGROUP_METRICS}
    words = right.selectbox("Figure", list(names), key="subgroup-figure", bind="query-params", help=WITHOUT_THRESHOLD)
    with st.spinner("Drawing lesions anew for the intervals"):
        found = opened.cached(_figures, opened, titles[by])
    shown = found[found["figure"] == names[words]]
    if shown.empty:
        st.info(f"{words} is not defined for this run.")
        return
    rows = shown.rename(columns={"level": "label"}).assign(note=_counts(shown))
    chart.show(
        draw_forest_plot(rows, None, words, (0.0, 1.0)), "subgroups", f"{words} by {by.lower()}, with 95% intervals"
    )
    widgets.subgroup_table(shown)
    st.caption(SKIN_TONE)


def _figures(run: Predictions, opened: OpenRun, column: str) -> pd.DataFrame:
    replicates = FEWER_REPLICATES if len(run.frame) > MANY_PHOTOS else REPLICATES
    return compute_subgroup_figures(run, opened.facts, (column,), replicates)


def _counts(rows: pd.DataFrame) -> "list[str]":
    return [f"{photos:,} photos" for photos in rows["photos"]]


def _title(column: str) -> str:
    return {"age_band": "Age"}.get(column) or TITLES.get(column, column.replace("_", " ").capitalize())


def repeats(opened: OpenRun) -> None:
    """Show how steady the answers are on several photos of one lesion."""
    steady = opened.cached(seen_again.compute_repeatability)
    if steady is None:
        st.info("No lesion of this run has two photos, so how steady its answers are can't be said.")
        return
    widgets.repeatability(steady)
    lesions = opened.cached(seen_again.list_repeated_lesions)
    if lesions["malignant_range"].notna().any():
        chart.show(draw_repeats(lesions), "repeats", "How far the malignant score moves within a lesion")
    st.caption(
        "Photos of one lesion differ in light, zoom, angle and sometimes in the day. An answer that changes with them "
        "hangs on more than the lesion."
    )


def training(opened: OpenRun) -> None:
    """Show how loss and figures went, epoch by epoch."""
    curves = None if opened.folder is None else loaders.read_curves(opened.folder)
    if opened.folder and (members := loaders.list_members(opened.folder)):
        st.info(
            f"This model averages networks that were trained one by one: {', '.join(members)}. "
            "How each learned is shown with its own runs."
        )
        return
    if curves is None or curves.empty:
        st.info("How this run's model was trained is not stored here.")
        return
    chart.show(draw_learning_curves(curves), "learning", "Loss and figures by epoch")
    facts = loaders.read_training_facts(opened.folder) if opened.folder else None
    if facts:
        st.caption(
            f"{facts.epochs} epochs in {facts.elapsed_s / 60:,.0f} minutes on {facts.device}; the weights of epoch "
            f"{facts.best_epoch} were taken."
        )
    st.caption("On validation photos. Loss and figures may part: the lowest loss is not always the most useful model.")
