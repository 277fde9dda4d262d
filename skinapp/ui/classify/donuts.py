"""The two donuts of an answer, which follow the verdict, and every score as a table."""

import pandas as pd
import streamlit as st

from skinapp.charts.donut import Tone, draw_lesion_type_donut, draw_malignancy_donut
from skinapp.formatting import format_score_percent, format_threshold
from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.triage import Category, Triage
from skinapp.models.card import Card
from skinapp.taxonomy import MELANOMA, get_class_name, is_malignant
from skinapp.ui import chart
from skinapp.ui.classify import threshold

_TONES: dict[Category, Tone] = {"flagged": "flagged", "not_flagged": "plain", "not_assessable": "grey"}


def show(assessment: Assessment, triage: Triage, card: Card) -> None:
    """Show both donuts side by side, on a phone one below the other; grey where the photo is not assessable."""
    malignancy, lesion_type = st.columns(2, gap="medium", border=True)
    with malignancy:
        _show_malignancy(assessment, triage, card)
    with lesion_type:
        _show_lesion_type(assessment.lesion_type, _TONES[triage.category])


def show_tables(assessment: Assessment) -> None:
    """Show every score of both answers, the highest first."""
    for column, scores in zip(st.columns(2), (assessment.malignancy, assessment.lesion_type), strict=True):
        rows = [(_format_class(label), f"{score:.1%}") for label, score in scores.rank()]
        column.table(pd.DataFrame(rows, columns=["Class", "Score"]).set_index("Class"))


def _show_malignancy(assessment: Assessment, triage: Triage, card: Card) -> None:
    st.subheader("Malignant or benign?", anchor=False)
    score, limit, name = assessment.malignant_score, triage.threshold, threshold.name_threshold(triage.sensitivity)
    flagged = "flagged, " if triage.category == "flagged" else ""
    alt = f"Donut: {flagged}model score for malignant {format_score_percent(score)}"
    if limit is not None:
        alt += f", with a tick at the {name}, {format_threshold(limit)}"
    explained, tone = threshold.explain(triage.sensitivity), _TONES[triage.category]
    chart.show(draw_malignancy_donut(score, limit, name, explained, tone), "malignancy-donut", alt, toolbar=False)
    st.markdown("**Model score, not the chance of cancer.**")
    if limit is not None and triage.category != "not_assessable":
        st.markdown(threshold.describe(assessment, triage, card), help=explained)


def _show_lesion_type(scores: Scores, tone: Tone) -> None:
    st.subheader("Which lesion type?", anchor=False)
    top = scores.rank()[:3]
    if tone == "flagged":  # the donut has a segment of the strongest malignant type, wherever it ranks
        top += tuple(pair for pair in scores.rank() if is_malignant(pair[0]))[:1]
    alt = "Donut: " + ", ".join(
        f"{get_class_name(code)} {format_score_percent(score)}" for code, score in dict.fromkeys(top)
    )
    chart.show(draw_lesion_type_donut(scores.classes, scores.values, tone), "lesion-type-donut", alt, toolbar=False)
    if MELANOMA not in [code for code, _ in top]:
        melanoma = format_score_percent(scores.score_of(MELANOMA))
        st.markdown(f"Melanoma is not among the top three: its score is **{melanoma}**.")
    else:
        st.markdown("**Model scores, not chances.**")


def _format_class(label: str) -> str:
    name = get_class_name(label)
    return name if name.lower() == label else f"{name} ({label})"
