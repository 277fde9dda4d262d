"""Sections of the Evaluation page on a run's scores: curves, a threshold and what it would mean, calibration."""

import pandas as pd
import streamlit as st

from skinapp.charts.calibration import draw_confidence_histogram, draw_reliability
from skinapp.charts.curves import draw_precision_recall_curves, draw_roc_curves
from skinapp.charts.decisions import draw_net_benefit, draw_sensitivity_and_specificity
from skinapp.metrics import decisions
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import StoredRun
from skinapp.runs.views import calibration as calibrated
from skinapp.runs.views import curves as drawn
from skinapp.runs.views.operating_points import SENSITIVITIES
from skinapp.taxonomy import get_class_name
from skinapp.ui import chart, state
from skinapp.ui.evaluation import widgets
from skinapp.ui.open_run import OpenRun

MALIGNANT = "Malignant"
PREVALENCE_HELP = (
    "How many of 100 people in front of you have it. In a specialist's clinic that is more than in a screening, and "
    "PPV and NPV change with it; sensitivity and specificity do not, if the people are like those photographed."
)
NET_BENEFIT = (
    "Net benefit (Vickers and Elkin, 2006) counts the cancers found, minus the false alarms weighted by how many of "
    "them one cancer is worth: at a threshold of 10% nine. Above both other lines, the score is of use at that "
    "threshold. It takes the scores for chances, so it also punishes poor calibration."
)


def curves(opened: OpenRun) -> None:
    """Show ROC and precision-recall curves, of malignancy and of each class."""
    names = _positives(opened)
    chosen = st.selectbox("Highlight", ["All alike", *names], key="curve", bind="query-params")
    stressed = None if chosen == "All alike" else names[chosen] or "malignant"
    left, right = st.columns(2)
    with left:
        st.subheader("ROC", anchor=False)
        chart.show(draw_roc_curves(opened.cached(drawn.compute_roc_curves), stressed), "roc", "ROC curves")
    with right:
        st.subheader("Precision and recall", anchor=False)
        figure = draw_precision_recall_curves(opened.cached(drawn.compute_precision_recall_curves), stressed)
        chart.show(figure, "precision-recall", "Precision against recall")
    st.caption(
        "ROC does not change with how frequent a class is; precision does. The area is the AUROC on the left, the "
        "average precision on the right."
    )


def threshold(opened: OpenRun) -> None:
    """Let the reader set a threshold and a prevalence, and say what they would mean for 1,000 people."""
    names = _positives(opened)
    left, right = st.columns(2)
    chosen = left.selectbox("Ask for", list(names), key="positive", bind="query-params")
    label = names[chosen]
    positive, scores = opened.cached(drawn.select_positives, label)
    prevalence = right.number_input(
        "Of 100 people, how many have it?", 0.1, 99.0, round(100 * float(positive.mean()), 1), 0.5, help=PREVALENCE_HELP
    )
    _presets(opened, label)
    at = st.slider("Sent on from a score of", 0.0, 1.0, 0.5, 0.005, key="threshold", format="percent")
    decided = decisions.compute_decision(positive, scores, at, prevalence / 100)
    widgets.decision(decided, _rates(opened, label, at))
    chart.show(
        draw_sensitivity_and_specificity(opened.cached(_roc, label), at),
        "rates",
        "Sensitivity and specificity by threshold",
    )
    st.subheader("Is it worth it?", anchor=False)
    benefit = decisions.net_benefit(positive, scores, prevalence / 100)
    chart.show(draw_net_benefit(benefit, at), "benefit", "Net benefit by threshold")
    st.caption(NET_BENEFIT)


def _presets(opened: OpenRun, label: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for wanted in SENSITIVITIES:
            at = opened.cached(_threshold_at, label, wanted)
            st.button(
                f"{wanted:.0%} sensitivity", key=f"at-{wanted}", on_click=state.set_widget, args=("threshold", at)
            )
    st.caption("These thresholds are read from the photos on show, so they flatter: a threshold must be set on others.")


def calibration(opened: OpenRun) -> None:
    """Show whether a score of 80% is right in 80%, before and after the temperature, and the figures of it."""
    after, figures = opened.cached(_said)
    before, figures_before = opened.cached(_said_before)
    widgets.calibration(figures, figures_before)
    left, right = st.columns(2)
    with left:
        st.subheader("Said and true", anchor=False)
        chart.show(draw_reliability(before, after), "reliability", "Reliability diagram")
    with right:
        st.subheader("How sure it was", anchor=False)
        chart.show(draw_confidence_histogram(before, after), "confidence", "Histogram of the top score")
    if before is None:
        st.caption("What the scores were before calibration was not kept for this run.")


def _positives(opened: OpenRun) -> dict[str, str | None]:
    """Name what can be asked for: malignancy, where the run tells it, and each class that is there."""
    asked: dict[str, str | None] = {MALIGNANT: None} if opened.cached(drawn.has_malignancy) else {}
    seen = set(opened.run.frame["truth"])
    if len(opened.run.classes) == 2 and asked:
        return asked
    return asked | {get_class_name(label): label for label in opened.run.classes if label in seen}


def _rates(opened: OpenRun, label: str | None, at: float) -> pd.DataFrame:
    positive, scores = opened.cached(drawn.select_positives, label)
    return decisions.compute_rate_intervals(positive, scores, opened.cached(Predictions.lesion_index), at)


def _roc(run: Predictions, label: str | None) -> pd.DataFrame:
    return drawn.compute_roc_points(*drawn.select_positives(run, label))


def _threshold_at(run: Predictions, label: str | None, wanted: float) -> float:
    return decisions.find_threshold_at_sensitivity(*drawn.select_positives(run, label), wanted)


def _said(run: Predictions) -> tuple[pd.DataFrame, calibrated.Calibration]:
    return calibrated.compute_reliability(run.truth_index(), run.probabilities()), calibrated.compute_calibration(run)


def _said_before(run: Predictions) -> tuple[pd.DataFrame, calibrated.Calibration] | tuple[None, None]:
    if not isinstance(run, StoredRun) or run.temperature is None:
        return None, None
    return _said(calibrated.undo_calibration(run))
