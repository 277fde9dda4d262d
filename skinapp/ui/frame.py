"""The frame of every page: navigation, title and caption above, the notice below; an error becomes a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit.navigation.page import Page

from skinapp.errors import SkinAppError
from skinapp.notice import NOTICE
from skinapp.ui import state, uploads
from skinapp.ui.component import ASSETS, define_component

ICON = ASSETS / "icon.svg"
"""The page's icon in the browser's tab. One of Streamlit's named icons would be fetched from a font host."""

PAGES = {
    "classify": ("Classify", ":material/dermatology:"),
    "types": ("Lesion types", ":material/category:"),
    "dataset": ("Dataset", ":material/database:"),
    "evaluation": ("Evaluation", ":material/monitoring:"),
    "models": ("Models", ":material/badge:"),
    "story": ("Story", ":material/auto_stories:"),
}
"""Title and icon of each script in pages/, in the order of the navigation; the first is the start page."""

HELD = ("way", "tray-order")
"""Widgets of the start page that keep their values while the visitor is on other pages."""

_show_lost_uploads = define_component("lost_upload")

_has_navigation = ContextVar("has_navigation", default=False)


def run_page() -> None:
    """Show the navigation and run the page that the address names."""
    chosen = _show_navigation()
    if state.turn_to(chosen.title):
        state.forget_drafts()
        uploads.release_all()  # the widgets that show them are on the page before
    if chosen.url_path:  # not the start page
        state.hold_widgets(*HELD)
    token = _has_navigation.set(True)
    try:
        chosen.run()
    finally:
        _has_navigation.reset(token)


@contextmanager
def page(title: str, caption: str) -> Iterator[None]:
    """Draw the frame around a page; a SkinAppError ends the page with its sentence."""
    if not _has_navigation.get():
        # Until st.navigation has run once in a process, Streamlit takes pages/ for its old kind of app and runs the
        # page's script without the entry script. Run it again as the entry script does, and end this run of it.
        run_page()
        st.stop()
    st.title(title, anchor=False)
    st.caption(caption)
    _show_lost_uploads(key="lost-upload")
    try:
        yield
    except SkinAppError as error:
        st.error(str(error))
    st.divider()
    st.caption(NOTICE)


def _show_navigation() -> Page:
    st.set_page_config(page_title="Skinapp", page_icon=str(ICON), layout="wide")
    first, *_ = PAGES
    pages = [
        st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == first)
        for name, (title, icon) in PAGES.items()
    ]
    return st.navigation(pages, position="top")
