"""A real app, served on this machine, and a real Chromium that uses it."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
START_S = 60

# A shared machine may be slow; a test that waits longer than this has found a defect.
expect.set_options(timeout=60_000)

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def models(deciding_models: Path) -> Path:
    """Use models with operating points: those without decide nothing."""
    return deciding_models


@pytest.fixture(scope="session")
def address(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app with the small random models for all tests; yield its address."""
    with started(models, tmp_path_factory.mktemp("app")) as server:
        yield server.wait()


@pytest.fixture(scope="module")
def fresh_addresses(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[str]]:
    """Start six servers at once; yield their addresses one by one, each of a server that nobody has used yet."""
    few_runs = str(ROOT / "experiments" / "shortcut-probe")
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp("fresh") for _ in range(6)]
        servers = [stack.enter_context(started(models, folder, SKINAPP_EXPERIMENTS=few_runs)) for folder in folders]
        yield (server.wait() for server in servers)


@dataclass(frozen=True)
class Server:
    """A server on its way up."""

    process: subprocess.Popen[bytes]
    address: str

    def wait(self) -> str:
        """Return its address once it answers; fail the test where it does not start."""
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urlopen(f"{self.address}_stcore/health", timeout=2):
                    return self.address
            except (URLError, TimeoutError):
                time.sleep(0.3)
        pytest.fail("the app did not start")


@contextmanager
def started(models: Path, folder: Path, **variables: str) -> Iterator[Server]:
    """Start a server with a folder for its log, and stop it again; keywords are more environment variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "localhost", "--server.headless", "true"]
    variables |= {"SKINAPP_MODELS": str(models), "SKINAPP_EXAMPLES": str(ROOT / "no-such-folder")}
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options]
    with (folder / "log.txt").open("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, stdout=log, stderr=log)
        try:
            yield Server(process, f"http://localhost:{port}/")
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium; the tests need it, so its absence fails them."""
    chromium_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert chromium_path, "The browser tests need Chromium: `make test` installs it."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def cuttable(address: str) -> Callable[[], AbstractContextManager[tuple[str, Callable[[bool], None]]]]:
    """Return what forwards a free port to the app; it yields an address, and what cuts the connection or mends it."""
    return partial(_forwarded, address)


@contextmanager
def _forwarded(address: str) -> Iterator[tuple[str, Callable[[bool], None]]]:
    target, is_up, threads = urlsplit(address), threading.Event(), []
    open_sockets: list[socket.socket] = []

    def forward(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                incoming, _ = listener.accept()
                if not is_up.is_set():
                    incoming.close()
                    continue
                outgoing = socket.create_connection((target.hostname, target.port))
                open_sockets.extend((incoming, outgoing))
                for pair in ((incoming, outgoing), (outgoing, incoming)):
                    threads.append(threading.Thread(target=forward, args=pair, daemon=True))
                    threads[-1].start()

    def switch(up: bool) -> None:
        if up:
            is_up.set()
            return
        is_up.clear()
        while open_sockets:
            with suppress(OSError):
                open_sockets.pop().shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        is_up.set()
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", switch
        switch(False)
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desktop", "phone"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open the app's first page; fail the test where the page throws, or asks any other server for anything."""
    width, height = request.param
    phone = width < 500
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone)
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    thrown: list[str] = []
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    opened.goto(address)
    opened.get_by_role("heading", name="Classify a lesion").wait_for()
    yield opened
    context.close()
    assert thrown == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
