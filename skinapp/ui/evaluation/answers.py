"""Sections of the Evaluation page on what a run answered: its errors, its confusion matrix, its classes."""

import pandas as pd
import streamlit as st

from skinapp.charts.confusion import draw_confusion_heatmap
from skinapp.charts.scores import draw_per_class_bars
from skinapp.runs.intervals import add_intervals
from skinapp.runs.summary import compute_per_class, count_confusion
from skinapp.runs.views import mistakes as found
from skinapp.runs.views.curves import has_malignancy
from skinapp.runs.views.subgroups import MIN_LESIONS
from skinapp.taxonomy import get_class_name
from skinapp.ui import chart
from skinapp.ui.evaluation import photos, widgets
from skinapp.ui.open_run import OpenRun

MOST_PAIRS = 10

FORMULAS = r"""
For one class, with TP photos rightly given it, FP wrongly given it and FN of it given another:

$\text{precision} = \frac{TP}{TP + FP}$, $\quad\text{recall} = \frac{TP}{TP + FN}$, $\quad
F_1 = \frac{2\,TP}{2\,TP + FP + FN}$

Where nothing stands below the line the figure is undefined and shown as a dash, not as 0 or 1. AUROC is how often a
photo of the class scores above one of another class, ties counted half. Intervals are the middle 95% of 1,000 draws
of as many lesions with replacement: photos of one lesion resemble each other, so they are drawn together.
"""

NO_THRESHOLD = "A lower threshold, as one would set it in order to miss few, is another question: see *Threshold*."
PRECURSOR = "Actinic keratosis, a precursor, counts as malignant here."


def mistakes(opened: OpenRun) -> None:
    """Show missed malignant lesions first, then the most confused pairs, then whatever was confidently wrong."""
    if opened.cached(has_malignancy):
        _missed(opened)
    st.subheader("Most confused", anchor=False)
    pairs = opened.cached(found.count_confused_pairs)
    if pairs.empty:
        st.success("No photo was taken for another class.")
        return
    shown = pairs.head(MOST_PAIRS)[["truth_name", "prediction_name", "photos", "share_of_truth"]]
    st.dataframe(
        shown,
        hide_index=True,
        key="pairs",
        column_config={
            "truth_name": "Truth",
            "prediction_name": "Taken for",
            "photos": "Photos",
            "share_of_truth": st.column_config.ProgressColumn("Of this truth", format="percent", max_value=1.0),
        },
    )
    st.subheader("Confidently wrong", anchor=False)
    photos.show(opened, opened.cached(found.list_confident_mistakes), "confident")


def _missed(opened: OpenRun) -> None:
    missed = opened.cached(found.list_missed)
    st.subheader("Missed malignant lesions", anchor=False)
    cancers = opened.cached(found.count_malignant)
    if missed.empty:
        st.success(f"None of {cancers:,} malignant photos was called benign.")
        return
    how = "scored below 50%" if len(opened.run.classes) == 2 else "got a benign type as their top answer"
    st.markdown(
        f"**{opened.cached(found.count_missed):,} of {cancers:,}** malignant photos {how}; the most confidently wrong come "
        f"first. {NO_THRESHOLD}"
    )
    if opened.folder is not None or "akiec" in opened.run.classes:  # of another's two classes nobody here knows
        st.caption(PRECURSOR)
    photos.show(opened, missed, "missed")


def confusion(opened: OpenRun) -> None:
    """Show the confusion matrix; a click on a cell lists its photos."""
    view = widgets.choose_confusion()
    counts = opened.cached(count_confusion)
    cell = chart.show_selectable(draw_confusion_heatmap(counts, view), "confusion", "Confusion matrix")
    if cell is None:
        st.caption("Click a cell to see its photos.")
        return
    truth, prediction = cell
    st.subheader(f"{get_class_name(truth)}, answered {get_class_name(prediction)}", anchor=False)
    photos.show(opened, opened.cached(found.list_cell, truth, prediction), "cell")


def classes(opened: OpenRun) -> None:
    """Show F1, precision and recall of each class as bars and as a table, with the formulas a click away."""
    frame, intervals = opened.cached(compute_per_class), opened.intervals()
    if intervals is not None:
        frame = add_intervals(frame, intervals)
    chart.show(draw_per_class_bars(frame), "scores", "Bars: F1, precision and recall by class")
    few = _few(frame)
    if few:
        st.caption(f"Under {MIN_LESIONS} lesions, too few to trust a figure: {few}.")
    widgets.class_table(frame)
    with st.expander("How these are computed"):
        st.markdown(FORMULAS)


def _few(classes: pd.DataFrame) -> str:
    return ", ".join(classes.loc[classes["lesions"] < MIN_LESIONS, "name"])
