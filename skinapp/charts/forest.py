"""Figures with their intervals, a row each: subgroups, comparisons, the steps of a story."""

import json
import math
import textwrap
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.style import GREY
from skinapp.charts.vega import BLUE, DASHED, finished

_Lines = list[list[str]]

TOO_FEW = "too few to say"

LEAST_REACH = 0.05
"""Differences below five points look as small as they are."""

_LINE_PX, _GAP_PX, _AXIS_PX = 17, 12, 46
_LETTERS = 17
"""A row's name breaks into lines of so many letters: more would leave a phone no plot."""


def around_zero(rows: pd.DataFrame) -> tuple[float, float]:
    """Return a domain with 0 in its middle that holds the differences of `rows` (columns value, low, high)."""
    reach = float(np.nanmax(np.abs(rows[["value", "low", "high"]].to_numpy(dtype=float)), initial=LEAST_REACH))
    return -1.05 * reach, 1.05 * reach


def forest(rows: pd.DataFrame, reference: float | None, title: str, domain: tuple[float, float]) -> alt.LayerChart:
    """Draw a dot for each figure and a line for its interval, in the order of the rows, with the numbers beside.

    `rows` has the columns label (words, may come twice), value, low and high (on the scale of `domain`; low and high
    NaN where there is no interval), and may have note (words under the label, such as "61 lesions"; NA for none).
    Where value is NaN the row says TOO_FEW in place of a dot. `reference` is where a dashed line stands, None for
    none; `title` names the figure on the axis. What lies outside `domain` is cut off; a domain that goes below 0 is one
    of differences, whose numbers have a sign and three places.
    """
    names, numbers = _names(rows), _numbers(rows, signed=domain[0] < 0)
    table = pd.DataFrame({column: rows[column].to_numpy(dtype=float) for column in ("value", "low", "high")}).assign(
        row=range(len(rows)),
        edge=domain[0],
        name=list(map(" ".join, names)),
        figure=[lines[0] for lines in numbers],
        interval=[" ".join(lines[1:]) or "none" for lines in numbers],
    )
    layers = [*_reference(reference, _x("value", title, domain)), *_marks(table, names, numbers, title, domain)]
    row_px = _LINE_PX * max(map(len, [*names, *numbers]), default=0) + _GAP_PX
    chart: alt.LayerChart = finished(layers, row_px * len(rows) + _AXIS_PX).resolve_axis(y="independent")
    return chart


def _marks(
    table: pd.DataFrame, names: _Lines, numbers: _Lines, title: str, domain: tuple[float, float]
) -> list[alt.Chart]:
    known, unknown = table[table["value"].notna()], table[table["value"].isna()]
    tooltip = [
        alt.Tooltip("name:N", title="Row"),
        alt.Tooltip("figure:N", title="Figure"),
        alt.Tooltip("interval:N", title="95% interval"),
    ]
    line = alt.Chart(known).mark_rule(color=BLUE, strokeWidth=2.5, clip=True)
    dot = alt.Chart(known).mark_point(color=BLUE, filled=True, size=110, opacity=1, clip=True)
    words = alt.Chart(unknown).mark_text(align="left", dx=6, tooltip=None)
    left, right, bare = _rows(names, "left"), _rows(numbers, "right"), alt.Y("row:O", axis=None)
    return [
        line.encode(_x("low", title, domain), left, x2="high:Q", tooltip=tooltip),
        dot.encode(_x("value", title, domain), right, tooltip=tooltip),
        words.encode(_x("edge", title, domain), bare, text=alt.value(TOO_FEW)),
    ]


def _x(column: str, title: str, domain: tuple[float, float]) -> alt.X:
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    return alt.X(f"{column}:Q", scale=scale, axis=alt.Axis(title=title, tickCount=4, format="~g"))


def _reference(reference: float | None, x: alt.X) -> list[alt.Chart]:
    if reference is None:
        return []
    line = alt.Chart(pd.DataFrame({"value": [reference]})).mark_rule(color=GREY, strokeDash=DASHED, strokeWidth=1.5)
    return [line.encode(x, tooltip=alt.Tooltip("value:Q", title="Reference"))]


def _names(rows: pd.DataFrame) -> _Lines:
    notes = rows["note"].fillna("") if "note" in rows.columns else [""] * len(rows)
    return [
        [line for words in pair for line in textwrap.wrap(str(words), _LETTERS, break_long_words=False)]
        for pair in zip(rows["label"], notes, strict=True)
    ]


def _numbers(rows: pd.DataFrame, signed: bool) -> _Lines:
    spec = "+.3f" if signed else ".2f"

    def text(value: float) -> str:
        return f"{value:{spec}}".replace("-", "−")

    found = []
    for value, low, high in zip(rows["value"], rows["low"], rows["high"], strict=True):
        interval = [] if math.isnan(low) or math.isnan(high) else [f"{text(low)} to {text(high)}"]
        found.append(["–"] if math.isnan(value) else [text(value), *interval])
    return found


def _rows(lines: _Lines, side: Literal["left", "right"]) -> alt.Y:
    """Return the axis of the rows with these words at a side; rows are numbers, because two may have one name."""
    up = [-_LINE_PX * (len(words) - 1) / 2 for words in lines]  # the first of several lines would lie beside the dot
    axis = alt.Axis(
        orient=side,
        title=None,
        grid=False,
        labelExpr=f"{json.dumps(lines)}[datum.value]",
        labelOffset={"condition": {"test": "true", "expr": f"{json.dumps(up)}[datum.value]"}, "value": 0},
    )
    return alt.Y("row:O", scale=alt.Scale(domain=list(range(len(lines)))), axis=axis)
