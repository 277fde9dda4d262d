"""Frames for the photos that wait: one photo large, or several as thumbnails, before anything is assessed."""

from typing import Any

import streamlit as st

from skinapp.inference.desk import Draft
from skinapp.photo import Square
from skinapp.photo.square import LEAST_SIDE, find_largest_square, fit_square
from skinapp.ui import state
from skinapp.ui.classify import drafting
from skinapp.ui.component import define_component
from skinapp.ui.frame import HELD
from skinapp.ui.photo_grid import Cell, choose_photo

_frame_photo = define_component("framing")

SEVERAL = "The frame of each photo is what is assessed. Choose a photo to change its frame."


def show() -> None:
    """Show the frame of the photo that is open, or all photos that wait; assess them when the visitor says so."""
    desk = state.get_desk()
    state.hold_widgets(*HELD)
    if desk.draft is None:
        _show_all(desk.drafts)
    else:
        _show_one(desk.draft, is_alone=len(desk.drafts) == 1)


def _show_one(draft: Draft, is_alone: bool) -> None:
    asked = _choose_frame(draft)
    with st.container(horizontal=True):
        if is_alone:
            asked = st.button("Assess this part", type="primary") or asked
            st.button("Another photo", on_click=state.clear_desk)
        else:
            asked = st.button("Keep this frame", type="primary") or asked
            st.button("Leave this photo out", on_click=drafting.leave_out, args=(draft,))
    if not asked:
        return
    if is_alone:
        drafting.assess(state.get_desk().drafts)
    else:
        state.open_draft(None)
    st.rerun()


def _show_all(drafts: tuple[Draft, ...]) -> None:
    st.markdown(SEVERAL)
    chosen = choose_photo("Photos and their frames", [_make_cell(draft) for draft in drafts], "drafts")
    with st.container(horizontal=True):
        asked = st.button(f"Assess all {len(drafts)}" if len(drafts) > 1 else "Assess this part", type="primary")
        st.button("Other photos", on_click=state.clear_desk)
    if asked:
        drafting.assess(drafts)
    elif chosen is not None:
        state.open_draft(str(chosen))
    if asked or chosen is not None:
        st.rerun()


def _choose_frame(draft: Draft) -> bool:
    """Show the whole photo with its frame, keep the frame where the visitor moves it, and tell whether Enter came."""
    answer = _frame_photo(
        key=f"framing-{draft.id}",
        data={
            "id": draft.id,
            "preview": draft.preview,
            "width": draft.width,
            "height": draft.height,
            "least": LEAST_SIDE,
            "square": _list_edges(draft.square),
            "proposed": _list_edges(draft.proposed),
            "whole": _list_edges(find_largest_square(draft.width, draft.height)),
        },
        on_square_change=lambda: None,
        on_assess_change=lambda: None,
    )
    moved = read_square(answer.get("assess") or answer.get("square"), draft)
    if moved is not None:
        state.keep_desk(state.get_desk().move_frame(draft.id, moved))
    return answer.get("assess") is not None


def read_square(value: Any, draft: Draft) -> Square | None:
    """Return the square that a browser sent for a draft, fitted into its photo; None where it sent none."""
    if not isinstance(value, dict) or value.get("id") != draft.id:
        return None
    left, top, side = (value.get(edge) for edge in ("left", "top", "side"))
    if not (isinstance(left, int) and isinstance(top, int) and isinstance(side, int)):
        return None
    return fit_square(left, top, side, draft.width, draft.height)


def _list_edges(square: Square) -> dict[str, int]:
    return {"left": square.left, "top": square.top, "side": square.side}


def _make_cell(draft: Draft) -> Cell:
    square = draft.square
    across, down = draft.width, draft.height
    box = (square.left / across, square.top / down, square.side / across, square.side / down)
    return Cell(draft.id, draft.chosen.name or draft.chosen.source, draft.thumbnail, box=box)
