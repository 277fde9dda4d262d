"""A photo's answer: the notice, two donuts, the test figures, and the photo as the networks saw it."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from skinapp.cards.network_facts import name_networks
from skinapp.cards.selection import find_without_benign_cameras
from skinapp.charts.donut import draw_lesion_type_donut, draw_malignancy_donut
from skinapp.errors import ExampleError, PhotoError, RunError
from skinapp.formatting import format_estimate, format_score_percent, format_threshold
from skinapp.inference.assessment import Assessment, Scores
from skinapp.models.card import Card, Task
from skinapp.notice import NOT_CHECKED, NOTICE
from skinapp.photo import read_photo
from skinapp.runs.intervals import get_figure
from skinapp.taxonomy import MELANOMA, get_class_name, is_malignant
from skinapp.ui import chart, loaders, state
from skinapp.ui.classify import prevalence, threshold
from skinapp.ui.classify.assessor import get_assessor
from skinapp.ui.classify.photo_input import ChosenPhoto
from skinapp.ui.state import Answer

STILL_ABOVE = (
    "The likeliest type is benign, **but the malignancy score is above its threshold. The threshold decides.**"
)


def assess(chosen: ChosenPhoto | None) -> None:
    """Keep the answer to the chosen photo, or why it is refused, and let the photo go; an answered one only once.

    The answer to the photo before is forgotten, but not where no photo is chosen: the chooser is empty too when the
    visitor comes back from another page. Raises ModelError where no model can answer; the photo then stays.
    """
    if chosen is None:
        state.keep_taken_photo(None)
    elif chosen.id != state.get_taken_photo():
        state.keep_answer(None)
        with st.spinner("Assessing the photo"):
            _assess(chosen)


def _assess(chosen: ChosenPhoto) -> None:
    try:
        data, attribution = chosen.read()
    except ExampleError as error:
        st.warning(str(error))
        return
    refusal = None
    try:
        photo = read_photo(data)
        assessor = get_assessor()
        view = np.array(assessor.crop_for_network(photo))  # a copy: no part of the whole photo stays with it
        state.keep_answer(Answer(assessor.assess(photo), view, chosen.example, attribution))
    except PhotoError as error:
        refusal = str(error)
    state.keep_taken_photo(chosen.id, refusal)
    chosen.release()


def show(answer: Answer) -> None:
    """Show an answer: notice, both donuts with their test figures, and the photo."""
    st.warning(f"**{NOTICE}** {NOT_CHECKED}", icon=":material/stethoscope:")
    assessor = get_assessor()
    malignancy, lesion_type = st.columns(2, gap="medium", border=True)
    with malignancy:
        _show_malignancy(answer.assessment, assessor.malignancy_card)
        _show_test_figures(assessor.malignancy_card, "malignancy")
    with lesion_type:
        _show_lesion_type(answer.assessment)
        _show_test_figures(assessor.lesion_type_card, "lesion_type")
    if answer.example:
        st.info(f"Its label: **{get_class_name(answer.example.diagnosis)}**.  \n{answer.attribution}")
    _show_photo(answer)


def _show_malignancy(assessment: Assessment, card: Card) -> None:
    st.subheader("Malignant or benign?", anchor=False)
    alt = f"Donut: model score for malignant {format_score_percent(assessment.malignant_score)}"
    if assessment.threshold is not None:
        alt += f", with a tick at the threshold, {format_threshold(assessment.threshold)}"
    donut = draw_malignancy_donut(assessment.malignant_score, assessment.threshold, threshold.MEANING)
    chart.show(donut, "malignancy-donut", alt, toolbar=False)
    st.markdown("**Model score, not the chance of cancer.**")
    if assessment.threshold is not None:
        st.markdown(threshold.describe(assessment, card), help=threshold.MEANING)
    _show_score_table(assessment.malignancy)
    prevalence.show(assessment, card)


def _show_lesion_type(assessment: Assessment) -> None:
    scores = assessment.lesion_type
    ranked = scores.rank()
    st.subheader("Which lesion type?", anchor=False)
    alt = "Donut: " + ", ".join(f"{get_class_name(code)} {format_score_percent(score)}" for code, score in ranked[:3])
    chart.show(draw_lesion_type_donut(scores.classes, scores.values), "lesion-type-donut", alt, toolbar=False)
    if MELANOMA not in [code for code, _ in ranked[:3]]:
        st.markdown(
            f"Melanoma is not among the top three: its score is **{format_score_percent(scores.score_of(MELANOMA))}**."
        )
    else:
        st.markdown("**Model scores, not chances.**")
    if assessment.above_threshold and not is_malignant(ranked[0][0]):
        st.markdown(STILL_ABOVE)
    _show_score_table(scores)


def _show_score_table(scores: Scores) -> None:
    with st.expander("All scores as a table"):
        rows = [(_format_class(label), f"{score:.1%}") for label, score in scores.rank()]
        st.table(pd.DataFrame(rows, columns=["Class", "Score"]).set_index("Class"))


def _format_class(label: str) -> str:
    name = get_class_name(label)
    return name if name.lower() == label else f"{name} ({label})"


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
    picture, words = st.columns([1, 3], vertical_alignment="center")
    picture.image(answer.view, width=224, alt="The photo as the networks saw it")
    side = answer.view.shape[0]
    smaller = " or ".join(f"{px} x {px}" for px in _list_input_sides() if px < side)
    for_some = f", for some networks to {smaller}" if smaller else ""
    words.markdown(
        f"**As the networks saw it:** the centre of the photo ({assessment.width:,} x {assessment.height:,} pixels), "
        f"resized to {side} x {side} pixels{for_some}. A lesion that is cut off or tiny here cannot be judged."
    )
    for note in assessment.notes:
        words.caption(note)
    words.caption(f"Computed on {get_assessor().device.label}. The photo itself was deleted.")


def _list_input_sides() -> list[int]:
    """List the side lengths of the networks' inputs, px, the largest first."""
    cards = (get_assessor().malignancy_card, get_assessor().lesion_type_card)
    sides = {network.preprocessing.input_px for card in cards for network in card.networks}
    return sorted(sides, reverse=True)
