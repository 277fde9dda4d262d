"""Sections of the Evaluation page on a run's scores: curves, threshold, calibration."""

import math

import pandas as pd
import streamlit as st

from skinapp.charts.calibration import draw_confidence_histogram, draw_reliability
from skinapp.charts.curves import draw_precision_recall_curves, draw_roc_curves
from skinapp.charts.decisions import draw_net_benefit, draw_sensitivity_and_specificity
from skinapp.metrics import decisions
from skinapp.runs.open_run import OpenRun
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import StoredRun
from skinapp.runs.views import calibration, curves
from skinapp.runs.views.operating_points import SENSITIVITIES
from skinapp.taxonomy import get_class_name
from skinapp.ui import chart, state
from skinapp.ui.evaluation import widgets

MALIGNANT = "Malignant"
PREVALENCES = (0.1, 99.0)
"""The fewest and the most of 100 people who can be said to have it."""

PREVALENCE_HELP = (
    "The prevalence where you work: how many of 100 people have it. It is higher in a specialist clinic than in "
    "screening. PPV and NPV change with it; sensitivity and specificity do not, if the people are like those in the "
    "photos."
)
NET_BENEFIT = (
    "Net benefit (Vickers and Elkin, 2006) is the cancers found minus the weighted false alarms: at a threshold of "
    "10%, nine false alarms weigh as much as one cancer. Where the line is above both others, the score helps at that "
    "threshold. Scores are taken as probabilities, so poor calibration lowers the net benefit."
)


def show_curves(opened: OpenRun) -> None:
    """Show ROC and precision-recall curves, of malignancy and of each class."""
    names = _list_positives(opened)
    chosen = st.selectbox("Highlight", ["No class", *names], key="curve", bind="query-params")
    highlighted = None if chosen == "No class" else names[chosen] or "malignant"
    left, right = st.columns(2)
    with left:
        st.subheader("ROC", anchor=False)
        chart.show(draw_roc_curves(opened.cached(curves.compute_roc_curves), highlighted), "roc", "ROC curves")
    with right:
        st.subheader("Precision and recall", anchor=False)
        figure = draw_precision_recall_curves(opened.cached(curves.compute_precision_recall_curves), highlighted)
        chart.show(figure, "precision-recall", "Precision against recall")
    st.caption(
        "ROC does not change with how frequent a class is; precision does. The area is the AUROC on the left, the "
        "average precision on the right."
    )


def show_threshold(opened: OpenRun) -> None:
    """Let the reader set a threshold and a prevalence, and show the outcome for 1,000 people."""
    names = _list_positives(opened)
    left, right = st.columns(2)
    chosen = left.selectbox("Positive class", list(names), key="positive", bind="query-params")
    label = names[chosen]
    positive, scores = opened.cached(curves.select_positives, label)
    prevalence = right.number_input(
        "Prevalence: how many of 100 people have it?",
        *PREVALENCES,
        _round_prevalence(float(positive.mean())),
        0.5,
        help=PREVALENCE_HELP,
    )
    _show_presets(opened, label)
    at = st.slider("Refer at a score of at least", 0.0, 1.0, 0.5, 0.005, key="threshold", format="percent")
    decided = decisions.compute_decision(positive, scores, at, prevalence / 100)
    widgets.show_decision(decided, _compute_rates(opened, label, at), of_malignancy=label is None)
    chart.show(
        draw_sensitivity_and_specificity(opened.cached(_compute_roc, label), at),
        "rates",
        "Sensitivity and specificity by threshold",
    )
    st.subheader("Net benefit", anchor=False)
    benefit = decisions.net_benefit(positive, scores, prevalence / 100)
    chart.show(draw_net_benefit(benefit, at), "benefit", "Net benefit by threshold")
    st.caption(NET_BENEFIT)


def _round_prevalence(share: float) -> float:
    """Return a share of photos as people of 100 who have it, within what the field accepts."""
    least, most = PREVALENCES
    return min(max(round(100 * share, 1), least), most)


def _show_presets(opened: OpenRun, label: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for wanted in SENSITIVITIES:
            at = opened.cached(_find_threshold, label, wanted)
            st.button(
                f"{wanted:.0%} sensitivity",
                key=f"at-{wanted}",
                on_click=state.set_widget,
                args=("threshold", at),
                disabled=math.isnan(at),  # no photo is positive
            )
    st.caption(
        "These thresholds are chosen on the photos shown, so the rates are too optimistic. Choose your threshold on "
        "other photos."
    )


def show_calibration(opened: OpenRun) -> None:
    """Show how well the scores are calibrated, before and after the temperature."""
    after, figures = opened.cached(_calibrate)
    before, figures_before = opened.cached(_calibrate_before)
    widgets.show_calibration(figures, figures_before)
    left, right = st.columns(2)
    with left:
        st.subheader("Score and accuracy", anchor=False)
        chart.show(draw_reliability(before, after), "reliability", "Reliability diagram")
    with right:
        st.subheader("Confidence", anchor=False)
        chart.show(draw_confidence_histogram(before, after), "confidence", "Histogram of the top score")
    if before is None:
        st.caption("The scores before calibration are not stored for this run.")


def _list_positives(opened: OpenRun) -> dict[str, str | None]:
    """Return the labels of what can count as positive, by name: malignancy (None), and each class with photos."""
    labels: dict[str, str | None] = {MALIGNANT: None} if opened.cached(curves.has_malignancy) else {}
    seen = set(opened.run.frame["truth"])
    if len(opened.run.classes) == 2 and labels:
        return labels
    return labels | {get_class_name(label): label for label in opened.run.classes if label in seen}


def _compute_rates(opened: OpenRun, label: str | None, at: float) -> pd.DataFrame:
    positive, scores = opened.cached(curves.select_positives, label)
    return decisions.compute_rate_intervals(positive, scores, opened.cached(Predictions.lesion_index), at)


def _compute_roc(run: Predictions, label: str | None) -> pd.DataFrame:
    return curves.compute_roc_points(*curves.select_positives(run, label))


def _find_threshold(run: Predictions, label: str | None, wanted: float) -> float:
    return decisions.find_threshold_at_sensitivity(*curves.select_positives(run, label), wanted)


def _calibrate(run: Predictions) -> tuple[pd.DataFrame, calibration.Calibration]:
    return calibration.compute_reliability(run.truth_index(), run.probabilities()), calibration.compute_calibration(run)


def _calibrate_before(run: Predictions) -> tuple[pd.DataFrame, calibration.Calibration] | tuple[None, None]:
    if not isinstance(run, StoredRun) or run.temperature is None:
        return None, None
    return _calibrate(calibration.undo_calibration(run))
