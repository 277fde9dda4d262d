"""The building blocks of the story's steps, and the formats of their figures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics.estimate import Estimate, estimate_proportion

NOT_YET = "not measured yet"


@dataclass(frozen=True)
class RunId:
    """A stored run of an experiment: the id of the experiment and the name of the run."""

    experiment: str
    run: str


@dataclass(frozen=True)
class KeyFigure:
    """A figure as the page shows it: its name, its value, and below it the interval or a note."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class ClaimAnswer:
    """Our answer to a claim: its id, our result, the photos it was measured on, and what differs and why."""

    claim: str
    result: str
    photos: str
    differences: str


@dataclass(frozen=True, eq=False)
class ForestPlot:
    """Figures (0 to 1) with their intervals: `rows` as `charts.forest.draw_forest_plot` takes them."""

    rows: pd.DataFrame
    title: str

    def domain(self) -> tuple[float, float]:
        """Return the ends of the axis: tenths that contain all intervals, slightly above 1 for a dot at 1."""
        ends = self.rows[["value", "low", "high"]].to_numpy(dtype=float)
        if np.isnan(ends).all():
            return 0.0, 1.0
        low, high = np.floor(10 * np.nanmin(ends)) / 10, np.ceil(10 * np.nanmax(ends)) / 10
        return float(low), 1.02 if high >= 1 else float(high)


@dataclass(frozen=True, eq=False)
class CertaintyPlot:
    """Single photos: `photos` as `charts.story.draw_certainties` takes them."""

    photos: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Step:
    """A step of the story.

    `plot` and `lesson` are None if a run that they need is missing; `missing` has one sentence per missing run.
    `differences` says what is not as in the earlier work, and why.
    """

    title: str
    answers: tuple[ClaimAnswer, ...]
    figures: tuple[KeyFigure, ...] = ()
    plot: ForestPlot | CertaintyPlot | None = None
    lesson: str | None = None
    differences: str = ""
    missing: tuple[str, ...] = ()


def build_rows(estimates: Iterable[tuple[str, str, Estimate]]) -> pd.DataFrame:
    """Return one row per (label, note, estimate); columns label, note, value, low, high."""
    table = [(label, note, estimate.value, estimate.low, estimate.high) for label, note, estimate in estimates]
    return pd.DataFrame(table, columns=["label", "note", "value", "low", "high"])


def format_percent(share: Estimate) -> str:
    """Format a share: "84.6% (83.0 to 86.2)", or a dash if it is undefined."""
    return "–" if np.isnan(share.value) else f"{share.value:.1%} ({format_interval(share)})"


def format_interval(share: Estimate) -> str:
    """Format the interval of a share: "83.0 to 86.2"."""
    return f"{100 * share.low:.1f} to {100 * share.high:.1f}"


def format_points(difference: Estimate) -> str:
    """Format a difference of shares: "+1.2 points (−0.3 to +2.8)", or a dash if it is undefined."""
    if np.isnan(difference.value):
        return "–"
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} points ({low:+.1f} to {high:+.1f})".replace("-", "−")


def build_key_figure(name: str, estimate: Estimate, digits: int | None = None) -> KeyFigure:
    """Return a figure in percent, or with this number of decimals."""
    if np.isnan(estimate.value):
        return KeyFigure(name, "–", "undefined here")
    if digits is None:
        return KeyFigure(name, f"{estimate.value:.1%}", f"{format_interval(estimate)}%")
    return KeyFigure(name, f"{estimate.value:.{digits}f}", f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}")


def build_count_figure(name: str, part: int, whole: int, method: str) -> KeyFigure:
    """Return a count of photos with the interval of its share in percent; `method` as in `estimate_proportion`."""
    return KeyFigure(name, f"{part} of {whole}", f"{format_interval(estimate_proportion(part, whole, method))}%")


def intervals_overlap(a: Estimate, b: Estimate) -> bool:
    """Tell whether two intervals have a value in common; true where an end is undefined: nothing tells them apart."""
    return not (a.low > b.high or b.low > a.high)


def describe_difference(a: Estimate, b: Estimate) -> str:
    """Describe how far a is above or below b in percentage points, and whether their intervals overlap."""
    points = 100 * (a.value - b.value)
    if np.isnan(points):
        return "cannot be compared"
    if np.isnan([a.low, a.high, b.low, b.high]).any():
        overlap = "an interval is undefined"
    else:
        overlap = "the intervals overlap" if intervals_overlap(a, b) else "the intervals do not overlap"
    if round(abs(points), 1) == 0:
        return f"the same to a tenth of a point ({overlap})"
    direction = "lower" if points < 0 else "higher"
    return f"{abs(points):.1f} points {direction} ({overlap})"


def get_difference(differences: pd.DataFrame, name: str) -> Estimate:
    """Return one row of the frame of `differences.compute_differences`."""
    row = differences.loc[differences["figure"] == name, ["difference", "low", "high"]].iloc[0].astype(float)
    return Estimate(*row)


def sign_if_certain(difference: Estimate) -> int:
    """Return the sign of a difference, or 0 if its interval contains 0."""
    return int(difference.low > 0) - int(difference.high < 0)


def choose_verdict(difference: Estimate, better: str, worse: str, uncertain: str) -> str:
    """Choose the sentence for a difference: certainly above 0, certainly below 0, or uncertain."""
    return {1: better, -1: worse, 0: uncertain}[sign_if_certain(difference)]
