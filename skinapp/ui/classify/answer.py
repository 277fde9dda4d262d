"""A photo's answer from top to bottom: the verdict, two donuts, and folded below them what they rest on."""

import math

import streamlit as st

from skinapp.cards.network_facts import name_networks
from skinapp.cards.selection import find_without_benign_cameras
from skinapp.errors import RunError
from skinapp.formatting import format_estimate
from skinapp.inference.assessment import Assessment
from skinapp.inference.conformal import describe_set, explain_set
from skinapp.inference.triage import decide_triage
from skinapp.models.card import Card, Task
from skinapp.runs.intervals import get_figure
from skinapp.taxonomy import MELANOMA, get_class_name
from skinapp.ui import loaders, state
from skinapp.ui.classify import (
    donuts,
    evidence,
    prevalence,
    same_lesion,
    take_away,
    threshold,
    verdict,
    your_call,
)
from skinapp.ui.classify.assessor import get_assessor
from skinapp.ui.state import Answer
from skinapp.ui.types import page as types

SHOW_ANYWAY, SCORES = "Show the scores anyway", "All scores, and scores at your prevalence"


def show(answer: Answer) -> None:
    """Show an answer: the photo with its verdict, the donuts, and folded below them what they rest on.

    Where the reader's own call comes first, the answer opens after it.
    """
    assessor = get_assessor()
    card, types_card = assessor.malignancy_card, assessor.lesion_type_card
    sensitivity = threshold.choose(card.operating_points)
    lesion = same_lesion.join(answer, card, sensitivity)
    assessment = lesion.mean if lesion and lesion.mean else answer.assessment
    triage = lesion.triage if lesion else decide_triage(assessment, sensitivity)
    if your_call.is_wanted(answer):
        with verdict.beside_photo(answer), st.container():
            your_call.ask(answer, triage)
        return
    verdict.show(answer, assessment, triage, card)
    your_call.show_agreement(answer)
    if answer.example:
        st.info(f"Its label: **{get_class_name(answer.example.diagnosis)}**.  \n{answer.attribution}")
    key = state.build_widget_key(f"show-anyway-{answer.id}")
    with_scores = triage.category != "not_assessable" or st.toggle(SHOW_ANYWAY, key=key)
    if with_scores:
        donuts.show(assessment, triage, card)
        if triage.category != "not_assessable":  # no confidence holds for a picture that cannot be judged
            _show_set(assessment, types_card)
        _link_types(assessment)
    same_lesion.show(answer, lesion, card)
    if with_scores:
        with st.expander(SCORES):
            donuts.show_tables(assessment)
            prevalence.show_restated(assessment, triage, card)
        evidence.show(answer, triage)
    _show_model(card, types_card)
    with st.expander("The photo as the networks saw it"):
        _show_photo(answer)
    with st.expander("Take the answer away"):
        take_away.show(answer, assessment, triage, lesion)


def _show_model(card: Card, types_card: Card) -> None:
    key = state.build_widget_key("test-figures")
    with st.expander("How good is this model?", key=key, on_change="rerun") as opened:
        if opened.open:  # the stored runs are read when somebody looks
            _show_test_figures(card, "malignancy")
            _show_test_figures(types_card, "lesion_type")


def _show_set(assessment: Assessment, card: Card) -> None:
    """Show the lesion types that the answer is among; nothing where the model has no such sets."""
    if assessment.conformal is not None and card.conformal is not None:
        said = describe_set(assessment.conformal, card.conformal)
        st.markdown(f":material/category: {said}", help=explain_set(card.conformal))


def _link_types(assessment: Assessment) -> None:
    """Link to what the likeliest types and those of the set are, with photos; the page puts these types first."""
    top = [code for code, _ in assessment.lesion_type.rank()[:3]]
    named = dict.fromkeys([*top, *(assessment.conformal or ())])
    label, icon = "What these types are, with photos", ":material/menu_book:"
    st.page_link("pages/types.py", label=label, icon=icon, query_params=[(types.TYPE, code) for code in named])


def _show_test_figures(card: Card, task: Task) -> None:
    """Show how well a head did on its model's own test photos, or that no such run is stored."""
    try:
        folder = loaders.find_test_run(card, task)
    except RunError as error:
        st.caption(str(error))
        return
    counts, intervals = loaders.get_run_headline(folder), loaders.get_intervals(folder)
    if task == "malignancy":
        figures = f"AUROC {get_figure(intervals, 'malignant_auroc').format(2)}"
        hard = find_without_benign_cameras(card, "malignant_auroc")
        if hard:
            figures += f"; {hard.group} {format_estimate(hard, '.2f')}"
    else:
        balanced, melanoma = get_figure(intervals, "balanced_accuracy"), get_figure(intervals, "recall", MELANOMA)
        figures = f"balanced accuracy {balanced.format(2)}"
        if not math.isnan(melanoma.value):
            figures += f"; melanomas named as melanoma {melanoma.format(2)}"
    st.caption(
        f"Model *{card.id}* ({name_networks(card)}). "
        f"On {counts.photos:,} test photos of {counts.lesions:,} lesions: "
        f"{figures}. Brackets show 95% intervals. "
        "The test photos come from the same clinics as the training photos."
    )


def _show_photo(answer: Answer) -> None:
    assessment = answer.assessment
    side = answer.view.shape[0]
    smaller = " or ".join(f"{px} x {px}" for px in _list_input_sides() if px < side)
    for_some = f", for some networks to {smaller}" if smaller else ""
    st.markdown(
        f"The centre of the photo ({assessment.width:,} x {assessment.height:,} pixels), "
        f"resized to {side} x {side} pixels{for_some}. A lesion that is cut off or tiny here cannot be judged."
    )
    for note in assessment.notes:
        st.caption(note)
    st.caption(f"Computed on {get_assessor().device.label}. The photo itself was deleted.")


def _list_input_sides() -> list[int]:
    """List the side lengths of the networks' inputs, px, the largest first."""
    cards = (get_assessor().malignancy_card, get_assessor().lesion_type_card)
    sides = {network.preprocessing.input_px for card in cards for network in card.networks}
    return sorted(sides, reverse=True)
