"""Time from click to drawn page in Chromium: opening and filtering a table as large as ISIC 2024's on Dataset.

Run as `python -m benchmarks.dataset_page`. Each round starts its own server, so nothing is cached.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from playwright.sync_api import Page

from benchmarks.served import ADDRESS, Step, open_page, serve, show_steps, time_click
from benchmarks.tables import ROWS, make_large_table
from skinapp.datasets.table import write_table

OPEN, HALF, FEW = "open", "filter: half of it", "filter: a few of it"
GOALS_S = {OPEN: 2.0, HALF: 1.0, FEW: 1.0}
"""From click to drawn page, the first time, on two idle cores."""

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


def unfold(page: Page, label: str) -> None:
    """Open a list of options after the page has settled: Playwright cannot reliably click what moves."""
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("combobox", name=label).click()


def time_choice(page: Page, pid: int, choice: str, photos: int) -> Step:
    """Click a visible option and wait until the page shows that many photos."""
    option = page.get_by_role("option", name=choice, exact=True)
    option.wait_for()
    step = time_click(page, pid, option.click, _DRAWN, f"{photos:,}")
    page.keyboard.press("Escape")
    return step


def time_round(page: Page, pid: int, table: pd.DataFrame, small: pd.DataFrame) -> dict[str, Step]:
    """Open the large table from a small one, filter it by a rare label, then by sex alone."""
    page.goto(ADDRESS)
    page.wait_for_selector("input[type=file]", state="attached", timeout=120_000)
    page.goto(f"{ADDRESS}dataset")
    page.wait_for_function(_DRAWN, arg=f"{len(small):,}", timeout=120_000)
    unfold(page, "Image table")
    steps = {OPEN: time_choice(page, pid, LARGE, len(table))}
    page.get_by_text("Filters", exact=True).click()
    unfold(page, "Sex")
    steps[HALF] = time_choice(page, pid, SEX, int((table["sex"] == SEX).sum()))
    unfold(page, "Diagnosis")
    rare = int(((table["sex"] == SEX) & (table["diagnosis"] == "bcc")).sum())
    steps[FEW] = time_choice(page, pid, LABEL, rare)
    return steps


def main(repeats: Annotated[int, typer.Option(help="Rounds, each on a fresh server.")] = 5) -> None:
    """Time opening and filtering a large table on the Dataset page."""
    table, small = make_large_table(), make_large_table(1_000)
    done = []
    with tempfile.TemporaryDirectory() as place:
        write_table(table, Path(place) / f"{LARGE}.parquet")
        write_table(small, Path(place) / f"{SMALL}.parquet")
        for _ in range(repeats):
            with serve({"SKINAPP_TABLES": place}) as pid, open_page() as page:
                done.append(time_round(page, pid, table, small))
    show_steps(done, GOALS_S, f"A table of {ROWS:,} rows")


if __name__ == "__main__":
    typer.run(main)
