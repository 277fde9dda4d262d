"""From click to drawn in Chromium: a table as large as ISIC 2024's is opened and filtered on the Dataset page.

Run as `python -m benchmarks.dataset_page`; needs Linux (it reads /proc) and a Chromium. Every round starts a server of
its own, so that nothing is in a cache: each time is a first time. Beside the time on the clock stands the server's
processor time, which other work on the machine does not lengthen.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import typer
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.tables import ROWS, large_table
from skinapp.datasets.table import write_table

PORT = 8698
ROOT = Path(__file__).parents[1]
MOST_OPENING_S, MOST_FILTERING_S = 2.0, 1.0
"""The goals, from click to drawn, the first time, on two idle cores."""

SETTLED_MS = 1000

SMALL, LARGE = "a-small-table", "large"
LABEL, SEX = "Basal cell carcinoma", "female"

_DRAWN = """photos => {
  const app = document.querySelector('[data-testid=stApp]');
  const metric = document.querySelector('[data-testid=stMetricValue]');
  return app.getAttribute('data-test-script-state') === 'notRunning' && metric?.innerText.trim() === photos
    && !document.querySelector('[data-stale=true]')
    && document.querySelectorAll('.js-plotly-plot .barlayer').length > 2;
}"""


@dataclass(frozen=True)
class Step:
    """One click: seconds until the page is drawn, and seconds of the server's processors meanwhile."""

    elapsed_s: float
    processor_s: float


def processor_s(pid: int) -> float:
    """Read how long a process has kept processors busy."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(tables: Path) -> Iterator[int]:
    """Serve the app with a folder of tables; yield the server's process id."""
    options = ["--server.port", str(PORT), "--server.headless", "true", "--server.address", "localhost"]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options]
    environment = os.environ | {"SKINAPP_TABLES": str(tables)}
    app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urlopen(f"http://localhost:{PORT}/_stcore/health", timeout=1).close()
                break
            except (URLError, TimeoutError):
                time.sleep(0.1)
        yield app.pid
    finally:
        app.terminate()
        app.wait()


def unfold(page: Page, label: str) -> None:
    """Open a list of options once the page has come to rest: what still moves is not clicked reliably."""
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("combobox", name=label).click()


def clicked(page: Page, pid: int, choice: str, photos: int) -> Step:
    """Click an option that is on show and wait until that many photos are counted and drawn."""
    option = page.get_by_role("option", name=choice, exact=True)
    option.wait_for()
    started, busy = time.perf_counter(), processor_s(pid)
    option.click()
    page.wait_for_function(_DRAWN, arg=f"{photos:,}", timeout=120_000)
    step = Step(time.perf_counter() - started, processor_s(pid) - busy)
    page.keyboard.press("Escape")
    return step


def one_round(page: Page, pid: int, table: pd.DataFrame, small: pd.DataFrame) -> dict[str, Step]:
    """Open the large table from a small one, filter it by a rare label, then by sex alone."""
    page.goto(f"http://localhost:{PORT}/")
    page.wait_for_selector("input[type=file]", state="attached", timeout=120_000)
    page.goto(f"http://localhost:{PORT}/dataset")
    page.wait_for_function(_DRAWN, arg=f"{len(small):,}", timeout=120_000)
    unfold(page, "Image table")
    steps = {"open": clicked(page, pid, LARGE, len(table))}
    page.get_by_text("Filters", exact=True).click()
    unfold(page, "Sex")
    steps["filter: half of it"] = clicked(page, pid, SEX, int((table["sex"] == SEX).sum()))
    unfold(page, "Diagnosis")
    rare = int(((table["sex"] == SEX) & (table["diagnosis"] == "bcc")).sum())
    steps["filter: a few of it"] = clicked(page, pid, LABEL, rare)
    return steps


def rounds(repeats: int) -> list[dict[str, Step]]:
    """Time every step on a fresh server, time and again."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    table, small = large_table(), large_table(1_000)
    done = []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        write_table(table, Path(place) / f"{LARGE}.parquet")
        write_table(small, Path(place) / f"{SMALL}.parquet")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(repeats):
            with server(Path(place)) as pid:
                page = browser.new_page()
                done.append(one_round(page, pid, table, small))
                page.close()
        browser.close()
    return done


def main(repeats: Annotated[int, typer.Option(help="Rounds, each on a fresh server.")] = 5) -> None:
    """Time opening and filtering a large table on the Dataset page."""
    done = rounds(repeats)
    shown = Table("step", "to drawn, median", "fastest", "slowest", "server's processors", "goal", "met")
    for step in done[0]:
        elapsed = [steps[step].elapsed_s for steps in done]
        most = MOST_OPENING_S if step == "open" else MOST_FILTERING_S
        times = [f"{figure:.2f} s" for figure in (median(elapsed), min(elapsed), max(elapsed))]
        busy = f"{median(steps[step].processor_s for steps in done):.2f} s"
        shown.add_row(step, *times, busy, f"at most {most:g} s", "yes" if median(elapsed) <= most else "no")
    load = os.getloadavg()[0]
    shown.title = f"{ROWS:,} rows, {repeats} rounds, {os.cpu_count()} cores; load of the machine {load:.1f}"
    Console(width=max(120, Console().width)).print(shown)


if __name__ == "__main__":
    typer.run(main)
