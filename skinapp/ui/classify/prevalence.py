"""A malignancy score restated for another share of malignant lesions, where the reader wants it."""

import math

import streamlit as st

from skinapp.cards.tables import number
from skinapp.charts.style import decimal
from skinapp.inference.assessment import Assessment
from skinapp.metrics.decisions import predictive_values
from skinapp.models.card import Card, CardFigure
from skinapp.runs.prevalence import restated
from skinapp.taxonomy import MALIGNANT
from skinapp.ui import state
from skinapp.ui.classify import threshold

LEAST, MOST = 0.1, 99.0
"""Bounds of what can be chosen, photos of malignant lesions of 100."""

HELP = (
    "Of 100 photos like this one that you or your doctor look at. In a specialist's clinic more are malignant than in "
    "a screening."
)
MEANING = (
    "By Bayes' rule on the odds (Saerens et al., 2002). It holds if malignant lesions look the same there as in the "
    "photos that the model learned from, and benign ones too. The lesion types are not restated: how often each is "
    "met there, one number does not tell."
)


def show(seen: Assessment, card: Card) -> None:
    """Offer to restate a score, folded away; nothing where the card does not say which share it is meant for."""
    own = meant_for(card)
    if own is None:
        return
    with st.expander("Another prevalence"):
        new = _chosen(own)
        st.markdown(_restated("Score", seen.malignant, own, new))
        if seen.threshold is not None:
            st.markdown(
                f"{_restated(threshold.NAME, seen.threshold, own, new)} "
                f"The score stays {'above' if seen.above else 'below'} it."
            )
            if flagged := _of_flagged(card, new):
                st.markdown(flagged)
        st.caption(MEANING)


def meant_for(card: Card) -> float | None:
    """Return the share of malignant lesions, between 0 and 1, that a card's malignancy score is meant for, or None."""
    head = card.head("malignancy")
    share = dict(zip(head.classes, head.shares, strict=False)).get(MALIGNANT)
    return share if share is not None and 0 < share < 1 else None


def _chosen(own: float) -> float:
    """Let the reader choose how many of 100 photos are malignant; returns that share, `own` as it is until she does.

    A field that she emptied has no value: it too goes back to the model's own.
    """
    key, shown = state.widget_key("of-100-malignant"), min(max(round(100 * own, 1), LEAST), MOST)
    if state.widget_value(key) is None:
        state.set_widget(key, state.prevalence() or shown)
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
    chosen = state.prevalence()
    st.button(f"Back to the model's {shown:g}", on_click=_back, args=(key, shown), disabled=chosen is None)
    return own if chosen is None else chosen / 100


def _keep(key: str) -> None:
    state.keep_prevalence(state.widget_value(key))


def _back(key: str, shown: float) -> None:
    state.keep_prevalence(None)
    state.set_widget(key, shown)


def _restated(what: str, score: float, own: float, new: float) -> str:
    said = f"{what}: **{decimal(score)}** as the model was calibrated ({_percent(own)} malignant)"
    return f"{said}." if new == own else f"{said}; **{decimal(restated(score, own, new))}** where {_percent(new)} are."


def _of_flagged(card: Card, prevalence: float) -> str:
    """Say how many of those above the threshold, and of those below, are malignant; nothing where no test tells."""
    tested = threshold.measured(card)
    if tested is None or tested.sensitivity is None or tested.specificity is None:
        return ""
    found = _of_100(tested.sensitivity, tested.specificity, prevalence)
    if found is None:
        return ""
    above, below = found
    said = (
        f"Where {_percent(prevalence)} are malignant, so are of 100 photos above the threshold about {above}, of 100 "
        f"below it about {below}: by the rates of the test."
    )
    harder = _of_100(tested.sensitivity, tested.of_histology, prevalence) if tested.of_histology else None
    if harder is None:
        return said
    above, below = harder
    return (
        f"{said} If the benign ones are as hard as those of the test that had a biopsy, about {above} of 100 above it "
        f"and {below} of 100 below it are malignant."
    )


def _of_100(found: CardFigure, spared: CardFigure, prevalence: float) -> tuple[str, str] | None:
    """Write how many of 100 above and of 100 below a threshold are malignant, by its sensitivity and specificity.

    None where a rate or its interval is undefined. Predictive values grow with both rates: the ends of the rates'
    intervals give theirs, a little too wide.
    """
    rates = ((found.value, spared.value), (found.low, spared.low), (found.high, spared.high))
    value, low, high = (predictive_values(number(sens), number(spec), prevalence) for sens, spec in rates)
    if any(map(math.isnan, value + low + high)):
        return None
    return _in_100(value[0], low[0], high[0]), _in_100(1 - value[1], 1 - high[1], 1 - low[1])


def _in_100(share: float, low: float, high: float) -> str:
    value, least, most = (f"{100 * one:.0f}" if one >= 0.1 else f"{100 * one:.2g}" for one in (share, low, high))
    return f"**{value}** ({least} to {most})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
