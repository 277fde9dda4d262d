"""Serve the app to a real Chromium and time clicks. Needs Linux (it reads /proc) and a Chromium."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

PORT = 8698
ADDRESS = f"http://localhost:{PORT}/"
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Step:
    """One click: seconds until the page is drawn, and processor seconds that the server used.

    Other work on the machine does not lengthen the latter.
    """

    elapsed_s: float
    processor_s: float


@contextmanager
def serve(environment: Mapping[str, str]) -> Iterator[int]:
    """Serve the app with more environment variables; yield the server's process id once it answers."""
    options = ["--server.port", str(PORT), "--server.headless", "true", "--server.address", "localhost"]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options]
    variables = os.environ | environment
    app = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urlopen(f"{ADDRESS}_stcore/health", timeout=1).close()
                break
            except (URLError, TimeoutError):
                time.sleep(0.1)
        yield app.pid
    finally:
        app.terminate()
        app.wait()


@contextmanager
def open_page() -> Iterator[Page]:
    """Open a page in a new Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page()
        browser.close()


def time_click(page: Page, pid: int, click: Callable[[], object], drawn: str, argument: object) -> Step:
    """Click, wait until a JavaScript condition holds, and time that."""
    started, busy = time.perf_counter(), _read_processor_s(pid)
    click()
    page.wait_for_function(drawn, arg=argument, timeout=120_000)
    return Step(time.perf_counter() - started, _read_processor_s(pid) - busy)


def _read_processor_s(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def show_steps(done: list[dict[str, Step]], goals_s: Mapping[str, float], what: str) -> None:
    """Print the steps of several rounds with their goals; `goals_s` has a goal for each step."""
    shown = Table("step", "to drawn, median", "fastest", "slowest", "server's processors", "goal", "met")
    for step, most in goals_s.items():
        elapsed = [steps[step].elapsed_s for steps in done]
        times = [f"{figure:.2f} s" for figure in (median(elapsed), min(elapsed), max(elapsed))]
        processor = f"{median(steps[step].processor_s for steps in done):.2f} s"
        shown.add_row(step, *times, processor, f"at most {most:g} s", "yes" if median(elapsed) <= most else "no")
    load = os.getloadavg()[0]
    shown.title = f"{what}, {len(done)} rounds, {os.cpu_count()} cores; load of the machine {load:.1f}"
    Console(width=max(120, Console().width)).print(shown)
