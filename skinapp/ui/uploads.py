"""A visitor's uploaded files in the server's memory, and how they are let go."""

import ctypes
from typing import cast

import streamlit as st
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

MAX_VISITOR_BYTES = 450 * 2**20
"""The most that one visitor's waiting uploads may hold: two files of the largest size (server.maxUploadSize)."""

TOO_MUCH = (
    f"Your uploads hold {MAX_VISITOR_BYTES // 2**20} MB together. Remove files from the list, or reload the page, "
    "and upload this one again."
)


def take(file: UploadedFile) -> bytes:
    """Return the bytes of an uploaded file and let the server's copies go; the widget keeps showing its name."""
    data = file.getvalue()
    release(file)
    return data


def release(file: UploadedFile) -> None:
    """Let the server's copies of an uploaded file go; the widget keeps showing its name, with no bytes in it.

    Streamlit keeps an uploaded file until the session ends, also when no widget shows it any more.
    """
    context = get_script_run_ctx()
    if context is not None:
        store = cast(MemoryUploadedFileManager, context.uploaded_file_mgr)
        store.add_file(context.session_id, UploadedFileRec(file.file_id, file.name, file.type, b""))
    for copy in (file, *_find_copies(file)):
        copy.seek(0)
        copy.truncate()
    return_free_memory()


def _find_copies(file: UploadedFile) -> list[UploadedFile]:
    """Return the widgets' own copies of a file: a script is given a copy of what a widget holds."""
    values = [value for value in st.session_state.values() if isinstance(value, UploadedFile | list)]
    files = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [one for one in files if isinstance(one, UploadedFile) and one.file_id == file.file_id]


def return_free_memory() -> None:
    """Return free memory to the system, which clears it; the C library would keep small pieces for later (Linux)."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def release_all() -> None:
    """Let all of this visitor's uploaded files go, those of widgets that are on the page too."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
        return_free_memory()


def count_bytes(session_id: str) -> int:
    """Count the bytes of the uploaded files that the server holds for a session."""
    store = cast(MemoryUploadedFileManager, runtime.get_instance().uploaded_file_mgr)
    return sum(len(file.data) for file in tuple(store.file_storage.get(session_id, {}).values()))
