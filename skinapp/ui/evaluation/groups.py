"""Sections of the Evaluation page on subgroups, lesions with several photos, and the training."""

import pandas as pd
import streamlit as st

from skinapp.charts.forest import draw_forest_plot
from skinapp.charts.learning import draw_learning_curves
from skinapp.charts.repeats import draw_repeats
from skinapp.metrics.labels import get_metric_name
from skinapp.runs.open_run import MANY_PHOTOS, OpenRun
from skinapp.runs.predictions import Predictions
from skinapp.runs.views import repeats
from skinapp.runs.views.subgroups import REPLICATES, compute_subgroup_figures
from skinapp.ui import chart, loaders
from skinapp.ui.evaluation import widgets
from skinapp.ui.titles import TITLES

SUBGROUP_METRICS = ("balanced_accuracy", "accuracy", "malignant_auroc", "sensitivity", "specificity")
WITHOUT_THRESHOLD = (
    "Sensitivity and specificity here treat a photo as called malignant if its most likely class is a malignant one."
)
FEWER_REPLICATES = 40
"""Replicates for more than MANY_PHOTOS, so that a reader need not wait long for each column."""

SKIN_TONE = (
    "Skin tone is not recorded in any of these data sets, so there are no figures by skin tone; nearly all photos show "
    "light skin. Patients are not recorded either."
)


def show_subgroups(opened: OpenRun) -> None:
    """Show a figure by age, sex, site, camera, confirmation, diagnosis or a column of an upload."""
    columns = [column for column in opened.facts.columns if opened.facts[column].notna().any()]
    if not columns:
        st.info("Only the labels of these photos are known, so there are no subgroups to compare.")
        return
    left, right = st.columns(2)
    titles = {_name_column(column): column for column in columns}
    by = left.selectbox("By", list(titles), key="by", bind="query-params")
    names = {get_metric_name(metric): metric for metric in SUBGROUP_METRICS}
    words = right.selectbox("Figure", list(names), key="subgroup-figure", bind="query-params", help=WITHOUT_THRESHOLD)
    with st.spinner("Computing intervals"):
        figures = opened.cached(_compute_figures, opened, titles[by])
    shown = figures[figures["figure"] == names[words]]
    if shown.empty:
        st.info(f"{words} is not defined for this run.")
        return
    rows = shown.rename(columns={"level": "label"}).assign(note=_describe_counts(shown))
    chart.show(
        draw_forest_plot(rows, None, words, (0.0, 1.0)), "subgroups", f"{words} by {by.lower()}, with 95% intervals"
    )
    widgets.show_subgroup_table(shown)
    if opened.origin is not None:  # of an upload it is not known
        st.caption(SKIN_TONE)


def _compute_figures(run: Predictions, opened: OpenRun, column: str) -> pd.DataFrame:
    replicates = FEWER_REPLICATES if len(run.frame) > MANY_PHOTOS else REPLICATES
    return compute_subgroup_figures(run, opened.facts, (column,), replicates)


def _describe_counts(rows: pd.DataFrame) -> "list[str]":
    return [f"{photos:,} photos" for photos in rows["photos"]]


def _name_column(column: str) -> str:
    return {"age_band": "Age"}.get(column) or TITLES.get(column, column.replace("_", " ").capitalize())


def show_repeats(opened: OpenRun) -> None:
    """Show how much the answers vary between photos of one lesion."""
    repeatability = opened.cached(repeats.compute_repeatability)
    if repeatability is None:
        st.info("No lesion of this run has several photos, so this cannot be measured.")
        return
    widgets.show_repeatability(repeatability)
    lesions = opened.cached(repeats.list_repeated_lesions)
    if lesions["malignant_range"].notna().any():
        chart.show(draw_repeats(lesions), "repeats", "Range of the malignant score within a lesion")
    st.caption(
        "Photos of one lesion differ in light, zoom, angle and sometimes in the day. If the answer changes with "
        "them, it depends on more than the lesion."
    )


def show_training(opened: OpenRun) -> None:
    """Show loss and figures by epoch."""
    curves = None if opened.folder is None else loaders.read_curves(opened.folder)
    if opened.folder and (members := loaders.list_members(opened.folder)):
        st.info(
            f"This model averages networks that were trained one by one: {', '.join(members)}. "
            "The training of each is shown with its own runs."
        )
        return
    if curves is None or curves.empty:
        st.info("No training record is stored for this run's model.")
        return
    chart.show(draw_learning_curves(curves), "learning", "Loss and figures by epoch")
    facts = loaders.read_training_facts(opened.folder) if opened.folder else None
    if facts:
        st.caption(
            f"{facts.epochs} epochs in {facts.elapsed_s / 60:,.0f} minutes on {facts.device}; the model uses the "
            f"weights after epoch {facts.best_epoch}."
        )
    st.caption("On validation photos. The epoch with the lowest loss is not always the one with the best figures.")
