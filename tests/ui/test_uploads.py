from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from skinapp.ui import uploads

PHOTO = UploadedFileRec("1", "lesion.jpg", "image/jpeg", b"pixels" * 1_000)
OTHER = UploadedFileRec("2", "other.jpg", "image/jpeg", b"others")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryUploadedFileManager:
    """Return the store of uploads of a session that holds two."""
    store = MemoryUploadedFileManager("/upload")
    store.add_file("session", PHOTO)
    store.add_file("session", OTHER)
    context = SimpleNamespace(session_id="session", uploaded_file_mgr=store)
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: context)
    return store


def test_a_file_that_was_taken_is_in_the_server_no_more(
    store: MemoryUploadedFileManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, held, listed, other = (UploadedFile(record, FileURLs()) for record in (PHOTO, PHOTO, PHOTO, OTHER))
    monkeypatch.setattr(st, "session_state", {"upload": held, "many": [listed, other], "words": "a"})
    assert uploads.take(given) == PHOTO.data
    assert [file.getvalue() for file in (given, held, listed, other)] == [b"", b"", b"", OTHER.data]
    assert store.get_files("session", ["1"]) == [PHOTO._replace(data=b"")]  # the widget goes on showing its name
    assert store.get_files("session", ["2"]) == [OTHER]


def test_all_files_of_a_visitor_can_be_let_go(store: MemoryUploadedFileManager) -> None:
    uploads.release_all()
    assert store.get_files("session", ["1", "2"]) == []
