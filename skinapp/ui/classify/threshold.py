"""Which operating point is chosen, and on which side of its threshold a score is, in words that do not reassure."""

from collections.abc import Sequence

import streamlit as st

from skinapp.cards.frequencies import find_point_on_test
from skinapp.formatting import PERCENT, format_estimate, format_threshold
from skinapp.inference.assessment import Assessment
from skinapp.inference.triage import Triage
from skinapp.models.card import Card, CardFigure, OperatingPoint
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.ui import state

CHOOSER = "Flag at a sensitivity of"
CHOOSER_HELP = (
    "How many of 100 malignant validation photos the threshold flags. A higher sensitivity misses fewer malignant "
    "lesions and flags more benign ones."
)


def choose(points: Sequence[OperatingPoint]) -> float:
    """Return the sensitivity of the chosen operating point: the visitor's choice, where the model has it."""
    chosen = state.get_choices().sensitivity
    return next((point.sensitivity for point in points if point.sensitivity == chosen), SHOWN_SENSITIVITY)


def show_chooser(points: Sequence[OperatingPoint], sensitivity: float) -> None:
    """Let the visitor choose one of the model's operating points; show nothing where there is no choice."""
    known = sorted(point.sensitivity for point in points)
    if len(known) < 2:
        return
    key = state.build_widget_key("sensitivity")
    if state.get_widget(key) not in known:
        state.set_widget(key, sensitivity)
    st.segmented_control(
        CHOOSER,
        known,
        format_func=lambda value: f"{value:.0%}",
        required=True,
        key=key,
        on_change=lambda: state.keep_choices(sensitivity=state.get_widget(key)),
        help=CHOOSER_HELP,
    )


def name_threshold(sensitivity: float) -> str:
    """Name the threshold of an operating point: "95% threshold"."""
    return f"{sensitivity:.0%} threshold"


def explain(sensitivity: float) -> str:
    """Explain what the threshold of an operating point is, and what stands in brackets beside its rates."""
    return (
        f"{sensitivity:.0%} of the malignant validation photos score at least this. On another camera it may be far "
        "fewer: see the Models page. Brackets show 95% intervals. Lesions confirmed by histology looked suspicious "
        "enough for a biopsy, so they are difficult to tell from malignant ones."
    )


def describe(assessment: Assessment, triage: Triage, card: Card) -> str:
    """Describe on which side of the threshold a score is and how often that was wrong on test; "" without one."""
    if triage.threshold is None:
        return ""
    above = assessment.malignant_score >= triage.threshold
    at = f"a score of {format_threshold(triage.threshold)}, the tick on the ring"
    side = f"**{'Above' if above else 'Below'} the {name_threshold(triage.sensitivity)}** ({at})."
    rates = find_point_on_test(card, triage.sensitivity)
    if above:
        benign = (
            _describe_errors(rates.specificity, rates.of_histology, "those confirmed by histology") if rates else ""
        )
        return f"{side} Benign lesions can score above it too{benign}."
    malignant = _describe_errors(rates.sensitivity, rates.of_melanoma, "the melanomas") if rates else ""
    return f"{side} That does not mean healthy: malignant lesions can score below it{malignant}."


def _describe_errors(rate: CardFigure | None, group_rate: CardFigure | None, group: str) -> str:
    """Describe which share of the test photos, and of a group of them, was wrong; "" where it was not measured."""
    errors, group_errors = _format_complement(rate), _format_complement(group_rate)
    if not errors:
        return ""
    return f": {errors} of them on test{f', and {group_errors} of {group}' if group_errors else ''}"


def _format_complement(rate: CardFigure | None) -> str:
    """Format 1 - rate with its interval: "7.0% (4.5% to 10.0%)"; "" where the rate was not measured."""
    if rate is None or rate.value is None:
        return ""
    complement = {"value": 1 - rate.value}
    if rate.low is not None and rate.high is not None:
        complement |= {"low": 1 - rate.high, "high": 1 - rate.low}
    return format_estimate(rate.model_copy(update=complement), PERCENT)
