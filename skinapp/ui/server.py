"""Where the server differs from Streamlit's own: unknown addresses, and how long it holds what visitors upload."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from html import escape
from pathlib import Path
from string import Template
from typing import cast

import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from skinapp.ui import uploads
from skinapp.ui.frame import PAGES

NO_PAGE = Path(__file__).parent / "assets" / "no_page.html"

STREAMLITS_OWN = {"_stcore", "media", "component", "static", "app", "auth", "oauth2callback"}
STREAMLITS_OWN |= {"favicon.png", "manifest.json"}
"""First parts of the addresses that Streamlit itself serves, beside pages."""

UPLOAD = "_stcore/upload_file/"
SWEEP_S = 30
"""Seconds between two looks for visitors who left."""


class PageAddresses:
    """Answers addresses that are no page with a sentence and links; Streamlit's own answer stays blank below a page.

    The start page's name and capitals are led to the page that is meant.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or leave it to Streamlit."""
        answer = None
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            answer = answer_address(scope["path"], scope["query_string"].decode("latin-1"))
        await (answer or self._app)(scope, receive, send)


class BoundedUploads:
    """Refuses an upload where the visitor's files would be more than uploads.MAX_VISITOR_BYTES."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse an upload that is too much, and leave everything else to Streamlit."""
        await (PlainTextResponse(uploads.TOO_MUCH, 413) if _is_too_much(scope) else self._app)(scope, receive, send)


def answer_address(path: str, query: str = "") -> Response | None:
    """Return the answer to an address that is no page, or None where Streamlit answers it.

    `path` begins with server.baseUrlPath, if that is set.
    """
    name, home = _get_name(path), _build_way_home(path)
    first, *_ = PAGES
    addresses = {page: "" if page == first else page for page in PAGES}
    if name.split("/")[0] in STREAMLITS_OWN or name in addresses.values():
        return None
    meant = addresses.get(name.lower(), "" if name == "index.html" else None)
    if meant is not None:
        return RedirectResponse(home + meant + (f"?{query}" if query else ""))
    links = "\n".join(f'<li><a href="{home}{addresses[page]}">{PAGES[page][0]}</a></li>' for page in PAGES)
    shown = Template(NO_PAGE.read_text(encoding="utf-8")).substitute(address=escape(f"/{name}"), links=links)
    return HTMLResponse(shown, 404, headers={"Cache-Control": "no-cache"})


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Keep uploads off the disk while the server runs, and forget visitors soon after they leave."""
    MultiPartParser.spool_max_size = 0  # never: by default a file of more than 1 MB passes through a temporary file
    sweeping = asyncio.create_task(_sweep())
    yield
    sweeping.cancel()
    with suppress(asyncio.CancelledError):
        await sweeping


def forget_expired_sessions() -> None:
    """Clear the sessions of visitors who left more than server.disconnectedSessionTTL seconds ago.

    Streamlit drops them only when another visitor leaves.
    """
    storage = cast(WebsocketSessionManager, runtime.get_instance()._session_mgr)._session_storage
    for _, left in cast(MemorySessionStorage, storage)._cache.expire():  # type: ignore[attr-defined]
        left.session.shutdown()
        left.session.session_state.clear()


async def _sweep() -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        forget_expired_sessions()


def _is_too_much(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "PUT":
        return False
    name = _get_name(scope["path"])
    if not name.startswith(UPLOAD):
        return False
    length = dict(scope["headers"]).get(b"content-length", b"0")
    coming = int(length) if length.isdigit() else 0
    return uploads.count_bytes(name.removeprefix(UPLOAD).split("/")[0]) + coming > uploads.MAX_VISITOR_BYTES


def _get_name(path: str) -> str:
    """Return an address without slashes around it, and without server.baseUrlPath before it."""
    name, base = path.strip("/"), _get_base()
    return name.removeprefix(base).strip("/") if f"{name}/".startswith(f"{base}/") else name


def _build_way_home(path: str) -> str:
    """Build the relative link from an address to the start page, which also holds behind a proxy that cuts a prefix."""
    base = _get_base()
    return ("../" * (path.count("/") - 1) or "./") + (f"{base}/" if base else "")


def _get_base() -> str:
    return str(config.get_option("server.baseUrlPath") or "").strip("/")


MIDDLEWARE = (Middleware(PageAddresses), Middleware(BoundedUploads))
