"""Rows and tables of the figures of a run, used by several pages."""

import math
from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from skinapp.formatting import PERCENT, format_interval, format_value
from skinapp.metrics.decisions import PEOPLE, Decision, count_people
from skinapp.metrics.estimate import Estimate
from skinapp.metrics.labels import get_meaning, get_metric_name, get_short_name
from skinapp.metrics.summary import OVERALL
from skinapp.runs.intervals import get_figure
from skinapp.runs.summary import Headline
from skinapp.runs.views.calibration import Calibration
from skinapp.runs.views.compare import BY_CLASS, Comparison
from skinapp.runs.views.repeats import Repeatability
from skinapp.taxonomy import get_class_name
from skinapp.ui.tile import show_metric

CONFUSION_VIEWS: dict[str, Literal["counts", "row", "column"]] = {
    "Photos": "counts",
    "Share of the true class": "row",
    "Share of the predicted class": "column",
}

TILE_PX = 166
"""Two of them fit side by side on a phone."""

CLASS_FIGURES = ("f1", "precision", "recall", "auroc")
"""Figures of a class in the order of the table's columns."""


def show_headline(counts: Headline, intervals: pd.DataFrame | None) -> None:
    """Show a run's overall figures, with their intervals once they are computed."""
    with st.container(horizontal=True):
        _show_metric("Photos", f"{counts.photos:,}", f"{counts.lesions:,} lesions")
        for name in OVERALL:
            value = getattr(counts, name)
            below = "computing the interval" if intervals is None else format_interval(get_figure(intervals, name))
            if math.isnan(value):
                below = "undefined here"
            _show_metric(get_short_name(name), format_value(value), below, get_meaning(name))


def _show_metric(label: str, value: str, below: str = "", meaning: str | None = None) -> None:
    show_metric(label, value, below, meaning, width=TILE_PX)


def show_class_table(classes: pd.DataFrame) -> None:
    """Show the figures of each class as a sortable table."""
    names = {metric: get_metric_name(metric) for metric in CLASS_FIGURES}
    columns = {"name": "Class", "support": "Photos", "lesions": "Lesions"} | names
    shown = classes[list(columns)].rename(columns=columns)
    figures = {name: st.column_config.NumberColumn(format="%.3f") for name in names.values()}
    st.dataframe(shown, hide_index=True, column_config=figures)


def choose_confusion() -> Literal["counts", "row", "column"]:
    """Let the reader choose what the cells of a confusion matrix show."""
    chosen = st.segmented_control("Cells show", tuple(CONFUSION_VIEWS), default="Photos", required=True)
    return CONFUSION_VIEWS[chosen or "Photos"]


def show_headline_table(rows: Mapping[str, Headline]) -> None:
    """Show the overall figures of several runs, one row each; an undefined figure is a dash."""
    figures = {name: [getattr(row, name) for row in rows.values()] for name in OVERALL}
    frame = pd.DataFrame({"Photos": [row.photos for row in rows.values()], **figures}, index=pd.Index(rows, name=""))
    columns = {name: st.column_config.NumberColumn(get_short_name(name), format="%.3f") for name in OVERALL}
    st.dataframe(frame, column_config=columns, placeholder="–")


def show_decision(decided: Decision, rates: pd.DataFrame, *, of_malignancy: bool) -> None:
    """Show the rates at a threshold with intervals, and how many of 1,000 people are referred and missed."""
    have, have_not = ("malignant", "benign") if of_malignancy else ("have it", "do not have it")
    with st.container(horizontal=True):
        for name in ("sensitivity", "specificity"):
            _show_metric(
                get_metric_name(name), format_value(getattr(decided, name), PERCENT), _format_span(rates, name)
            )
        _show_metric(get_metric_name("ppv"), format_value(decided.ppv, PERCENT), f"{have} among the referred")
        _show_metric(get_metric_name("npv"), format_value(decided.npv, PERCENT), f"{have_not} among the others")
    if math.isnan(decided.referred):
        st.markdown("This cannot be computed: all photos are positive, or all are negative.")
        return
    people = count_people(decided)
    st.markdown(
        f"Among {PEOPLE:,} such people, {people.ill:,} have it. **{people.referred:,} are referred**, "
        f"{people.rightly:,} of them rightly and {people.needlessly:,} needlessly; **{people.missed:,} are missed**."
    )


def _format_span(rates: pd.DataFrame, name: str) -> str:
    row = rates[rates["figure"] == name].iloc[0]
    return format_interval(Estimate(row["value"], row["low"], row["high"]), PERCENT)


CALIBRATION = ("brier", "ece", "ece_if_perfect", "slope", "intercept")


def show_calibration(after: Calibration, before: Calibration | None) -> None:
    """Show the figures of calibration, with those before the temperature."""
    with st.container(horizontal=True):
        for name in CALIBRATION:
            value = getattr(after, name)
            was = "by chance, with as many photos" if name == "ece_if_perfect" else _describe_before(before, name)
            _show_metric(get_short_name(name), format_value(value), was, get_meaning(name))


def _describe_before(before: Calibration | None, name: str) -> str:
    value = math.nan if before is None else getattr(before, name)
    return "" if math.isnan(value) else f"{value:.3f} before"


MOVES_HELP = "The highest malignant score (0 to 1) among a lesion's photos minus the lowest."


def show_repeatability(steady: Repeatability) -> None:
    """Show how often and how much the answers vary within a lesion."""
    with st.container(horizontal=True):
        _show_metric("Repeated lesions", f"{steady.lesions:,}", f"{steady.photos:,} photos")
        span = f"{steady.changed_low:.1%} to {steady.changed_high:.1%}"
        _show_metric("Top answer changes", format_value(steady.changed_share, PERCENT), span)
        if not math.isnan(steady.median_range):
            _show_metric("Median score range", f"{steady.median_range:.2f}", "within a lesion", MOVES_HELP)
            _show_metric("90% of lesions", f"{steady.p90_range:.2f}", "score range below", MOVES_HELP)


def show_subgroup_table(rows: pd.DataFrame) -> None:
    """Show a figure of each subgroup with its counts; a dash where there are too few lesions."""
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


def show_comparison(comparison: Comparison) -> None:
    """Show how many photos both, one or neither of two runs gets right."""
    with st.container(horizontal=True):
        _show_metric("Both right", f"{comparison.both_right:,}", f"of {comparison.photos:,} photos")
        _show_metric("Only this run", f"{comparison.only_a:,}")
        _show_metric("Only the other run", f"{comparison.only_b:,}")
        _show_metric("Neither", f"{comparison.neither:,}")
    left_out = comparison.left_out_a + comparison.left_out_b
    if left_out:
        st.caption(f"{left_out:,} photos are in only one of the two runs and are left out.")
    if comparison.differing_truths:
        by_class = comparison.by == BY_CLASS
        differ = "have different labels" if by_class else "are malignant in one run and benign in the other"
        st.caption(
            f"{comparison.differing_truths:,} of these {comparison.photos:,} photos {differ}. They are counted: "
            "each run is compared with its own label."
        )
    for note in comparison.notes:
        st.caption(note)
    if not math.isnan(comparison.mcnemar_p):
        st.caption(f"McNemar's exact test, on one photo per lesion: p = {comparison.mcnemar_p:.2g}.")


def show_disagreements(rows: pd.DataFrame, first: str, second: str) -> None:
    """List the photos that only one run gets right."""
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
            "p_a": st.column_config.NumberColumn("Score", format="percent"),
            "answer_b": "The other",
            "p_b": st.column_config.NumberColumn("Score ", format="percent"),
            "right": "Right",
        },
    )
