"""Uploaded predictions, which stay in the visitor's session."""

import streamlit as st

from skinapp.errors import RunError
from skinapp.runs.open_run import OpenRun
from skinapp.runs.own.read import MAX_BYTES, OwnPredictions, read_predictions
from skinapp.ui import loaders, state

_UPLOAD, _TRUTH = "own-predictions", "own-truth"
COLUMNS = (
    "One row per photo: `truth`, and a column `p_<class>` for each class, adding up to 1. Optional: `image_id`; "
    "`lesion_id` or `group`, which keeps photos of one lesion together; any other column becomes a subgroup. "
    "Or the ISIC challenge's format with its file of truths."
)


def show_upload(select_key: str) -> None:
    """Show the upload; the last file that was read is selected in the widget `select_key`, which must come later."""
    with st.popover("Open your own", icon=":material/upload_file:"):
        st.file_uploader(
            "Upload predictions (CSV)",
            type=["csv"],
            accept_multiple_files=True,
            max_upload_size=MAX_BYTES // 2**20,
            key=_UPLOAD,
            on_change=_read_uploads,
            args=(select_key,),
            help=f"Up to {MAX_BYTES // 2**20} MB each. They stay in this session's memory, nobody else sees them, and "
            "they are gone when you close the page.",
        )
        st.file_uploader(
            "Truths, for the ISIC format",
            type=["csv"],
            max_upload_size=MAX_BYTES // 2**20,
            key=_TRUTH,
            on_change=_read_uploads,
            args=(select_key,),
        )
        st.caption(COLUMNS)
        if state.get_own_runs():
            st.button("Forget my predictions", on_click=state.forget_runs, icon=":material/delete:")


def show_refusal() -> None:
    """Show why the last file was refused, if it was."""
    why = state.get_run_refusal()
    if why:
        st.error(why)


def get_run(name: str) -> OpenRun:
    """Return a run by its name: an upload, else a stored one."""
    own = state.get_own_runs()
    return own[name] if name in own else loaders.get_open_run(loaders.list_runs()[name])


def _read_uploads(select_key: str) -> None:
    truth = state.get_widget(_TRUTH)
    taken, refused = [], []
    for file in state.get_widget(_UPLOAD) or []:
        if file.name in state.get_own_runs():
            continue
        try:
            own = read_predictions(file.getvalue(), file.name, truth.getvalue() if truth else None)
        except RunError as error:
            refused.append(str(error))
            continue
        taken.append(_open(file.name, own))
    state.keep_runs(taken, "\n\n".join(refused) or None)
    if taken:
        state.set_widget(select_key, taken[-1].name)


def _open(name: str, own: OwnPredictions) -> OpenRun:
    return OpenRun(name=name, run=own.predictions, facts=own.facts, notes=own.notes)
