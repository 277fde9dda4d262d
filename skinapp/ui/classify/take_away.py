"""Take the answer away: one page of PDF, or JSON, made in memory when the reader asks for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from skinapp.cards.frequencies import compute_frequencies, get_model_prevalence
from skinapp.inference.answer import Answer
from skinapp.inference.assessment import Assessment
from skinapp.inference.lesion import LesionAnswer
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


def show(answer: Answer, assessment: Assessment, triage: Triage, lesion: LesionAnswer | None = None) -> None:
    """Offer an answer as a PDF and as JSON, and let the page that shows it print on one sheet.

    `assessment` and `triage` are what the page shows of it: for several photos of one lesion those of `lesion`.
    """
    st.html(_PRINT_STYLE)
    build = partial(_build, answer, assessment, triage, lesion, _list_cards(), _get_prevalence())
    with st.container(horizontal=True):
        for title, suffix, kind, make, icon in (
            ("PDF, one page", "pdf", "application/pdf", _make_pdf, "picture_as_pdf"),
            ("JSON", "json", "application/json", _make_json, "data_object"),
        ):
            st.download_button(
                title,
                partial(make, build),
                f"{NAME}.{suffix}",
                kind,
                key=f"take-away-{suffix}",
                on_click="ignore",
                icon=f":material/{icon}:",
            )
    st.caption(KEPT)


def _list_cards() -> tuple[Card, Card]:
    assessor = get_assessor()
    return assessor.malignancy_card, assessor.lesion_type_card


def _get_prevalence() -> float | None:
    """Return the share of malignant lesions, 0 to 1, that the reader set or the model has; None where none is known."""
    per_100 = state.get_choices().prevalence
    return get_model_prevalence(_list_cards()[0]) if per_100 is None else per_100 / 100


def _make_pdf(build: Callable[[], Report]) -> bytes:
    from skinapp.inference.take_away import pdf_file  # brings fpdf2, whose import takes time

    return pdf_file.make_pdf(build())


def _make_json(build: Callable[[], Report]) -> bytes:
    from skinapp.inference.take_away import json_file

    return json_file.make_json(build()).encode()


def _build(
    answer: Answer,
    assessment: Assessment,
    triage: Triage,
    lesion: LesionAnswer | None,
    cards: tuple[Card, Card],
    prevalence: float | None,
) -> Report:
    frequencies = None if prevalence is None else compute_frequencies(cards[0], prevalence, triage.sensitivity)
    made = datetime.now(UTC)
    return build_report(made, answer.view, assessment, triage, cards, frequencies, answer.attribution, lesion)
