"""What the steps of the story are made of."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics.estimate import Estimate, proportion

NOT_YET = "not measured yet"


@dataclass(frozen=True)
class Source:
    """Where a figure comes from: an experiment's id, and the name of one of its runs."""

    experiment: str
    run: str


@dataclass(frozen=True)
class Shown:
    """A figure as a page shows it: its name, its value, and its interval or what else belongs below it."""

    name: str
    value: str
    below: str


@dataclass(frozen=True)
class ScoredPhoto:
    """Our answer to a claim: its id, our figures in words, the photos they stand on, what differs and why."""

    claim: str
    ours: str
    photos: str
    differs: str


@dataclass(frozen=True, eq=False)
class Forest:
    """Figures (0 to 1) to be drawn with their intervals: `rows` as `charts.forest.forest` takes them."""

    rows: pd.DataFrame
    title: str

    def domain(self) -> tuple[float, float]:
        """Return where the axis begins and ends: tenths that hold all intervals, a hair beyond 1 for a dot there."""
        ends = self.rows[["value", "low", "high"]].to_numpy(dtype=float)
        if np.isnan(ends).all():
            return 0.0, 1.0
        low, high = np.floor(10 * np.nanmin(ends)) / 10, np.ceil(10 * np.nanmax(ends)) / 10
        return float(low), 1.02 if high >= 1 else float(high)


@dataclass(frozen=True, eq=False)
class Certainties:
    """Single photos to be drawn: `photos` as `charts.story.certainties` takes them."""

    photos: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Step:
    """A step of the story.

    `lesson` is None and `picture` too where a run that they need is missing; `missing` says in a sentence each which
    those are. `differs` says what is not as it was in the earlier work, and why.
    """

    title: str
    answers: tuple[ScoredPhoto, ...]
    figures: tuple[Shown, ...] = ()
    picture: Forest | Certainties | None = None
    lesson: str | None = None
    differs: str = ""
    missing: tuple[str, ...] = ()


def rows(named: Iterable[tuple[str, str, Estimate]]) -> pd.DataFrame:
    """Put figures below one another: a label, a note and a figure each; columns label, note, value, low, high."""
    table = [(label, note, found.value, found.low, found.high) for label, note, found in named]
    return pd.DataFrame(table, columns=["label", "note", "value", "low", "high"])


def percent(found: Estimate) -> str:
    """Write "84.6% (83.0 to 86.2)", or a dash for what is undefined."""
    return "–" if np.isnan(found.value) else f"{found.value:.1%} ({interval(found)})"


def interval(found: Estimate) -> str:
    """Write the interval of a share: "83.0 to 86.2"."""
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def shown(name: str, found: Estimate, digits: int | None = None) -> Shown:
    """Show a figure in percent, or with so many digits where it is none."""
    if np.isnan(found.value):
        return Shown(name, "–", "undefined here")
    if digits is None:
        return Shown(name, f"{found.value:.1%}", f"{interval(found)}%")
    return Shown(name, f"{found.value:.{digits}f}", f"{found.low:.{digits}f} to {found.high:.{digits}f}")


def of_photos(name: str, part: int, whole: int, method: str) -> Shown:
    """Show a count of photos with the interval of its share in percent."""
    return Shown(name, f"{part} of {whole}", f"{interval(proportion(part, whole, method))}%")


def overlap(a: Estimate, b: Estimate) -> bool:
    """Tell whether two intervals share a value."""
    return a.low <= b.high and b.low <= a.high


def compared(a: Estimate, b: Estimate) -> str:
    """Say by how many points of a hundred a lies below or above b, and whether their intervals overlap."""
    points = 100 * (a.value - b.value)
    if np.isnan(points):
        return "cannot be compared"
    way = "lower" if points < 0 else "higher"
    apart = "the intervals overlap" if overlap(a, b) else "the intervals lie apart"
    return f"{abs(points):.1f} points {way} ({apart})"


def difference(found: pd.DataFrame, name: str) -> Estimate:
    """Pick a difference from the frame of `gaps.gaps`."""
    value, low, high = found.loc[found["figure"] == name, ["difference", "low", "high"]].iloc[0].astype(float)
    return Estimate(value, low, high)


def points(found: Estimate) -> str:
    """Write a difference of shares: "+1.2 points (−0.3 to +2.8)"; a dash where it is undefined."""
    if np.isnan(found.value):
        return "–"
    written = f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return written.replace("-", "−")


def certain(found: Estimate) -> int:
    """Return the sign of a difference whose interval does not hold 0, else 0."""
    return int(found.low > 0) - int(found.high < 0)


def verdict(found: Estimate, better: str, worse: str, open_: str) -> str:
    """Choose the words that a difference allows: surely above 0, surely below, or neither."""
    return {1: better, -1: worse, 0: open_}[certain(found)]
