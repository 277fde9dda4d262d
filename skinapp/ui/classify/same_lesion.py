"""Several photos of one lesion: their spread and one verdict; and two photos of it side by side, over time."""

from collections.abc import Sequence

import streamlit as st

from skinapp.formatting import format_score_percent
from skinapp.inference.lesion import LesionAnswer, describe_repeats, describe_spread, join_assessments
from skinapp.inference.over_time import describe_change
from skinapp.models.card import Card
from skinapp.ui import state
from skinapp.ui.state import Answer

TITLE, ADD = "Other photos of this lesion", "Add a photo of this lesion"
CHOOSE, COMPARE = "Choose among your answers", "An earlier photo of this lesion, to see what changed"
HELP = "The answer is then the mean of the photos. Where they differ too much, the lesion is not assessable."
PENDING = "The next photo joins the lesion of **{name}**."
THUMBNAIL_PX = 96


def join(answer: Answer, card: Card, sensitivity: float) -> LesionAnswer | None:
    """Join an answer with those to other photos of its lesion; None where it is the only one."""
    photos = state.get_desk().find_lesion(answer.id)
    return join_assessments([photo.assessment for photo in photos], card, sensitivity) if len(photos) > 1 else None


def show(answer: Answer, lesion: LesionAnswer | None, card: Card) -> None:
    """Show the photos of the lesion and how far they differ; let the reader add others, or compare two over time."""
    desk = state.get_desk()
    photos = desk.find_lesion(answer.id)
    st.subheader(TITLE, anchor=False, help=HELP)
    if lesion is None and card.repeats is not None:
        st.markdown(describe_repeats(card.repeats))
    elif lesion is not None:
        _show_photos(photos, lesion)
    others = [other for other in desk.answers if other.id != answer.id]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(ADD, icon=":material/add_a_photo:", on_click=state.add_to_lesion, args=(answer.id,))
        if others:
            _choose_photos(answer, others, photos)
    if others:
        _compare(answer, others, card)


def show_pending() -> None:
    """Say that the next photo joins a lesion, where the reader asked for that; it can be taken back."""
    desk = state.get_desk()
    first = next((answer for answer in desk.answers if answer.id == desk.joining), None)
    if first is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/join: {PENDING.format(name=name_answer(first))}")
            st.button("Another lesion", on_click=state.clear_desk)


def name_answer(answer: Answer) -> str:
    """Name an answer among others: its number, where it came from, and its score for malignant."""
    return f"Photo {answer.id} ({answer.name or answer.source}, {_format_score(answer)})"


def _format_score(answer: Answer) -> str:
    return format_score_percent(answer.assessment.malignant_score)


def _show_photos(photos: Sequence[Answer], lesion: LesionAnswer) -> None:
    with st.container(horizontal=True):
        for photo in photos:
            caption = f"Photo {photo.id}: {_format_score(photo)}"
            st.image(photo.thumbnail, caption=caption, width=THUMBNAIL_PX)
    st.markdown(describe_spread(lesion))


def _choose_photos(answer: Answer, others: Sequence[Answer], photos: Sequence[Answer]) -> None:
    by_id = {other.id: other for other in others}
    key = state.build_widget_key(f"lesion-{answer.id}")
    state.set_widget(key, [photo.id for photo in photos if photo.id in by_id])
    st.multiselect(
        CHOOSE,
        list(by_id),
        format_func=lambda number: name_answer(by_id[number]),
        key=key,
        on_change=lambda: state.join_lesion(answer.id, state.get_widget(key)),
        placeholder="None",
        width=420,
    )


def _compare(answer: Answer, others: Sequence[Answer], card: Card) -> None:
    by_id = {other.id: other for other in others}
    key = state.build_widget_key(f"earlier-{answer.id}")
    chosen = st.selectbox(
        COMPARE,
        list(by_id),
        index=None,
        format_func=lambda number: name_answer(by_id[number]),
        placeholder="None",
        key=key,
        width=420,
    )
    if chosen is None:
        return
    earlier = by_id[chosen]
    with st.container(horizontal=True):
        for title, photo in (("Earlier", earlier), ("Now", answer)):
            st.image(photo.view, caption=f"{title}: {_format_score(photo)}", width=240)
    for sentence in describe_change(earlier.assessment, answer.assessment, card.repeats):
        st.markdown(sentence)
