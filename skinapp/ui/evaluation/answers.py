"""Sections of the Evaluation page on a run's answers: errors, confusion matrix, figures by class."""

import pandas as pd
import streamlit as st

from skinapp.charts.confusion import draw_confusion_heatmap
from skinapp.charts.scores import draw_per_class_bars
from skinapp.metrics.estimate import REPLICATES
from skinapp.runs.intervals import add_intervals
from skinapp.runs.open_run import OpenRun
from skinapp.runs.summary import compute_per_class, count_confusion
from skinapp.runs.views import mistakes
from skinapp.runs.views.curves import has_malignancy
from skinapp.runs.views.subgroups import MIN_LESIONS
from skinapp.taxonomy import get_class_name
from skinapp.ui import chart
from skinapp.ui.evaluation import photos, widgets

MOST_PAIRS = 10
MIDDLE = 0.5

FORMULAS = r"""
For one class: TP is the number of its photos predicted as this class, FN its photos predicted as another class, and FP
the photos of other classes predicted as this class.

$\text{precision} = \frac{TP}{TP + FP}$, $\quad\text{recall} = \frac{TP}{TP + FN}$, $\quad
F_1 = \frac{2\,TP}{2\,TP + FP + FN}$

A figure with a denominator of 0 is undefined and shown as a dash. AUROC is how often a photo of the class scores above
a photo of another class; ties count half. An interval is the middle 95% of REPLICATES bootstrap replicates. Each draws
as many lesions as there are, with replacement: photos of one lesion resemble each other, so they are drawn together.
Where patients are known, they are drawn in place of lesions.
""".replace("REPLICATES", f"{REPLICATES:,}")

LOWER_THRESHOLD = "With a lower threshold fewer are missed: see the section *Threshold*."
PRECURSOR = "Actinic keratosis, a precursor, counts as malignant here."


def show_mistakes(opened: OpenRun) -> None:
    """Show missed malignant lesions, then the most confused pairs, then the most confident mistakes."""
    if opened.cached(has_malignancy):
        _show_missed(opened)
    st.subheader("Most confused", anchor=False)
    pairs = opened.cached(mistakes.count_confused_pairs)
    if pairs.empty:
        st.success("No photo was mistaken for another class.")
        return
    shown = pairs.head(MOST_PAIRS)[["truth_name", "prediction_name", "photos", "share_of_truth"]]
    st.dataframe(
        shown,
        hide_index=True,
        key="pairs",
        column_config={
            "truth_name": "Truth",
            "prediction_name": "Answer",
            "photos": "Photos",
            "share_of_truth": st.column_config.ProgressColumn(
                "Share of the true class", format="percent", max_value=1.0
            ),
        },
    )
    st.subheader("Confidently wrong", anchor=False)
    wrong = opened.cached(mistakes.count_mistakes)
    photos.show(opened, opened.cached(mistakes.list_confident_mistakes), "confident", wrong)


def _show_missed(opened: OpenRun) -> None:
    missed = opened.cached(mistakes.list_missed)
    st.subheader("Missed malignant lesions", anchor=False)
    cancers = opened.cached(mistakes.count_malignant)
    if not cancers:
        st.info("None of these photos is malignant, so none could be missed.")
        return
    if missed.empty:
        st.success(f"None of {cancers:,} malignant photos was called benign.")
        return
    of = opened.cached(mistakes.count_missed)
    tied = bool((missed["malignant_score"] >= MIDDLE).any())  # of two classes with 50% each the first is the answer
    below = "scored 50% or less" if tied else "scored below 50%"
    how = below if len(opened.run.classes) == 2 else "got a benign type as their top answer"
    st.markdown(f"**{of:,} of {cancers:,}** malignant photos {how}; the lowest scores come first. {LOWER_THRESHOLD}")
    if opened.folder is not None or "akiec" in opened.run.classes:  # unknown for the two classes of an upload
        st.caption(PRECURSOR)
    photos.show(opened, missed, "missed", of)


def show_confusion(opened: OpenRun) -> None:
    """Show the confusion matrix and the photos of the cell that is clicked."""
    view = widgets.choose_confusion()
    counts = opened.cached(count_confusion)
    cell = chart.show_selectable(draw_confusion_heatmap(counts, view), "confusion", "Confusion matrix")
    if cell is None or not {*cell} <= {*opened.run.classes}:  # it may have been clicked in another run
        st.caption("Click a cell to see its photos.")
        return
    truth, prediction = cell
    st.subheader(f"{get_class_name(truth)}, answered {get_class_name(prediction)}", anchor=False)
    photos.show(opened, opened.cached(mistakes.list_cell, truth, prediction), "cell")


def show_classes(opened: OpenRun) -> None:
    """Show F1, precision and recall of each class as bars and as a table, with the formulas."""
    frame, intervals = opened.cached(compute_per_class), opened.intervals()
    if intervals is not None:
        frame = add_intervals(frame, intervals)
    chart.show(draw_per_class_bars(frame), "scores", "Bars: F1, precision and recall by class")
    few = _name_small_classes(frame)
    if few:
        st.caption(f"Too few lesions (under {MIN_LESIONS}) to trust a figure: {few}.")
    widgets.show_class_table(frame)
    with st.expander("How these are computed"):
        st.markdown(FORMULAS)


def _name_small_classes(frame: pd.DataFrame) -> str:
    return ", ".join(frame.loc[frame["lesions"] < MIN_LESIONS, "name"])
