"""A stored run with its intervals, as it is told of."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.metrics.estimate import Estimate
from skinapp.runs.intervals import figure, headline_intervals, load_intervals
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import Headline, headline


@dataclass(frozen=True, eq=False)
class Measured:
    """A stored run with its intervals (a frame as `intervals.headline_intervals` returns it)."""

    run: StoredRun
    intervals: pd.DataFrame

    def figure(self, name: str, label: str | None = None) -> Estimate:
        """Return a figure of the whole run, or of a class, with its interval."""
        return figure(self.intervals, name, label)

    def headline(self) -> Headline:
        """Return the run's overall figures."""
        return headline(self.run)

    def photos(self) -> str:
        """Say how many photos and lesions the run was measured on."""
        counts = self.headline()
        return f"{counts.photos:,} photos of {counts.lesions:,} lesions"


def measured(run: StoredRun, folder: Path) -> Measured:
    """Put a run and the intervals in its folder together; they are drawn where none of these predictions are stored.

    Raises RunError where the stored ones cannot be understood.
    """
    stored = load_intervals(folder)
    return Measured(run, headline_intervals(run) if stored is None else stored)
