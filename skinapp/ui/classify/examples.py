"""The examples: a grid of thumbnails, eight at a time, or one by chance."""

import random
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import streamlit as st

from skinapp.datasets.showcase import Example, ExamplePhoto, fetch_example, get_examples_folder
from skinapp.errors import ExampleError
from skinapp.inference.desk import ChosenPhoto
from skinapp.photo import read_photo
from skinapp.photo.preview import THUMBNAIL_PX, make_preview
from skinapp.ui import loaders, state
from skinapp.ui.photo_grid import Cell, choose_photo

PAGE_PHOTOS = 8
WAIT_S = 8.0
"""How long the page waits for thumbnails from the archive; those that come later are there the next time."""

UNAVAILABLE = "The examples cannot be loaded at the moment. Use a photo of your own, or try again later."
ONE_UNAVAILABLE = (
    "This example cannot be loaded at the moment. Choose another one, use a photo of your own, or try again later."
)

_fetchers = ThreadPoolExecutor(PAGE_PHOTOS, "examples")


def show() -> list[ChosenPhoto]:
    """Show the examples and return the one that was just chosen, in a list."""
    listed = loaders.get_showcase()
    types = len({example.diagnosis for example in listed})
    st.caption(
        f"{len(listed)} photos of {types} lesion types that no network was trained on. They were drawn at random, "
        "not chosen for their answers. Each label is shown after the answer."
    )
    page = st.pagination(-(-len(listed) // PAGE_PHOTOS), key=state.build_widget_key("examples-page"))
    numbers = range(len(listed))[(page - 1) * PAGE_PHOTOS : page * PAGE_PHOTOS]
    thumbnails = _get_thumbnails([listed[number] for number in numbers])
    cells = [Cell(number, str(number + 1), url) for number, url in zip(numbers, thumbnails, strict=True)]
    if not any(thumbnails):
        st.info(_explain(UNAVAILABLE, listed[numbers[0]]))
    chosen = choose_photo("Examples", cells, "examples")
    if st.button("Surprise me", icon=":material/casino:"):
        chosen = random.randrange(len(listed))
    if chosen is None:
        return []
    number = int(chosen)
    photo = fetch(f"Example {number + 1}", listed[number])
    return [] if photo is None else [photo]


def fetch(source: str, example: Example) -> ChosenPhoto | None:
    """Return an example as a chosen photo; None, with a sentence on the page, where it is not available."""
    try:
        with st.spinner("Fetching the example"):
            fetched = _fetch(example.image_id)
    except ExampleError:
        st.warning(_explain(ONE_UNAVAILABLE, example))
        return None
    return ChosenPhoto(example.image_id, source, example=example, fetched=fetched)


def _explain(sentence: str, example: Example) -> str:
    """Add to a sentence for visitors what whoever runs the server can do, where both are the same person."""
    if not loaders.is_local():
        return sentence
    try:
        _fetch(example.image_id)
    except ExampleError as error:
        return f"{sentence}  \n{error}"
    return sentence


def _fetch(image_id: str) -> ExamplePhoto:
    return fetch_example(image_id, get_examples_folder(), data_root=loaders.get_data_root())


def _get_thumbnails(examples: list[Example]) -> list[str]:
    """Return the thumbnails of examples as data URLs, "" for those that are not there in time."""
    coming = [_start_thumbnail(example.image_id, get_examples_folder()) for example in examples]
    with st.spinner("Loading the examples"):
        wait(coming, WAIT_S)
    for example, one in zip(examples, coming, strict=True):
        if one.done() and one.exception():
            _start_thumbnail.clear(example.image_id, get_examples_folder())  # the next visit tries again
    return [one.result() if one.done() and not one.exception() else "" for one in coming]


@st.cache_resource(show_spinner=False, max_entries=128)
def _start_thumbnail(image_id: str, folder: Path | None) -> "Future[str]":
    """Start to make the thumbnail of a public photo, once for all visitors."""
    return _fetchers.submit(_make_thumbnail, image_id)


def _make_thumbnail(image_id: str) -> str:
    return make_preview(read_photo(_fetch(image_id).data).pixels, THUMBNAIL_PX)
