"""An open run: a shipped one, shared by all visitors, or a visitor's upload, kept in that session only."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar

import pandas as pd

from skinapp.runs.intervals import IntervalDraws, draw_intervals, load_intervals
from skinapp.runs.predictions import Predictions
from skinapp.runs.seven import merge_to_seven
from skinapp.runs.stored import RunFacts, StoredRun

P = ParamSpec("P")
R = TypeVar("R")

MANY_PHOTOS = 50_000
"""For runs with more photos than this, fewer bootstrap replicates are drawn while a reader waits."""

MAX_RESULTS = 64
"""Results that are kept per run. One section of the Evaluation page uses about a dozen."""


class OpenRun:
    """A run, what belongs to it, and the results computed from it; safe to use from several threads.

    `facts` has one row per prediction and one column per subgroup. `paths` are the photos' paths below the data root,
    by id, or None. `notes` are sentences that a reader of its figures must know. `folder` is where it is stored, None
    for a visitor's own run. `shared` is true where all visitors see it. `content` identifies the files that an upload
    was read from, whatever their names. `as_read` is an upload before its owner said what its classes are.
    """

    def __init__(
        self,
        name: str,
        run: Predictions,
        facts: pd.DataFrame,
        paths: "pd.Series[str] | None" = None,
        notes: tuple[str, ...] = (),
        folder: Path | None = None,
        shared: bool = False,
        content: str = "",
        as_read: "OpenRun | None" = None,
    ) -> None:
        self.name, self.run, self.facts, self.paths = name, run, facts, paths
        self.notes, self.folder, self.shared = notes, folder, shared
        self.content, self.as_read = content, as_read
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._results_lock, self._intervals_lock = Lock(), Lock()
        self._intervals: pd.DataFrame | None = None
        self._draws: Iterator[IntervalDraws] | None = None

    @property
    def origin(self) -> RunFacts | None:
        """Where a stored run came from; None for a visitor's own."""
        return self.run if isinstance(self.run, StoredRun) else None

    def cached(self, compute: Callable[Concatenate[Predictions, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return `compute(run, ...)`, from the MAX_RESULTS results used last where it is among them.

        Pass a function of a module: one that is made anew for each call, such as a lambda, is computed each time.
        """
        key = (compute, args, tuple(sorted(kwargs.items())))
        with self._results_lock:
            if key in self._results:
                self._results.move_to_end(key)
                kept: R = self._results[key]
                return kept
        result = compute(self.run, *args, **kwargs)  # unlocked: it may take seconds, and may ask for other results
        with self._results_lock:
            first: R = self._results.setdefault(key, result)
            if len(self._results) > MAX_RESULTS:
                self._results.popitem(last=False)
            return first

    def seven(self) -> "OpenRun":
        """Return the run with squamous cell carcinoma counted as actinic keratosis, as HAM10000 does."""
        return self.cached(self._merge)

    def _merge(self, run: Predictions) -> "OpenRun":
        return OpenRun(
            self.name,
            merge_to_seven(run),
            self.facts,
            self.paths,
            self.notes,
            shared=self.shared,
            content=self.content,
            as_read=self.as_read,
        )

    def intervals(self) -> pd.DataFrame | None:
        """Return the stored or computed intervals; None until they are drawn."""
        if self._intervals is None and self.folder is not None:
            self._intervals = load_intervals(self.folder)
        return self._intervals

    def draw_on(self) -> float:
        """Draw a few more bootstrap replicates and return the share drawn so far; keep the intervals after the last."""
        with self._intervals_lock:  # visitors share a stored run
            if self.intervals() is not None:
                return 1.0
            self._draws = self._draws or draw_intervals(self.run)
            drawn = next(self._draws)
            if drawn.replicates == drawn.of:
                self._intervals, self._draws = drawn.frame(), None
            return drawn.replicates / drawn.of
