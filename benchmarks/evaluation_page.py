"""Time from click to drawn page in Chromium: opening a run of 400,000 predictions and its sections on Evaluation.

Run as `python -m benchmarks.evaluation_page`. Each round starts its own server, so nothing is cached.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from playwright.sync_api import Page

from benchmarks.served import ADDRESS, Step, open_page, serve, show_steps, time_click
from benchmarks.tables import make_large_table
from skinapp.datasets.table import write_table
from skinapp.runs.intervals import compute_intervals, save_intervals
from skinapp.runs.predictions import probability_columns
from skinapp.runs.stored import StoredRun, Versions, save_run
from skinapp.taxonomy import CODES
from skinapp.ui.evaluation.page import SECTIONS

ROWS, SMALL_ROWS = 400_000, 1_000
FEW_REPLICATES = 5
"""Replicates of the stored intervals. The page only reads them, so few are enough here."""

TABLE = "made-up"
MOST_OPENING_S, MOST_SWITCHING_S = 3.0, 1.0
OPEN = "open"
GOALS_S = {OPEN: MOST_OPENING_S} | {section: MOST_SWITCHING_S for section in SECTIONS if section != "Errors"}
"""From click to drawn page, the first time, on two idle cores. The page opens with Errors."""

SETTLED_MS = 1000

_SHOWN = {
    "Errors": "Confidently wrong",
    "Confusion": "Click a cell to see its photos.",
    "Classes": "How these are computed",
    "Curves": "Precision and recall",
    "Threshold": "Among 1,000 such people",
    "Calibration": "Confidence",
    "Subgroups": "Skin tone is not recorded",
    "Repeats": "Repeated lesions",
    "Compare": "to see the difference on the same photos",
    "Training": "No training record is stored",
    "Export": "and the predictions they come from",
}
"""Text that shows that a section is drawn: its pill turns blue earlier."""

_DRAWN = """([photos, words]) => {
  const app = document.querySelector('[data-testid=stApp]');
  const metric = document.querySelector('[data-testid=stMetricValue]');
  return app.getAttribute('data-test-script-state') === 'notRunning' && metric?.innerText.trim() === photos
    && app.innerText.includes(words) && !document.querySelector('[data-stale=true]')
    && !document.querySelector('[data-testid=stSkeleton]');
}"""


def make_large_run(name: str, rows: int, seed: int = 0) -> StoredRun:
    """Make up a run of eight classes, mostly nevi, right more often than not, with two photos per lesion."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(CODES), rows, p=[0.02, 0.08, 0.1, 0.02, 0.1, 0.62, 0.03, 0.03])
    logits = random.normal(0, 1.5, (rows, len(CODES)))
    logits[np.arange(rows), truth] += 2
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    frame = pd.DataFrame(scores / scores.sum(axis=1, keepdims=True), columns=probability_columns(CODES))
    photos = np.arange(rows)
    frame.insert(0, "image_id", make_large_table(rows)["image_id"])
    frame.insert(1, "lesion_id", "lesion_" + pd.Series(photos // 2).astype("string"))
    frame.insert(2, "truth", np.array(CODES)[truth])
    return StoredRun(
        name=name,
        model="large",
        classes=CODES,
        table=TABLE,
        table_sha256="0" * 64,
        split="test",
        weights_sha256="0" * 64,
        weights_kept=False,
        versions=Versions("", "", ""),
        created="2026-01-01T00:00:00+00:00",
        note="Made up by a seed, to measure time.",
        temperature=1.5,
        frame=frame,
    )


def store_run(run: StoredRun, experiments: Path) -> None:
    """Store a run with intervals of a few replicates."""
    folder = experiments / run.model / "runs" / run.name
    save_run(run, folder)
    save_intervals(compute_intervals(run, FEW_REPLICATES), folder)


def time_round(page: Page, pid: int) -> dict[str, Step]:
    """Open the large run from a small one, then look at each section."""
    page.goto(f"{ADDRESS}evaluation")
    page.wait_for_function(_DRAWN, arg=[f"{SMALL_ROWS:,}", _SHOWN["Errors"]], timeout=120_000)
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("combobox", name="Stored run").click()
    option = page.get_by_role("option", name="large · large", exact=True)
    option.wait_for()
    steps = {OPEN: time_click(page, pid, option.click, _DRAWN, [f"{ROWS:,}", _SHOWN["Errors"]])}
    for section in GOALS_S:
        if section != OPEN:
            page.wait_for_timeout(SETTLED_MS)
            pill = page.get_by_role("radio", name=section, exact=True)
            steps[section] = time_click(page, pid, pill.click, _DRAWN, [f"{ROWS:,}", _SHOWN[section]])
    return steps


def main(repeats: Annotated[int, typer.Option(help="Rounds, each on a fresh server.")] = 5) -> None:
    """Time opening a large run and switching its sections on the Evaluation page."""
    done = []
    with tempfile.TemporaryDirectory() as place:
        store_run(make_large_run("a-small-run", SMALL_ROWS), Path(place))
        store_run(make_large_run("large", ROWS), Path(place))
        write_table(make_large_table(), Path(place) / f"{TABLE}.parquet")
        folders = dict.fromkeys(("SKINAPP_EXPERIMENTS", "SKINAPP_TABLES"), place)
        for _ in range(repeats):
            with serve(folders | {"SKINAPP_MODELS": str(Path(place) / "none")}) as pid, open_page() as page:
                done.append(time_round(page, pid))
    show_steps(done, GOALS_S, f"A run of {ROWS:,} predictions of {len(CODES)} classes")


if __name__ == "__main__":
    typer.run(main)
