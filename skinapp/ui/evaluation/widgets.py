"""Rows and tables of the figures of stored runs; pages put them together."""

import math
from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from skinapp.formatting import PERCENT, format_interval, format_value
from skinapp.metrics.decisions import Decision
from skinapp.metrics.estimate import Estimate
from skinapp.metrics.labels import get_meaning, get_metric_name, get_short_name
from skinapp.metrics.summary import OVERALL
from skinapp.runs.intervals import get_figure
from skinapp.runs.summary import Headline
from skinapp.runs.views.calibration import Calibration
from skinapp.runs.views.compare import Comparison
from skinapp.runs.views.repeats import Repeatability
from skinapp.taxonomy import get_class_name
from skinapp.ui.metric import show_metric

CONFUSION_VIEWS: dict[str, Literal["counts", "row", "column"]] = {
    "Photos": "counts",
    "Share of each truth": "row",
    "Share of each prediction": "column",
}

TILE_PX = 166
"""Two of them fit side by side on a phone."""

CLASS_FIGURES = ("f1", "precision", "recall", "auroc")
"""Figures of a class in the order of the table's columns."""


def run_headline(counts: Headline, intervals: pd.DataFrame | None) -> None:
    """Show a run's overall figures with their intervals, or without where they are still to be drawn."""
    with st.container(horizontal=True):
        _metric("Photos", f"{counts.photos:,}", f"{counts.lesions:,} lesions")
        for name in OVERALL:
            value = getattr(counts, name)
            below = "interval to come" if intervals is None else format_interval(get_figure(intervals, name))
            if math.isnan(value):
                below = "undefined here"
            _metric(get_short_name(name), format_value(value), below, get_meaning(name))


def _metric(label: str, value: str, below: str = "", meaning: str | None = None) -> None:
    show_metric(label, value, below, meaning, width=TILE_PX)


def class_table(classes: pd.DataFrame) -> None:
    """Show each class's figures as a table that can be sorted."""
    names = {metric: get_metric_name(metric) for metric in CLASS_FIGURES}
    columns = {"name": "Class", "support": "Photos", "lesions": "Lesions"} | names
    shown = classes[list(columns)].rename(columns=columns)
    figures = {name: st.column_config.NumberColumn(format="%.3f") for name in names.values()}
    st.dataframe(shown, hide_index=True, column_config=figures)


def choose_confusion() -> Literal["counts", "row", "column"]:
    """Let the reader choose what the cells of a confusion matrix show."""
    chosen = st.segmented_control("Cells show", tuple(CONFUSION_VIEWS), default="Photos", required=True)
    return CONFUSION_VIEWS[chosen or "Photos"]


def headline_table(rows: Mapping[str, Headline]) -> None:
    """Show the overall figures of several predictions, a row each; what is undefined is a dash."""
    figures = {name: [getattr(row, name) for row in rows.values()] for name in OVERALL}
    frame = pd.DataFrame({"Photos": [row.photos for row in rows.values()], **figures}, index=pd.Index(rows, name=""))
    columns = {name: st.column_config.NumberColumn(get_short_name(name), format="%.3f") for name in OVERALL}
    st.dataframe(frame, column_config=columns, placeholder="–")


def decision(decided: Decision, rates: pd.DataFrame) -> None:
    """Say what a threshold does: rates with intervals, and of 1,000 people how many are sent on and missed."""
    with st.container(horizontal=True):
        for name in ("sensitivity", "specificity"):
            _metric(get_metric_name(name), format_value(getattr(decided, name), PERCENT), _format_span(rates, name))
        _metric(get_metric_name("ppv"), format_value(decided.ppv, PERCENT), "of those sent on")
        _metric(get_metric_name("npv"), format_value(decided.npv, PERCENT), "of those not")
    st.markdown(
        f"**Of 1,000 such people** {1000 * decided.prevalence:,.0f} have it. "
        f"**{decided.referred:,.0f} are sent on**, {decided.true_positives:,.0f} of them rightly and "
        f"{decided.false_positives:,.0f} needlessly; **{decided.false_negatives:,.0f} are missed**."
        if not math.isnan(decided.referred)
        else "With these photos that cannot be said: they hold one side only."
    )


def _format_span(rates: pd.DataFrame, name: str) -> str:
    row = rates[rates["figure"] == name].iloc[0]
    return format_interval(Estimate(row["value"], row["low"], row["high"]), PERCENT)


CALIBRATION = ("brier", "ece", "ece_if_perfect", "slope", "intercept")


def calibration(after: Calibration, before: Calibration | None) -> None:
    """Show the figures of calibration, with what they were before the temperature."""
    with st.container(horizontal=True):
        for name in CALIBRATION:
            value = getattr(after, name)
            was = "with as many photos" if name == "ece_if_perfect" else _was(before, name)
            _metric(get_short_name(name), format_value(value), was, get_meaning(name))


def _was(before: Calibration | None, name: str) -> str:
    value = math.nan if before is None else getattr(before, name)
    return "" if math.isnan(value) else f"{value:.3f} before"


MOVES_HELP = "The highest malignant score (0 to 1) of a lesion's photos less the lowest."


def repeatability(steady: Repeatability) -> None:
    """Show how often and how far answers change within a lesion."""
    with st.container(horizontal=True):
        _metric("Lesions seen again", f"{steady.lesions:,}", f"{steady.photos:,} photos")
        span = f"{steady.changed_low:.1%} to {steady.changed_high:.1%}"
        _metric("Top answer changes", format_value(steady.changed_share, PERCENT), span)
        if not math.isnan(steady.median_range):
            _metric("Score moves by", f"{steady.median_range:.2f}", "in the middle lesion", MOVES_HELP)
            _metric("Or by over", f"{steady.p90_range:.2f}", "in one of ten", MOVES_HELP)


def subgroup_table(rows: pd.DataFrame) -> None:
    """Show a figure of each subgroup with its counts; too few to say is a dash."""
    shown = rows[["level", "photos", "lesions", "positives", "value", "low", "high"]]
    numbers = {
        name: st.column_config.NumberColumn(name.capitalize(), format="%.3f") for name in ("value", "low", "high")
    }
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        column_config={
            "level": "Subgroup",
            "photos": "Photos",
            "lesions": "Lesions",
            "positives": "Malignant",
            **numbers,
        },
    )


def pairing(found: Comparison) -> None:
    """Say how many photos both, one or none of two runs gets right."""
    with st.container(horizontal=True):
        _metric("Both right", f"{found.both_right:,}", f"of {found.photos:,} photos")
        _metric("Only this run", f"{found.only_a:,}")
        _metric("Only the other", f"{found.only_b:,}")
        _metric("Neither", f"{found.neither:,}")
    left_out = found.left_out_a + found.left_out_b
    if left_out:
        st.caption(f"{left_out:,} photos are in one of the two runs only and were left out.")
    if found.differing_truths:
        st.caption(f"{found.differing_truths:,} photos carry another label there and were left out too.")
    if not math.isnan(found.mcnemar_p):
        st.caption(f"McNemar's exact test, on one photo a lesion: p = {found.mcnemar_p:.2g}.")


def only_one_right(rows: pd.DataFrame, first: str, second: str) -> None:
    """List the photos that one run gets right and the other misses."""
    names = {column: rows[column].map(get_class_name) for column in ("truth", "answer_a", "answer_b")}
    right = rows["right"].map({"a": first, "b": second})
    st.dataframe(
        rows.assign(**names, right=right),
        hide_index=True,
        column_config={
            "image_id": "Photo",
            "lesion_id": "Lesion",
            "truth": "Truth",
            "answer_a": "This run",
            "p_a": st.column_config.NumberColumn("Its score", format="percent"),
            "answer_b": "The other",
            "p_b": st.column_config.NumberColumn("Its score ", format="percent"),
            "right": "Right is",
        },
    )
