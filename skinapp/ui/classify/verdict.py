"""The verdict beside the photo: what the answer is, why, what to do now, and how often such an answer is right."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from skinapp.inference.assessment import Assessment
from skinapp.inference.triage import ALWAYS, DARKER_SKIN, Category, Triage
from skinapp.models.card import Card
from skinapp.notice import NO_DIAGNOSIS, NOT_CHECKED
from skinapp.ui.classify import prevalence, threshold
from skinapp.ui.state import Answer

ALT = "The photo as the networks saw it"

_STYLE = Path(__file__).parents[1] / "assets" / "answer.css"
_ICONS: dict[Category, str] = {
    "flagged": ":orange[:material/flag:]",
    "not_flagged": ":material/visibility:",
    "not_assessable": ":material/help:",
}


@contextmanager
def beside_photo(answer: Answer) -> Iterator[None]:
    """Show the photo, and beside it what is drawn meanwhile: two parts, of which the second one may be missing."""
    st.html(_STYLE)
    with st.container(key="answer"):  # answer.css places its parts
        st.image(answer.view, width="stretch", alt=ALT)
        yield


def show(answer: Answer, assessment: Assessment, triage: Triage, card: Card) -> None:
    """Show the photo and, beside it, the verdict with its reasons, and what stands beside every answer.

    `assessment` is that of the photo, or the mean of several photos of its lesion.
    """
    with beside_photo(answer):
        with st.container(key=f"verdict-{triage.category}", gap="xsmall"):
            _show_words(assessment, triage)
        with st.container(gap="xsmall"):
            if triage.category != "not_assessable":
                _show_frequencies(triage, card)
            _show_notice(assessment)


def _show_words(assessment: Assessment, triage: Triage) -> None:
    st.subheader(f"{_ICONS[triage.category]} {triage.headline}", anchor=False)
    advice = {finding.sentence: f" {finding.advice}" for finding in assessment.findings}
    for reason in triage.reasons:
        st.markdown(f"{reason}{advice.get(reason, '')}")
    st.markdown(f"**{triage.next_step}**")


def _show_frequencies(triage: Triage, card: Card) -> None:
    words = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = prevalence.choose(card)
        threshold.show_chooser(card.operating_points, triage.sensitivity)
    if chosen is not None:
        with words:
            prevalence.show(chosen, triage, card)


def _show_notice(assessment: Assessment) -> None:
    st.markdown(f":material/stethoscope: **{ALWAYS}** {NO_DIAGNOSIS}")
    st.caption(DARKER_SKIN)
    if assessment.in_scope is None:
        st.caption(f":material/warning: {NOT_CHECKED}")
