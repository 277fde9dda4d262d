import asyncio
import runpy
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.app_discovery import discover_asgi_app

from skinapp.ui import server, uploads

APP = Path(__file__).parents[2] / "streamlit_app.py"


def put(app: Starlette, path: str, **body: object) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with server.lifespan(app), httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.put(path, **body)

    with ThreadPoolExecutor(1) as pool:  # the browser tests leave an event loop running in this thread
        return pool.submit(asyncio.run, request()).result()


@pytest.mark.parametrize(
    "path", ["/", "/models", "/evaluation/", "/_stcore/health", "/media/a.png", "/static/js/index.js", "/favicon.png"]
)
def test_pages_and_files_are_left_to_streamlit(path: str) -> None:
    assert server.answer_address(path) is None


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/classify", "", "./"),
        ("/Classify", "a=b", "./?a=b"),
        ("/MODELS", "model=lesion", "./models?model=lesion"),
        ("/Dataset/", "", "../dataset"),
        ("/index.html", "", "./"),
    ],
)
def test_an_address_that_means_a_page_is_led_to_it(path: str, query: str, target: str) -> None:
    answer = server.answer_address(path, query)
    assert answer is not None
    assert (answer.status_code, answer.headers["location"]) == (307, target)


@pytest.mark.parametrize(
    ("path", "home"), [("/foo", "./"), ("/models/lesion", "../"), ("/foo/bar/", "../../"), ("/<b>x", "./")]
)
def test_an_unknown_address_gets_a_sentence_and_the_way_home(path: str, home: str) -> None:
    answer = server.answer_address(path)
    assert answer is not None
    assert answer.status_code == 404
    text = bytes(answer.body).decode()
    assert "There is no page at this address" in text
    assert f'<a href="{home}">Classify</a>' in text
    assert f'<a href="{home}models">Models</a>' in text
    assert "<b>x" not in text


def test_below_a_base_path_the_way_home_leads_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.config, "get_option", lambda name: "skin")
    assert server.answer_address("/skin/models") is None
    for path, home in (("/skin/foo/bar", "../../skin/"), ("/skinny", "./skin/")):
        answer = server.answer_address(path)
        assert answer is not None
        assert f'<a href="{home}models">' in bytes(answer.body).decode()


def hold(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    store = MemoryUploadedFileManager("/upload")
    store.add_file("visitor", UploadedFileRec("a", "a.csv", "text/csv", bytes(held)))
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=store))
    monkeypatch.setattr(uploads, "MAX_VISITOR_BYTES", 1_000)


@pytest.mark.parametrize(("held", "visitor", "status"), [(500, "visitor", 200), (950, "visitor", 413), (950, "b", 200)])
def test_one_visitors_waiting_uploads_are_bounded(
    monkeypatch: pytest.MonkeyPatch, held: int, visitor: str, status: int
) -> None:
    hold(monkeypatch, held)
    routes = [Route("/{rest:path}", lambda request: PlainTextResponse("taken"), methods=["PUT"])]
    app = Starlette(routes=routes, middleware=server.MIDDLEWARE)
    assert put(app, f"/_stcore/upload_file/{visitor}/b", content=bytes(100)).status_code == status


def test_an_upload_of_any_size_stays_in_memory() -> None:
    rolled = []

    async def receive(request: Request) -> PlainTextResponse:
        form = await request.form()
        rolled.append(form["file"].file._rolled)  # type: ignore[union-attr]
        return PlainTextResponse("")

    put(Starlette(routes=[Route("/", receive, methods=["PUT"])]), "/", files={"file": BytesIO(bytes(3 * 2**20))})
    assert rolled == [False]


@pytest.mark.parametrize(("ttl_s", "is_kept"), [(0, False), (60, True)])
def test_the_session_of_a_visitor_who_left_is_cleared_in_time(
    monkeypatch: pytest.MonkeyPatch, ttl_s: int, is_kept: bool
) -> None:
    storage, ended, state = MemorySessionStorage(ttl_seconds=ttl_s), [], {"answer": "malignant"}
    manager = SimpleNamespace(_session_storage=storage)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    left = SimpleNamespace(id="gone", shutdown=lambda: ended.append("gone"), session_state=state)
    storage.save(SessionInfo(client=None, session=left))
    server.forget_expired_sessions()
    assert (not ended, bool(state), bool(storage._cache._data)) == (is_kept, is_kept, is_kept)


def test_the_entry_script_is_an_app_with_these_rules() -> None:
    assert discover_asgi_app(APP).app_name == "app"
    app = runpy.run_path(str(APP), run_name="streamlit_app")["app"]
    assert isinstance(app, st.App)
    assert app._user_middleware == list(server.MIDDLEWARE)
    assert app._user_lifespan is server.lifespan
