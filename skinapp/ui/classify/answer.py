"""How an answer is shown: the notice, two donuts, the figures behind them, the photo as the networks saw it."""

import hashlib
import math

import pandas as pd
import streamlit as st

from skinapp.cards.networks import networks_in_words
from skinapp.cards.tables import without_benign_cameras, written
from skinapp.charts.donut import lesion_type_donut, malignancy_donut
from skinapp.charts.style import finer_percent, percent
from skinapp.errors import RunError
from skinapp.inference.assessment import Assessment, Scores
from skinapp.models.card import Card, Task
from skinapp.notice import NOT_CHECKED, NOTICE
from skinapp.photo import read_photo
from skinapp.runs.intervals import figure
from skinapp.taxonomy import MELANOMA, class_name, is_malignant
from skinapp.ui import chart, loaders, state
from skinapp.ui.classify import prevalence, threshold
from skinapp.ui.classify.photo_input import Incoming
from skinapp.ui.state import Answer

STILL_ABOVE = "The likeliest type is a benign one, **but the malignancy score lies above its threshold: that counts.**"


def assessed(incoming: Incoming) -> Answer:
    """Return the answer for a photo: from the session, or computed and kept there; PhotoError where it is refused."""
    before = state.answer()
    if before and before.assessment.sha256 == hashlib.sha256(incoming.data).hexdigest():
        return before
    photo = read_photo(incoming.data)
    assessor = loaders.assessor()
    given = Answer(assessor.assess(photo), assessor.view(photo), incoming.example, incoming.attribution)
    state.keep(given)
    return given


def show(answer: Answer) -> None:
    """Show everything that belongs to an answer."""
    st.warning(f"**{NOTICE}** {NOT_CHECKED}", icon=":material/stethoscope:")
    assessor = loaders.assessor()
    malignancy, lesion_type = st.columns(2, gap="medium", border=True)
    with malignancy:
        _malignancy(answer.assessment, assessor.malignancy_card)
        _measured(assessor.malignancy_card, "malignancy")
    with lesion_type:
        _lesion_type(answer)
        _measured(assessor.lesion_type_card, "lesion_type")
    if answer.example:
        st.info(f"What it is, by its label: **{class_name(answer.example.diagnosis)}**.  \n{answer.attribution}")
    _photo(answer)


def _malignancy(seen: Assessment, card: Card) -> None:
    st.subheader("Malignant or benign?", anchor=False)
    alt = f"Donut: model score for malignant {percent(seen.malignant)}"
    if seen.threshold is not None:
        alt += f", with a tick at the threshold, {finer_percent(seen.threshold)}"
    figure = malignancy_donut(seen.malignant, seen.threshold, threshold.MEANING)
    chart.show(figure, "malignancy-donut", alt, toolbar=False)
    st.markdown("**Model score, not the chance of cancer.**")
    if seen.threshold is not None:
        st.markdown(threshold.in_words(seen, card), help=threshold.MEANING)
    _all_scores(seen.malignancy)
    prevalence.show(seen, card)


def _lesion_type(answer: Answer) -> None:
    scores = answer.assessment.lesion_type
    ranked = scores.ranked()
    st.subheader("Which lesion type?", anchor=False)
    alt = "Donut: " + ", ".join(f"{class_name(code)} {percent(score)}" for code, score in ranked[:3])
    chart.show(lesion_type_donut(scores.classes, scores.values), "lesion-type-donut", alt, toolbar=False)
    if MELANOMA not in [code for code, _ in ranked[:3]]:
        st.markdown(f"Melanoma is not among the three: its score is **{percent(scores.of(MELANOMA))}**.")
    else:
        st.markdown("**Model scores, not chances.**")
    if answer.assessment.above and not is_malignant(ranked[0][0]):
        st.markdown(STILL_ABOVE)
    _all_scores(scores)


def _all_scores(scores: Scores) -> None:
    with st.expander("All scores as a table"):
        rows = [(f"{class_name(label)}{_code(label)}", f"{score:.1%}") for label, score in scores.ranked()]
        st.table(pd.DataFrame(rows, columns=["Class", "Score"]).set_index("Class"))


def _code(label: str) -> str:
    return "" if class_name(label).lower() == label else f" ({label})"


def _measured(card: Card, task: Task) -> None:
    """Say how a head did on its model's own test photos, with the interval; without a stored run, say that."""
    try:
        folder = loaders.test_run(card, task)
    except RunError as error:
        st.caption(f"Model *{card.id}*: {error}")
        return
    counts, intervals = loaders.run_headline(folder), loaders.intervals(folder)
    if task == "malignancy":
        told = f"AUROC {figure(intervals, 'malignant_auroc').in_words(2)}"
        harder = without_benign_cameras(card, "malignant_auroc")
        if harder:
            told += f"; {harder.group} {written(harder, '.2f')}"
    else:
        balanced, melanoma = figure(intervals, "balanced_accuracy"), figure(intervals, "recall", MELANOMA)
        told = f"balanced accuracy {balanced.in_words(2)}"
        if not math.isnan(melanoma.value):
            told += f"; of the melanomas {melanoma.in_words(2)} had melanoma on top"
    st.caption(
        f"Model *{card.id}* ({networks_in_words(card)}). "
        f"On {counts.photos:,} test photos of {counts.lesions:,} lesions: "
        f"{told}; in brackets 95% intervals. "
        "The test photos come from the same clinics as the training photos."
    )


def _photo(answer: Answer) -> None:
    seen = answer.assessment
    picture, words = st.columns([1, 3], vertical_alignment="center")
    picture.image(answer.view, width=224, alt="The photo as the networks saw it")
    side = answer.view.shape[0]
    less = " or ".join(f"{px} x {px}" for px in _input_sides() if px < side)
    coarser = f", for some networks to {less}" if less else ""
    words.markdown(
        f"**As the networks saw it:** the centre of the photo ({seen.width:,} x {seen.height:,} pixels), reduced to "
        f"{side} x {side}{coarser}. A lesion that is cut off or tiny here cannot be judged."
    )
    for note in seen.notes:
        words.caption(note)
    words.caption(f"Computed on {loaders.assessor().device.label}. The photo stays in memory only.")


def _input_sides() -> list[int]:
    """List the sides of what the networks see, px, from the largest."""
    cards = (loaders.assessor().malignancy_card, loaders.assessor().lesion_type_card)
    sides = {network.preprocessing.input_px for card in cards for network in card.networks}
    return sorted(sides, reverse=True)
