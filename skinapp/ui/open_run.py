"""A stored run that is looked at: a shipped one, shared by all visitors, or a visitor's own, in her session alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar

import pandas as pd

from skinapp.runs.intervals import Drawn, interval_steps, load_intervals
from skinapp.runs.seven import as_seven
from skinapp.runs.stored import StoredRun

P = ParamSpec("P")
R = TypeVar("R")

MANY_PHOTOS = 50_000
"""Of a run with more of them fewer lesions are drawn anew where a reader waits for it."""

_INTERVALS, _DRAWS, _SEVEN = "intervals", "draws", "seven"


@dataclass(frozen=True, eq=False)
class OpenRun:
    """A run and what belongs to it; what was computed of it once is kept as long as it is.

    `facts` has a row a prediction and a column a subgroup. `paths` are the photos' paths below the data root, by id, or
    None. `notes` are sentences that a reader of its figures must know. `folder` is where it is stored, None for a
    visitor's own; `shared` tells whether all visitors see it.
    """

    name: str
    run: StoredRun
    facts: pd.DataFrame
    paths: "pd.Series[str] | None" = None
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    shared: bool = False
    _done: dict[object, Any] = field(default_factory=dict)
    _drawing: Lock = field(default_factory=Lock)

    def cached(self, compute: Callable[Concatenate[StoredRun, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute something of the run, or return it where it was computed before."""
        key = (compute.__module__, compute.__qualname__, args, tuple(sorted(kwargs.items())))
        if key not in self._done:
            self._done[key] = compute(self.run, *args, **kwargs)
        found: R = self._done[key]
        return found

    def seven(self) -> "OpenRun":
        """Return the run with squamous cell carcinoma counted as actinic keratosis, as HAM10000 has it."""
        if _SEVEN not in self._done:
            self._done[_SEVEN] = replace(self, run=as_seven(self.run), folder=None, _done={}, _drawing=Lock())
        merged: OpenRun = self._done[_SEVEN]
        return merged

    def intervals(self) -> pd.DataFrame | None:
        """Return the intervals where they are stored or were drawn; None where they must still be drawn."""
        if _INTERVALS not in self._done and self.folder is not None:
            self._done[_INTERVALS] = load_intervals(self.folder)
        stored: pd.DataFrame | None = self._done.get(_INTERVALS)
        return stored

    def draw_on(self) -> float:
        """Draw a few more replicates of the intervals, and keep these once all are drawn; return the share drawn."""
        with self._drawing:  # visitors share a shipped run
            if self.intervals() is not None:
                return 1.0
            draws: Iterator[Drawn] = self._done.setdefault(_DRAWS, interval_steps(self.run))
            drawn = next(draws)
            if drawn.replicates == drawn.of:
                self._done[_INTERVALS] = drawn.frame()
                del self._done[_DRAWS]
            return drawn.replicates / drawn.of
