"""Take the answer away: one page of PDF, or JSON, made in memory when the reader asks for it."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from skinapp.cards.frequencies import compute_frequencies, get_model_prevalence
from skinapp.inference.answer import Answer
from skinapp.inference.take_away.report import Report, build_report
from skinapp.inference.triage import Triage
from skinapp.models.card import Card
from skinapp.ui import state
from skinapp.ui.classify.assessor import get_assessor

_PRINT_STYLE = Path(__file__).parents[1] / "assets" / "print.css"

NAME = "skinapp-answer"
"""The name of both files: nothing of the photo's own."""

KEPT = (
    "Both hold the photo as framed, the verdict with its reasons, both answers, the checks, test figures and the model "
    "with its versions. Nothing else of your file is in them: no name, place or date of the photo. They are made in "
    "memory when you ask for them. This page prints on one sheet too."
)


def show(answer: Answer, triage: Triage) -> None:
    """Offer an answer and its verdict as a PDF and as JSON, and let the page that shows it print on one sheet."""
    st.html(_PRINT_STYLE)
    assessor, set_per_100 = get_assessor(), state.get_choices().prevalence
    cards = (assessor.malignancy_card, assessor.lesion_type_card)
    prevalence = get_model_prevalence(cards[0]) if set_per_100 is None else set_per_100 / 100
    facts = (answer, triage, cards, prevalence)
    with st.container(horizontal=True):
        for title, suffix, kind, make, icon in (
            ("PDF, one page", "pdf", "application/pdf", make_pdf, "picture_as_pdf"),
            ("JSON", "json", "application/json", make_json, "data_object"),
        ):
            st.download_button(
                title,
                partial(make, *facts),
                f"{NAME}.{suffix}",
                kind,
                key=f"take-away-{suffix}",
                on_click="ignore",
                icon=f":material/{icon}:",
            )
    st.caption(KEPT)


def make_pdf(answer: Answer, triage: Triage, cards: tuple[Card, Card], prevalence: float | None) -> bytes:
    """Return an answer as a PDF of one page."""
    from skinapp.inference.take_away import pdf_file  # fpdf2 is read when it is needed, because that takes time

    return pdf_file.make_pdf(_build(answer, triage, cards, prevalence))


def make_json(answer: Answer, triage: Triage, cards: tuple[Card, Card], prevalence: float | None) -> bytes:
    """Return an answer as JSON."""
    from skinapp.inference.take_away import json_file

    return json_file.make_json(_build(answer, triage, cards, prevalence)).encode()


def _build(answer: Answer, triage: Triage, cards: tuple[Card, Card], prevalence: float | None) -> Report:
    """Build the report; `prevalence` is the share of malignant lesions, 0 to 1, None where none is known."""
    frequencies = None if prevalence is None else compute_frequencies(cards[0], prevalence, triage.sensitivity)
    return build_report(
        datetime.now(UTC), answer.view, answer.assessment, triage, cards, frequencies, answer.attribution
    )
