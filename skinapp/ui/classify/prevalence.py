"""How many flagged lesions are malignant, at a prevalence that the reader sets beside the verdict."""

import streamlit as st

from skinapp.cards.frequencies import (
    compute_frequencies,
    describe_frequencies,
    describe_frequency_intervals,
    get_model_prevalence,
)
from skinapp.formatting import format_score
from skinapp.inference.assessment import Assessment
from skinapp.inference.triage import Triage
from skinapp.models.card import Card
from skinapp.runs.prevalence import restate_score
from skinapp.ui import state
from skinapp.ui.classify import threshold

LEAST, MOST = 0.1, 99.0
"""Bounds of the prevalence that can be set, malignant lesions per 100 photos."""

HELP = (
    "How many of 100 lesions that are photographed where you work are malignant. It is more in a specialist clinic "
    "than in screening. Until you change it, this is the share among the photos that the model learned from."
)
FROM = "From the sensitivity and specificity on test photos."
IF_HARD = "Where benign lesions are as difficult as those that had a biopsy:"
MEANING = (
    "By Bayes' rule on the odds (Saerens et al., 2002). It is valid if malignant and benign lesions look the same "
    "there as in the training photos. The lesion types are not restated: that would need a prevalence for each type."
)


def show(prevalence: float, triage: Triage, card: Card) -> None:
    """Say how many of 100 flagged lesions, and of 100 others, are malignant at a prevalence between 0 and 1."""
    if frequencies := compute_frequencies(card, prevalence, triage.sensitivity):
        intervals = describe_frequency_intervals(frequencies)
        st.markdown(f"**{describe_frequencies(frequencies)}**", help=f"{FROM} {intervals}")


def show_restated(assessment: Assessment, triage: Triage, card: Card) -> None:
    """Restate score and threshold for the reader's prevalence; show nothing where the card has no prevalence."""
    own = get_model_prevalence(card)
    if own is None:
        return
    new = _get_chosen(own)
    st.markdown(_describe_restated("Score", assessment.malignant_score, own, new))
    if triage.threshold is not None:
        name = threshold.name_threshold(triage.sensitivity)
        side = "above" if assessment.malignant_score >= triage.threshold else "below"
        st.markdown(f"{_describe_restated(name, triage.threshold, own, new)} The score stays {side} it.")
    if hard := compute_frequencies(card, new, triage.sensitivity, of_histology=True):
        st.markdown(f"{IF_HARD} {describe_frequencies(hard)} {describe_frequency_intervals(hard)}")
    st.caption(MEANING)


def _get_chosen(own: float) -> float:
    chosen = state.get_choices().prevalence
    return own if chosen is None else chosen / 100


def choose(card: Card) -> float | None:
    """Let the reader set the share of malignant lesions and return it; that of the model until the reader does.

    An emptied field goes back to the model's own too. None where the card has no prevalence.
    """
    own = get_model_prevalence(card)
    if own is None:
        return None
    key, own_per_100 = state.build_widget_key("of-100-malignant"), min(max(round(100 * own, 1), LEAST), MOST)
    if state.get_widget(key) is None:
        state.set_widget(key, state.get_choices().prevalence or own_per_100)
    st.number_input(
        "Malignant of 100 lesions where you work",
        LEAST,
        MOST,
        None,
        step=0.5,
        format="%.1f",
        key=key,
        on_change=_keep,
        args=(key,),
        help=HELP,
        width=300,
    )
    if state.get_choices().prevalence is not None:
        st.button(f"Back to the model's {own_per_100:g}", on_click=_reset, args=(key, own_per_100))
    return _get_chosen(own)


def _keep(key: str) -> None:
    state.keep_choices(prevalence=state.get_widget(key))


def _reset(key: str, own_per_100: float) -> None:
    state.keep_choices(prevalence=None)
    state.set_widget(key, own_per_100)


def _describe_restated(what: str, score: float, own: float, new: float) -> str:
    text = f"{what}: **{format_score(score)}** at the model's own prevalence ({_format_percent(own)} malignant)"
    if new == own:
        return f"{text}."
    return f"{text}; **{format_score(restate_score(score, own, new))}** at a prevalence of {_format_percent(new)}."


def _format_percent(share: float) -> str:
    return f"{100 * share:.3g}%"
