"""95% intervals of the figures of a run, by bootstrap over lesions.

Photos of one lesion resemble each other, so they are drawn together; drawn one by one, they would give too narrow
an interval. Each replicate draws as many lesions as there are, with replacement, and a photo counts as
often as its lesion is drawn. The interval is the middle 95% of the replicates (the percentile method of
Efron, 1979); replicates in which a figure is undefined are left out of it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.files import compute_sha256, replace_file
from skinapp.metrics.bootstrap import draw_lesions, percentile_interval
from skinapp.metrics.classification import Floats
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.metrics.lesion_sums import sum_figures_by_lesion
from skinapp.metrics.summary import OVERALL, PER_CLASS, Figures, compute_figures
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import INTERVALS_FILE, PREDICTIONS_FILE

COLUMNS = ("figure", "class", "value", "low", "high")


def compute_intervals(run: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """Compute every figure of a run with its 95% interval.

    Returns one row per figure, with columns figure (a field of Figures), class (NA for the whole run), value (over all
    photos), low and high (float64; the 95% interval). The same seed gives the same frame.
    """
    *_, last = draw_intervals(run, replicates, seed)
    return last.frame()


@dataclass(frozen=True, eq=False)
class IntervalDraws:
    """The replicates drawn so far: `replicates` out of `of`."""

    run: Predictions
    figures: Figures
    parts: tuple[Figures, ...]
    replicates: int
    of: int

    def frame(self) -> pd.DataFrame:
        """Return the intervals from these replicates, in the columns of `compute_intervals`."""
        rows = [_row(name, None, getattr(self.figures, name), _joined(self.parts, name)) for name in OVERALL]
        rows += [
            _row(name, label, getattr(self.figures, name)[place], _joined(self.parts, name)[:, place])
            for place, label in enumerate(self.run.classes)
            for name in PER_CLASS
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))


def draw_intervals(run: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> Iterator[IntervalDraws]:
    """Draw the replicates of `compute_intervals` a few at a time, so that a page can show progress."""
    truth, scores = run.truth_index(), run.probabilities()
    lesion = run.lesion_index()
    drawn = IntervalDraws(run, compute_figures(truth, scores, run.classes, stated=run.stated), (), 0, replicates)
    tallied = sum_figures_by_lesion(truth, scores, run.classes, lesion, run.stated)
    for times in draw_lesions(int(lesion.max()) + 1, replicates, seed, sum(tallied.widths)):
        part = tallied.compute_figures(times)
        drawn = IntervalDraws(run, drawn.figures, (*drawn.parts, part), drawn.replicates + len(times), replicates)
        yield drawn


def get_figure(intervals: pd.DataFrame, name: str, label: str | None = None) -> Estimate:
    """Return one figure, of the whole run or of a class, from the frame of `compute_intervals`.

    Raises KeyError for a figure or class that the frame lacks.
    """
    of_class = intervals["class"].isna() if label is None else intervals["class"] == label
    rows = intervals.loc[of_class & (intervals["figure"] == name), ["value", "low", "high"]]
    if rows.empty:
        raise KeyError((name, label))
    value, low, high = rows.iloc[0].astype(float)
    return Estimate(value, low, high)


def add_intervals(per_class: pd.DataFrame, intervals: pd.DataFrame) -> pd.DataFrame:
    """Add the columns <figure>_low and <figure>_high of each figure to the frame of `compute_per_class`."""
    wide = intervals.dropna(subset="class").pivot(index="class", columns="figure", values=["low", "high"])
    ends = {f"{name}_{end}": wide[end, name] for name in PER_CLASS for end in ("low", "high")}
    return per_class.join(pd.DataFrame(ends), on="class")


def save_intervals(intervals: pd.DataFrame, folder: Path) -> None:
    """Write intervals.json into a run's folder, with the sha256 of the predictions they were computed from."""
    text = json.dumps(
        {
            "predictions_sha256": _predictions_sha256(folder),
            "intervals": json.loads(intervals.to_json(orient="records", double_precision=15)),
        },
        indent=1,
    )
    with replace_file(folder / INTERVALS_FILE) as aside:
        aside.write_text(text + "\n", encoding="utf-8")


def load_intervals(folder: Path) -> pd.DataFrame | None:
    """Read a run's intervals; None where there are none, or where they belong to other predictions.

    Raises RunError for a file that cannot be read.
    """
    file = folder / INTERVALS_FILE
    if not file.exists():
        return None
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        frame = pd.DataFrame(stored["intervals"], columns=list(COLUMNS))
        frame = frame.astype({"value": float, "low": float, "high": float})
        made_from = stored["predictions_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{file} cannot be read as intervals. Delete it, or make the run again.") from error
    return frame if made_from == _predictions_sha256(folder) else None


def _predictions_sha256(folder: Path) -> str:
    return compute_sha256(folder / PREDICTIONS_FILE)


def _joined(drawn: Sequence[Figures], name: str) -> Floats:
    return np.concatenate([getattr(each, name) for each in drawn])


def _row(name: str, label: str | None, value: float, replicates: Floats) -> tuple[object, ...]:
    return name, label, float(value), *percentile_interval(replicates)
