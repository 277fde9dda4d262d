"""A malignancy score restated for a prevalence that the reader sets."""

import math

import streamlit as st

from skinapp.cards.selection import to_number
from skinapp.formatting import format_score
from skinapp.inference.assessment import Assessment
from skinapp.metrics.decisions import compute_predictive_values
from skinapp.models.card import Card, CardFigure
from skinapp.runs.prevalence import restate_score
from skinapp.taxonomy import MALIGNANT
from skinapp.ui import state
from skinapp.ui.classify import threshold

LEAST, MOST = 0.1, 99.0
"""Bounds of the prevalence that can be set, malignant lesions per 100 photos."""

HELP = (
    "How many of 100 photos where you work show a malignant lesion. It is more in a specialist clinic than in "
    "screening."
)
MEANING = (
    "By Bayes' rule on the odds (Saerens et al., 2002). It is valid if malignant and benign lesions look the same "
    "there as in the training photos. The lesion types are not restated: that would need a prevalence for each type."
)


def show(assessment: Assessment, card: Card) -> None:
    """Let the reader restate a score for another prevalence; show nothing where the card has no prevalence."""
    own = get_model_prevalence(card)
    if own is None:
        return
    with st.expander("Another prevalence"):
        new = _choose_prevalence(own)
        st.markdown(_describe_restated("Score", assessment.malignant_score, own, new))
        if assessment.threshold is not None:
            st.markdown(
                f"{_describe_restated(threshold.NAME, assessment.threshold, own, new)} "
                f"The score stays {'above' if assessment.above_threshold else 'below'} it."
            )
            if flagged := _describe_flagged(card, new):
                st.markdown(flagged)
        st.caption(MEANING)


def get_model_prevalence(card: Card) -> float | None:
    """Return the share of malignant lesions, between 0 and 1, that a malignancy score is calibrated for, or None."""
    head = card.head("malignancy")
    share = dict(zip(head.classes, head.shares, strict=False)).get(MALIGNANT)
    return share if share is not None and 0 < share < 1 else None


def _choose_prevalence(own: float) -> float:
    """Let the reader set the share of malignant photos and return it; `own` until the reader does.

    An emptied field goes back to `own` too.
    """
    key, own_per_100 = state.build_widget_key("of-100-malignant"), min(max(round(100 * own, 1), LEAST), MOST)
    if state.get_widget(key) is None:
        state.set_widget(key, state.get_prevalence() or own_per_100)
    st.number_input(
        "Of 100 photos, how many show a malignant lesion?",
        LEAST,
        MOST,
        None,
        step=0.5,
        format="%.1f",
        key=key,
        on_change=_keep,
        args=(key,),
        help=HELP,
    )
    chosen = state.get_prevalence()
    st.button(f"Back to the model's {own_per_100:g}", on_click=_reset, args=(key, own_per_100), disabled=chosen is None)
    return own if chosen is None else chosen / 100


def _keep(key: str) -> None:
    state.keep_prevalence(state.get_widget(key))


def _reset(key: str, own_per_100: float) -> None:
    state.keep_prevalence(None)
    state.set_widget(key, own_per_100)


def _describe_restated(what: str, score: float, own: float, new: float) -> str:
    text = f"{what}: **{format_score(score)}** at the model's own prevalence ({_format_percent(own)} malignant)"
    if new == own:
        return f"{text}."
    return f"{text}; **{format_score(restate_score(score, own, new))}** at a prevalence of {_format_percent(new)}."


def _describe_flagged(card: Card, prevalence: float) -> str:
    """Describe how many photos above and below the threshold are malignant; "" where its rates were not measured."""
    shown = threshold.get_shown_point(card)
    if shown is None or shown.sensitivity is None or shown.specificity is None:
        return ""
    per_100 = _format_malignant_per_100(shown.sensitivity, shown.specificity, prevalence)
    if per_100 is None:
        return ""
    text = (
        f"At a prevalence of {_format_percent(prevalence)}, about {per_100[0]} of 100 photos above the threshold are "
        f"malignant, and about {per_100[1]} of 100 below it. This uses the sensitivity and specificity on test."
    )
    if shown.of_histology is None:
        return text
    hard = _format_malignant_per_100(shown.sensitivity, shown.of_histology, prevalence)
    if hard is None:
        return text
    return (
        f"{text} If the benign lesions are as difficult as the test lesions that had a biopsy, it is about {hard[0]} "
        f"of 100 above it and {hard[1]} of 100 below it."
    )


def _format_malignant_per_100(
    sensitivity: CardFigure, specificity: CardFigure, prevalence: float
) -> tuple[str, str] | None:
    """Format how many of 100 photos above and of 100 below a threshold are malignant; None where that is undefined.

    Predictive values grow with both rates, so the ends of the rates' intervals give their intervals, a little too wide.
    """
    rates = (
        (sensitivity.value, specificity.value),
        (sensitivity.low, specificity.low),
        (sensitivity.high, specificity.high),
    )
    value, low, high = (compute_predictive_values(to_number(sens), to_number(spec), prevalence) for sens, spec in rates)
    if any(map(math.isnan, value + low + high)):
        return None
    return _format_per_100(value[0], low[0], high[0]), _format_per_100(1 - value[1], 1 - high[1], 1 - low[1])


def _format_per_100(*shares: float) -> str:
    value, low, high = (f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}" for share in shares)
    return f"**{value}** ({low} to {high})"


def _format_percent(share: float) -> str:
    return f"{100 * share:.3g}%"
