"""A table that the visitor opens: an upload, or a folder of photos if the server is the visitor's own computer."""

import hashlib
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skinapp.datasets.files import Progress
from skinapp.datasets.filters import build_filter_index
from skinapp.datasets.readers.folders import read_folders
from skinapp.datasets.readers.upload import MAX_BYTES, MAX_ROWS, SUFFIXES, read_upload
from skinapp.errors import DatasetError
from skinapp.formatting import shorten_list
from skinapp.ui import loaders, state, uploads
from skinapp.ui.state import OwnTable

_UPLOAD = "own-upload"
REPLACED = "This replaces the table that was open under the same name: the file has changed."


def bring_table(select_key: str) -> None:
    """Offer to open a table, which is then chosen in the widget with that key; that widget must come later."""
    with st.popover("Open your own", icon=":material/upload_file:"):
        st.file_uploader(
            "Upload a table",
            type=list(SUFFIXES),
            max_upload_size=MAX_BYTES // 2**20,
            key=_UPLOAD,
            on_change=_take_upload,
            args=(select_key,),
            help=f"A text table (CSV, TSV) or Parquet, one row per photo, up to {MAX_BYTES // 2**20} MB and "
            f"{MAX_ROWS:,} rows. It stays in "
            "this session's memory: nobody else can see it, and it is gone when you close the page.",
        )
        st.caption(
            "It needs a column that names the photos, as image_id or isic_id. diagnosis, lesion_id, patient_id, age, "
            "sex, site, split and others are optional, also under the names that published tables give them."
        )
        if loaders.is_local():
            _offer_folder(select_key)


def show_refused() -> None:
    """Show why the last table was refused, one line per reason, if it was."""
    refusal = state.get_table_refusal()
    if refusal:
        st.error(refusal.replace("\n", "\n- "))


def _take_upload(select_key: str) -> None:
    """Read the uploaded table in place of the one before; a file that is removed takes its table and error along."""
    file, before = state.get_widget(_UPLOAD), state.get_own_table()
    uploaded_before = before is not None and bool(before.content)
    if file is None:
        state.keep_table(None if uploaded_before else before)
        return
    data = uploads.take(file)
    content = hashlib.sha256(data).hexdigest()
    replaces = before is not None and uploaded_before and before.name == file.name and before.content != content
    try:
        upload = read_upload(data, file.name)
    except DatasetError as error:
        if replaces:
            state.keep_table(None)
        closed = " The table that was open under this name is closed." if replaces else ""
        state.keep_table_refusal(f"{error}{closed}")
        return
    # On the visitor's own computer the table may name photos in the data root; on a public server it may not.
    root = loaders.get_data_root() if loaders.is_local() else None
    notes = (*((REPLACED,) if replaces else ()), *upload.notes)
    table = OwnTable(file.name, upload.table, build_filter_index(upload.table), root, notes, content=content)
    _store_table(table, select_key)


def _offer_folder(select_key: str) -> None:
    path = st.text_input(
        "Or enter a folder of photos on this computer", key="own-folder", placeholder="/home/me/photos"
    )
    shown = st.empty()
    if st.button("Index the folder", disabled=not path):
        folder = Path(path).expanduser()
        bar = shown.progress(0.0, "Measuring the photos")
        try:
            indexed = read_folders(folder, folder, progress=_show_progress_in(bar))
        except DatasetError as error:
            state.keep_table_refusal(str(error))
            shown.empty()
            return
        notes = tuple(f"{note.what[:1].upper()}{note.what[1:]}: {shorten_list(note.names)}." for note in indexed.notes)
        name = _name_folder(folder)
        shown.empty()
        _store_table(OwnTable(name, indexed.table, build_filter_index(indexed.table), folder, notes), select_key)


def _name_folder(folder: Path) -> str:
    """Return a name for the table of a folder that no shipped table has."""
    name = folder.resolve().name or str(folder.resolve())
    return f"{name} (yours)" if name in {path.stem for path in loaders.list_tables()} else name


def _show_progress_in(bar: DeltaGenerator) -> Progress:
    def show(done: int, total: int) -> None:
        bar.progress(done / total, f"{done:,} of {total:,} photos")

    return show


def _store_table(brought: OwnTable, select_key: str) -> None:
    state.keep_table(brought)
    state.set_widget(select_key, brought.name)
