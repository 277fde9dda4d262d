"""Uploaded predictions, which stay in the visitor's session."""

import hashlib

import streamlit as st

from skinapp.errors import RunError
from skinapp.formatting import shorten_list
from skinapp.runs.open_run import OpenRun
from skinapp.runs.own.classes import (
    describe_meaning,
    describe_unknown_classes,
    find_unknown_classes,
    state_classes,
)
from skinapp.runs.own.read import MAX_BYTES, OwnPredictions, read_predictions
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.ui import loaders, state

_UPLOAD, _TRUTH = "own-predictions", "own-truth"
_TYPES = ["csv", "tsv", "tab", "txt"]
COLUMNS = (
    "One row per photo: `truth`, and a column `p_<class>` for each class, adding up to 1. Optional: `image_id`; "
    "`lesion_id`, `patient_id` or `group`, which keep photos together; any other column becomes a subgroup. "
    "Or the ISIC challenge's format. Truths may stand in a file of their own, with the same ids."
)
REPLACED = "This replaces what was open under the same name: the file or its truths have changed."
NOT_SAID = "Not known"


def show_upload(select_key: str) -> None:
    """Show the upload; the last file that was read is selected in the widget `select_key`, which must come later."""
    with st.popover("Open your own", icon=":material/upload_file:"):
        files = st.file_uploader(
            "Upload predictions (CSV)",
            type=_TYPES,
            accept_multiple_files=True,
            max_upload_size=MAX_BYTES // 2**20,
            key=_UPLOAD,
            on_change=_read_uploads,
            args=(select_key,),
            help=f"Up to {MAX_BYTES // 2**20} MB each. They stay in this session's memory, nobody else sees them, and "
            "they are gone when you close the page.",
        )
        state.keep_listed_runs({file.file_id: file.name for file in files})
        st.file_uploader(
            "Truths, if they are in another file",
            type=_TYPES,
            max_upload_size=MAX_BYTES // 2**20,
            key=_TRUTH,
            on_change=_read_uploads,
            args=(select_key,),
        )
        st.caption(COLUMNS)
        if state.get_own_runs():
            st.button("Forget my predictions", on_click=state.forget_runs, icon=":material/delete:")


def show_refusals() -> None:
    """Show why files were refused, each by itself; a sentence goes when its file is replaced or removed."""
    for why in state.get_run_refusals():
        st.error(why)


def get_run(name: str) -> OpenRun:
    """Return a run by its name: an upload, else a stored one."""
    own = state.get_own_runs()
    return own[name] if name in own else loaders.get_open_run(loaders.list_runs()[name])


def ask_about_classes(opened: OpenRun) -> None:
    """Ask the owner of an upload which of its unknown classes are malignant; of a stored run say which are unknown."""
    if opened.as_read is not None:
        st.button("Say again what the classes are", on_click=_replace_run, args=(opened.as_read,), type="tertiary")
    unknown = opened.cached(find_unknown_classes)
    if not unknown:
        return
    st.info(opened.cached(describe_unknown_classes))
    if opened.shared:
        return
    with st.form(f"classes-{opened.content}"), st.container(horizontal=True):
        for label in unknown:
            st.selectbox(
                label,
                (NOT_SAID, *MALIGNANCY_CLASSES, *CODES),
                format_func=_describe_choice,
                key=_build_class_key(opened, label),
                width=260,
            )
        st.form_submit_button("Count them so", on_click=_take_meanings, args=(opened, unknown))


def _describe_choice(choice: str) -> str:
    return choice if choice == NOT_SAID else describe_meaning(choice)


def _build_class_key(opened: OpenRun, label: str) -> str:
    return f"class-{opened.content}-{label}"


def _take_meanings(opened: OpenRun, unknown: tuple[str, ...]) -> None:
    said = {label: str(state.get_widget(_build_class_key(opened, label))) for label in unknown}
    said = {label: meaning for label, meaning in said.items() if meaning != NOT_SAID}
    if not said:
        return
    words = (f"{label}: {describe_meaning(meaning).lower()}" for label, meaning in said.items())
    note = f"Counted as you said: {shorten_list(words, 12)}."
    run = state_classes(opened.run, {label.casefold(): meaning for label, meaning in said.items()})
    _replace_run(
        OpenRun(
            name=opened.name,
            run=run,
            facts=opened.facts,
            notes=(*opened.notes, note),
            content=opened.content,
            as_read=opened.as_read or opened,
        )
    )


def _replace_run(opened: OpenRun) -> None:
    state.keep_runs(state.get_own_runs() | {opened.name: opened}, {})


def _read_uploads(select_key: str) -> None:
    """Read the files in the uploader that are new or changed, and forget those that were removed from it.

    A file is known by its content and that of its truths: of two with one name, the newer replaces the older.
    """
    listed = state.get_listed_runs()
    uploaded = sorted(state.get_widget(_UPLOAD) or [], key=lambda file: file.file_id not in listed)
    files = {file.name: file for file in uploaded}  # of one name the last, which is the newest
    truth_file = state.get_widget(_TRUTH)
    truth = truth_file.getvalue() if truth_file else None
    runs = {name: run for name, run in state.get_own_runs().items() if name in files or name not in listed.values()}
    refused: dict[str, str] = {}
    for name, file in files.items():
        data = file.getvalue()
        content = hashlib.sha256(hashlib.sha256(data).digest() + (truth or b"")).hexdigest()
        before = runs.get(name)
        if before is not None and before.content == content:
            continue
        runs.pop(name, None)
        try:
            runs[name] = _open(name, read_predictions(data, name, truth), content, replaces=before is not None)
        except RunError as error:
            refused[name] = f"{error} What was open under this name is closed." if before else str(error)
            continue
        state.set_widget(select_key, name)
    state.keep_runs(runs, refused)


def _open(name: str, own: OwnPredictions, content: str, replaces: bool) -> OpenRun:
    notes = (*((REPLACED,) if replaces else ()), *own.notes)
    return OpenRun(name=name, run=own.predictions, facts=own.facts, notes=notes, content=content)
