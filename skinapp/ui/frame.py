"""The frame of every page: the navigation, a title with a caption, and errors as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit.navigation.page import Page

from skinapp.errors import SkinAppError

PAGES = {
    "classify": ("Classify", ":material/dermatology:"),
    "types": ("Lesion types", ":material/category:"),
    "dataset": ("Dataset", ":material/database:"),
    "evaluation": ("Evaluation", ":material/monitoring:"),
    "models": ("Models", ":material/badge:"),
    "story": ("Story", ":material/auto_stories:"),
}
"""Title and icon of each script in pages/, in the order of the navigation; the first is the start page."""

_in_frame = ContextVar("in_frame", default=False)


def show_navigation() -> Page:
    """Show the navigation and return the page that the address names."""
    first, *_ = PAGES
    pages = [
        st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == first)
        for name, (title, icon) in PAGES.items()
    ]
    return st.navigation(pages, position="top")


def run_page() -> None:
    """Show the navigation and run the page that the address names."""
    chosen = show_navigation()
    token = _in_frame.set(True)
    try:
        chosen.run()
    finally:
        _in_frame.reset(token)


@contextmanager
def page(title: str, caption: str) -> Iterator[None]:
    """Show title and caption, then the page within; a SkinAppError ends it with its sentence."""
    if not _in_frame.get():
        # Until st.navigation has run once in a process, Streamlit takes pages/ for its old kind of app and runs the
        # page's script without the entry script. Register the pages and start over: the address stays as it is.
        show_navigation()
        st.rerun()
    st.title(title, anchor=False)
    st.caption(caption)
    try:
        yield
    except SkinAppError as error:
        st.error(str(error))
