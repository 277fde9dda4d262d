"""A stored run with its intervals."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.metrics.estimate import Estimate
from skinapp.runs.intervals import compute_intervals, get_figure, load_intervals
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import Headline, compute_headline


@dataclass(frozen=True, eq=False)
class MeasuredRun:
    """A stored run with its intervals (a frame as `compute_intervals` returns it)."""

    run: StoredRun
    intervals: pd.DataFrame

    def get_figure(self, name: str, label: str | None = None) -> Estimate:
        """Return a figure of the whole run, or of a class, with its interval."""
        return get_figure(self.intervals, name, label)

    def compute_headline(self) -> Headline:
        """Return the run's overall figures."""
        return compute_headline(self.run)

    def describe_photos(self) -> str:
        """Return the number of photos and lesions in words, for example "1,000 photos of 700 lesions"."""
        counts = self.compute_headline()
        return f"{counts.photos:,} photos of {counts.lesions:,} lesions"


def measure_run(run: StoredRun, folder: Path) -> MeasuredRun:
    """Return a run with the intervals in its folder; they are computed where none are stored for these predictions.

    Raises RunError where the stored intervals cannot be read.
    """
    stored = load_intervals(folder)
    return MeasuredRun(run, compute_intervals(run) if stored is None else stored)
