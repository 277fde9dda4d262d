"""The answers of this session: a row above the one that is open, and a tray of the last ones."""

import streamlit as st

from skinapp.formatting import format_score_percent
from skinapp.inference.answer import MAX_ANSWERS, Answer, Order, sort_answers
from skinapp.inference.triage import Category, decide_triage
from skinapp.ui import state
from skinapp.ui.classify import drafting, examples, photo_input, threshold, your_call
from skinapp.ui.component import define_component
from skinapp.ui.photo_grid import Cell, choose_photo

_arrive = define_component("arrival")

ORDERS: dict[Order, str] = {"time": "Newest first", "score": "Highest score first"}
SHORT_WORDS: dict[Category, str] = {
    "flagged": "Flagged",
    "not_flagged": "Not flagged",
    "not_assessable": "Not assessable",
}
HELP = (
    f"The last {MAX_ANSWERS} answers of your visit, also when you come back from another page. No photo is kept, only "
    "a small picture of what the networks saw."
)


def show_row(answer: Answer) -> None:
    """Show which photo was answered, in one row, with the ways to go on; the page moves to it."""
    state.hold_widgets(photo_input.WAY)
    _arrive(key="arrival", data={"id": f"{state.get_round()}-{answer.id}", "label": "The answer"})
    count = len(state.get_desk().answers)
    with st.container(key="answer-row", horizontal=True, vertical_alignment="center", gap="small"):
        st.image(answer.thumbnail, width=48)
        st.button("New photo", icon=":material/add_a_photo:", on_click=state.clear_desk)
        if answer.example is not None:
            if st.button("Change the frame", icon=":material/crop:"):
                _draft_example(answer)
        elif answer.source != photo_input.CAMERA:  # a camera's photo is no file that the browser could hand over again
            again = photo_input.open_upload_again
            st.button("Change the frame", icon=":material/crop:", on_click=again, args=(answer,))
        if count > 1:
            st.button(f"All {count} answers", icon=":material/grid_view:", on_click=state.clear_desk)
        st.caption(_name(answer), width="content")


def show() -> None:
    """Show the tray, and open the answer that the visitor chooses from it."""
    with st.container(key="tray"):  # print.css leaves it out: the answers of other lesions are no part of this one
        _show_answers()


def _show_answers() -> None:
    desk = state.get_desk()
    if not desk.answers:
        return
    st.subheader("Your last answers", anchor=False, help=HELP)
    order: Order = st.segmented_control(
        "Order",
        ORDERS,
        default="time",
        format_func=lambda name: ORDERS[name],
        required=True,
        key=state.build_widget_key("tray-order"),
        label_visibility="collapsed",
    )
    cells = [_make_cell(answer, desk.opened) for answer in sort_answers(desk.answers, order)]
    chosen = choose_photo("Your last answers", cells, "tray")
    st.button("Forget all", icon=":material/delete:", on_click=state.start_over)
    if chosen is not None:
        state.open_answer(int(chosen))
        st.rerun()


def _make_cell(answer: Answer, opened: int | None) -> Cell:
    if your_call.is_wanted(answer):  # the tray must not give away what the reader has not answered yet
        name = answer.name or answer.source
        return Cell(answer.id, your_call.TOGGLE, answer.thumbnail, note=name, current=answer.id == opened)
    sensitivity = threshold.choose(answer.assessment.operating_points)
    category = decide_triage(answer.assessment, sensitivity).category
    score = "" if category == "not_assessable" else f"{format_score_percent(answer.assessment.malignant_score)} · "
    return Cell(
        answer.id,
        SHORT_WORDS[category],
        answer.thumbnail,
        note=score + (answer.source if answer.example else answer.name or answer.source),
        tone=category,
        current=answer.id == opened,
    )


def _name(answer: Answer) -> str:
    return answer.source if answer.example or not answer.name else f"{answer.source} · {answer.name}"


def _draft_example(answer: Answer) -> None:
    """Frame an example once more, beginning with the frame that it had."""
    chosen = answer.example and examples.fetch(answer.source, answer.example)
    if chosen:
        state.keep_desk(state.get_desk().ask_again(answer))
        drafting.draft([chosen])
        st.rerun()
