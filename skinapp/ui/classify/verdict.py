"""The verdict beside the photo: what the answer is, why, what to do now, and how often such an answer is wrong."""

from pathlib import Path

import streamlit as st

from skinapp.inference.assessment import Assessment
from skinapp.inference.findings import Finding
from skinapp.inference.triage import ALWAYS, DARKER_SKIN, Category, Triage
from skinapp.models.card import Card
from skinapp.notice import NOT_CHECKED
from skinapp.ui.classify import prevalence, threshold
from skinapp.ui.state import Answer

ALT = "The photo as the networks saw it"

_STYLE = Path(__file__).parents[1] / "assets" / "answer.css"
_ICONS: dict[Category, str] = {
    "flagged": ":orange[:material/flag:]",
    "not_flagged": ":material/visibility:",
    "not_assessable": ":material/help:",
}


def show(answer: Answer, triage: Triage, card: Card) -> None:
    """Show the photo and, beside it, the verdict with its reasons, and what stands beside every answer."""
    st.html(_STYLE)
    with st.container(key="answer"):  # answer.css places its three parts
        st.image(answer.view, width="stretch", alt=ALT)
        with st.container(key=f"verdict-{triage.category}", gap="xsmall"):
            _show_words(answer.assessment, triage)
        with st.container(gap="xsmall"):
            words = st.container()
            with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
                chosen = prevalence.choose(card)
                threshold.show_chooser(answer.assessment, triage.sensitivity)
            if chosen is not None:
                with words:
                    prevalence.show(chosen, triage, card)
    st.markdown(f":material/stethoscope: **{ALWAYS}** Not a diagnosis and not a medical device.")
    st.caption(DARKER_SKIN)
    if answer.assessment.in_scope is None:
        st.warning(NOT_CHECKED)


def _show_words(assessment: Assessment, triage: Triage) -> None:
    st.subheader(f"{_ICONS[triage.category]} {triage.headline}", anchor=False)
    found = {finding.sentence: finding for finding in assessment.findings}
    for reason in triage.reasons:
        st.markdown(f"{reason} {_describe_retake(found.get(reason))}")
    st.markdown(f"**{triage.next_step}**")


def _describe_retake(finding: Finding | None) -> str:
    return finding.advice if finding else ""
