"""Chosen photos -> drafts with a proposed frame -> answers. Every photo is read in memory only."""

from dataclasses import replace

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from skinapp.errors import PhotoError
from skinapp.inference.answer import Answer
from skinapp.inference.desk import Again, ChosenPhoto, Draft
from skinapp.photo import Photo, Square, read_photo
from skinapp.photo.preview import THUMBNAIL_PX, make_preview
from skinapp.photo.square import find_largest_square, propose_square
from skinapp.ui import state, uploads
from skinapp.ui.classify.assessor import get_assessor
from skinapp.ui.classify.photo_input import MAX_PHOTOS

TOO_MANY = "Of {chosen} photos the first {most} were taken; that is the most at once. Choose the others afterwards."


def draft(chosen: list[ChosenPhoto]) -> None:
    """Read the chosen photos and propose their frames; those that cannot be read are named and let go."""
    drafts, refusals = [], []
    if len(chosen) > MAX_PHOTOS:
        refusals.append(TOO_MANY.format(chosen=len(chosen), most=MAX_PHOTOS))
    for photo in chosen[MAX_PHOTOS:]:
        _release(photo)
    with st.spinner("Reading the photo" if len(chosen) == 1 else f"Reading {len(chosen)} photos"):
        for photo in chosen[:MAX_PHOTOS]:
            try:
                drafts.append(_propose(photo, state.get_desk().again))
            except PhotoError as error:
                refusals.append(_name_refusal(photo, error))
                _release(photo)
    state.keep_desk(state.get_desk().put_drafts(tuple(drafts), tuple(refusals)))


def assess(drafts: tuple[Draft, ...]) -> None:
    """Assess the framed part of each draft, keep the answers and let the photos go; one alone is opened.

    Raises ModelError where no model can answer; the photos that were not answered then stay.
    """
    alone, progress = len(drafts) == 1, st.empty()
    try:
        for place, one in enumerate(drafts):
            words = "Assessing the photo" if alone else f"Assessing photo {place + 1} of {len(drafts)}"
            progress.progress(place / len(drafts), words)
            _assess(one)
    finally:
        progress.empty()
    if not alone:
        state.set_widget(state.build_widget_key("tray-order"), "score")
    desk = state.get_desk()
    state.keep_desk(replace(desk, opened=desk.answers[-1].id if alone and not desk.refusals else None))


def leave_out(one: Draft) -> None:
    """Leave one of several photos out and let it go."""
    state.keep_desk(state.get_desk().put_answer(one.id, None))
    _release(one.chosen)


def _propose(chosen: ChosenPhoto, again: Again | None) -> Draft:
    photo = read_photo(chosen.read())
    proposed = _propose_square(photo)
    is_known = again is not None and (again.name, again.size_bytes) == (chosen.name, chosen.size_bytes)
    return Draft(
        chosen,
        photo.width,
        photo.height,
        proposed=proposed,
        square=again.square if again is not None and is_known else proposed,
        preview=make_preview(photo.pixels),
        thumbnail=make_preview(photo.pixels, THUMBNAIL_PX),
    )


def _propose_square(photo: Photo) -> Square:
    from skinapp.photo.lesion_box import locate_lesion  # brings OpenCV, which takes time: the page opens without it

    box = locate_lesion(photo.pixels)
    if box is None:
        return find_largest_square(photo.width, photo.height)
    edges = (box.left * photo.width, box.top * photo.height, box.right * photo.width, box.bottom * photo.height)
    return propose_square(edges, photo.width, photo.height)


def _assess(one: Draft) -> None:
    answer, refusal = None, ""
    assessor = get_assessor()
    try:
        photo = read_photo(one.chosen.read(), one.square)
        view = np.array(assessor.crop_for_network(photo))  # a copy: no part of the whole photo stays with it
        answer = Answer(
            assessor.assess(photo),
            view,
            one.chosen.example,
            one.chosen.attribution,
            source=one.chosen.source,
            name=one.chosen.name,
            frame=one.square,
            thumbnail=make_preview(view, THUMBNAIL_PX),
            size_bytes=one.chosen.size_bytes,
        )
    except PhotoError as error:
        refusal = _name_refusal(one.chosen, error)
    state.keep_desk(state.get_desk().put_answer(one.id, answer, refusal))
    _release(one.chosen)


def _release(chosen: ChosenPhoto) -> None:
    """Let the server's copies of an uploaded photo go."""
    if isinstance(chosen.file, UploadedFile):
        uploads.release(chosen.file)


def _name_refusal(chosen: ChosenPhoto, error: PhotoError) -> str:
    return f"{chosen.name or chosen.source}: {error}"
