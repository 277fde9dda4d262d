"""A table that the visitor brings: uploaded, or made from a folder of hers where the server is her own computer."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skinapp.datasets.files import Progress
from skinapp.datasets.filters import filter_index
from skinapp.datasets.readers.folders import read_folders
from skinapp.datasets.readers.upload import MAX_BYTES, MAX_ROWS, SUFFIXES, read_upload
from skinapp.datasets.table import some_of
from skinapp.errors import DatasetError
from skinapp.ui import loaders, state
from skinapp.ui.state import OwnTable

_UPLOAD = "own-upload"


def bring_table(select_key: str) -> None:
    """Offer to bring a table; one that is taken is chosen in the widget with that key, which must come later."""
    with st.popover("Open your own", icon=":material/upload_file:"):
        st.file_uploader(
            "Upload a table",
            type=list(SUFFIXES),
            max_upload_size=MAX_BYTES // 2**20,
            key=_UPLOAD,
            on_change=_take_upload,
            args=(select_key,),
            help=f"CSV or Parquet, a row a photo, up to {MAX_BYTES // 2**20} MB and {MAX_ROWS:,} rows. It stays in "
            "this session's memory; nobody else sees it, and it goes when you close the page.",
        )
        st.caption("It needs a column image_id; diagnosis, lesion_id, age, sex, site, split and others are used.")
        if loaders.is_local():
            _folder(select_key)


def say_refused() -> None:
    """Say why the last table was not taken, a line for each reason; nothing where it was."""
    why = state.refused_table()
    if why:
        st.error(why.replace("\n", "\n- "))


def _take_upload(select_key: str) -> None:
    file = state.widget_value(_UPLOAD)
    if file is None:
        state.refuse_table("")
        return
    try:
        given = read_upload(file.getvalue(), file.name)
    except DatasetError as error:
        state.refuse_table(str(error))
        return
    # On the visitor's own computer the table may name photos below her own data root; a stranger's may not.
    root = loaders.data_root() if loaders.is_local() else None
    _keep(OwnTable(file.name, given.table, filter_index(given.table), root, given.notes), select_key)


def _folder(select_key: str) -> None:
    named = st.text_input(
        "Or name a folder of photos on this computer", key="own-folder", placeholder="/home/me/photos"
    )
    shown = st.empty()
    if st.button("Index the folder", disabled=not named):
        folder = Path(named).expanduser()
        bar = shown.progress(0.0, "Measuring the photos")
        try:
            given = read_folders(folder, folder, progress=_shown_in(bar))
        except DatasetError as error:
            state.refuse_table(str(error))
            shown.empty()
            return
        notes = tuple(f"{found.what[:1].upper()}{found.what[1:]}: {some_of(found.names)}." for found in given.findings)
        name = folder.resolve().name
        shown.empty()
        _keep(OwnTable(name, given.table, filter_index(given.table), folder, notes), select_key)


def _shown_in(bar: DeltaGenerator) -> Progress:
    def show(done: int, total: int) -> None:
        bar.progress(done / total, f"{done:,} of {total:,} photos")

    return show


def _keep(brought: OwnTable, select_key: str) -> None:
    state.keep_table(brought)
    state.set_widget(select_key, brought.name)
