"""The evidence behind an answer, folded: each part is computed when it is opened, and only that part runs again."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from skinapp.cards import evidence as words
from skinapp.errors import ModelError, PhotoError, RunError
from skinapp.formatting import format_interval, format_threshold
from skinapp.inference.triage import Triage
from skinapp.runs.views.mistakes import count_malignant
from skinapp.runs.views.similar_scores import find_score_band
from skinapp.taxonomy import get_class_name
from skinapp.ui import chart, loaders, state
from skinapp.ui.classify.assessor import get_assessor
from skinapp.ui.classify.similar import show_cases
from skinapp.ui.state import Answer

ACTIVATION, SIMILAR = "Where the network's evidence lies", "Similar cases"
WHAT_IF, BAND = "What if the photo had been taken otherwise?", "How the model did on photos with such a score"

ASK = "Score the changed photos"
OTHER_MODEL = "The model was replaced since this answer. Add the photo again to see its evidence."
NOT_KEPT = "No evidence was kept with this answer."
IS_NOT = (
    "It is not where the lesion is, and it does not show that the network is right. Evidence on hair, a ruler or the "
    "rim of the photo is a reason to doubt the answer."
)
LOOK_ALIKE = "Looking alike does not make a diagnosis."
NO_BANK = "The model brings no reference photos to compare with. `skinapp gate` makes them."
SAME_CLINICS = (
    "They come from the same clinics as the training photos, and {share} of all test photos are malignant. Which "
    "camera took your photo is not known. On another camera, or where fewer lesions are malignant, it can be different."
)

_SHOWN_PX, _SCALE_PX = 480, 12
_OPACITY = 60


def show(answer: Answer, triage: Triage) -> None:
    """Show the evidence behind an answer, folded: activation map, similar cases, changes, and like scores on test."""
    parts = (
        (ACTIVATION, "activation", _show_activation),
        (SIMILAR, "similar", _show_similar),
        (WHAT_IF, "what-if", _show_what_if),
        (BAND, "band", _show_band),
    )
    for title, name, show_part in parts:
        st.fragment(_fold)(title, state.build_widget_key(f"evidence-{name}"), show_part, answer, triage)


def _fold(title: str, key: str, show_part: Callable[[Answer, Triage], None], answer: Answer, triage: Triage) -> None:
    with st.expander(title, key=key, on_change="rerun") as fold:
        if not fold.open:
            return
        if get_assessor().malignancy_card.weights_sha256 != answer.assessment.malignancy_weights:
            st.caption(OTHER_MODEL)
        else:
            show_part(answer, triage)


def _show_activation(answer: Answer, triage: Triage) -> None:
    from skinapp.inference.activation import draw_evidence, draw_scale

    assessor = get_assessor()
    if answer.assessment.maps is None:
        st.caption(NOT_KEPT)
        return
    class_maps = assessor.compute_class_maps(answer.assessment.maps)
    picture, controls = st.columns(2, gap="medium")
    with controls:
        label = _choose_map(answer, list(class_maps), triage)
        opacity = st.slider("Opacity", 0, 100, _OPACITY, 5, format="%d%%", key=state.build_widget_key("map-opacity"))
        _describe_map(label, class_maps[label].shape[0], bool(class_maps[label].max() > 0))
    with picture:
        drawn = draw_evidence(answer.view, class_maps[label], opacity / 100, _SHOWN_PX)
        st.image(drawn, width="stretch", alt=f"The photo with the evidence for {get_class_name(label)} laid over it")
        st.image(draw_scale(_SHOWN_PX, _SCALE_PX), width="stretch", alt="The colours of the map, from dark to light")
        st.caption("Left: no evidence. Right: the strongest in this photo. The line is where it is half as strong.")


def _choose_map(answer: Answer, labels: list[str], triage: Triage) -> str:
    """Let the visitor choose the class of the map: malignant, then the types, the likeliest first."""
    from skinapp.inference.activation import choose_label

    lesion_type = answer.assessment.lesion_type
    ranked = [code for code, _ in lesion_type.rank() if code in labels]
    offered = [*(label for label in labels if label not in ranked), *ranked]
    first = choose_label(lesion_type, labels, triage.category == "flagged")
    return st.selectbox(
        "Evidence for",
        offered,
        index=offered.index(first),
        format_func=get_class_name,
        key=state.build_widget_key(f"map-of-{answer.id}"),  # else the next photo would keep this class
    )


def _describe_map(label: str, fields: int, positive: bool) -> None:
    card, name = get_assessor().malignancy_card, get_class_name(label).lower()
    if positive:
        st.markdown(f"**Bright is where the network finds evidence for {name}.** {IS_NOT}")
    else:
        st.markdown(f"**Nothing in this photo speaks for {name}** more than for the other classes.")
    st.caption(
        f"The map is of {words.describe_network(card)}. It is exact and comes from the pass that gave the answer; "
        f"its {fields} x {fields} fields are joined smoothly. {words.describe_inside(card, label, name)}"
    )


def _show_similar(answer: Answer, triage: Triage) -> None:
    from skinapp.inference.similar import find_similar

    card = get_assessor().malignancy_card
    try:
        bank = loaders.get_reference(card.id)
    except ModelError as error:
        st.caption(str(error))
        return
    if bank is None or answer.assessment.maps is None:
        st.caption(NO_BANK if bank is None else NOT_KEPT)
        return
    cases = find_similar(answer.assessment.maps.mean(axis=(1, 2)), bank)
    st.markdown(f"**{LOOK_ALIKE}** {words.count_malignant_cases([case.diagnosis for case in cases])}")
    show_cases(cases, card.data.table)
    st.caption(
        f"These are the nearest training photos, one a lesion, by the features of {words.describe_network(card)}. "
        f"A similarity of 1 is the same. {words.describe_nearest(card)}"
    )


def _show_what_if(answer: Answer, triage: Triage) -> None:
    from skinapp.charts.what_if import draw_what_if
    from skinapp.inference.what_if import CHANGES, MEANING, ask_what_if, describe_moves

    found = state.get_what_if(answer)
    if found is None:
        question = st.empty()  # the question goes when there is an answer
        with question.container():
            st.markdown(f"The same photo with a ruler, ink, blur and {len(CHANGES) - 3} other changes, scored again.")
            if not st.button(ASK, icon=":material/experiment:", key=state.build_widget_key("what-if-ask")):
                return
            try:
                with st.spinner("Scoring"):
                    found = ask_what_if(get_assessor(), answer.view)
            except PhotoError as error:
                st.warning(str(error))
                return
        question.empty()
        state.keep_what_if(answer, found)
    name = f"{triage.sensitivity:.0%} threshold"
    said = describe_moves(found, triage.threshold, name)
    st.markdown(said)
    moves = pd.DataFrame([(move.name, move.score) for move in found.moves], columns=["name", "score"])
    chart.show(draw_what_if(moves, found.score, triage.threshold), "what-if", said.replace("*", ""))
    st.caption(MEANING)


def _show_band(answer: Answer, triage: Triage) -> None:
    card = get_assessor().malignancy_card
    try:
        run = loaders.get_run(loaders.find_test_run(card, "malignancy"))
        band = find_score_band(run, answer.assessment.malignant_score, triage.threshold)
    except RunError as error:
        st.caption(str(error))
        return
    if band is None:
        st.caption("No test photo has a score on this side of the threshold.")
        return
    low, high = format_threshold(band.low), format_threshold(band.high)
    st.markdown(
        words.describe_band(band.photos, band.lesions, band.malignant, low, high, format_interval(band.share, ".0%"))
    )
    st.caption(SAME_CLINICS.format(share=f"{count_malignant(run) / len(run.frame):.0%}"))
