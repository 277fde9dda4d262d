"""The forest plot: metrics with their intervals, one row each."""

import json
import math
import textwrap
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.style import GREY
from skinapp.charts.vega import BLUE, DASHED, finish_chart

_Lines = list[list[str]]

TOO_FEW = "too few to say"

MIN_REACH = 0.05
"""The axis shows at least five points to each side, so that small differences look small."""

_LINE_PX, _GAP_PX, _AXIS_PX = 17, 12, 46
_LETTERS = 17
"""Letters on a line of a row's name: more would leave no room for the plot on a phone."""


def compute_symmetric_domain(rows: pd.DataFrame) -> tuple[float, float]:
    """Return a domain with 0 in the middle that contains the columns value, low and high of `rows`."""
    reach = float(np.nanmax(np.abs(rows[["value", "low", "high"]].to_numpy(dtype=float)), initial=MIN_REACH))
    return -1.05 * reach, 1.05 * reach


def draw_forest_plot(
    rows: pd.DataFrame, reference: float | None, title: str, domain: tuple[float, float]
) -> alt.LayerChart:
    """Draw a dot for each value and a line for its interval, in the order of the rows, with the numbers beside.

    `rows` has the columns label (text, need not be unique), value, low and high (on the scale of `domain`; low and high
    NaN without an interval), and may have note (text under the label, such as "61 lesions"; NA for none). A row with a
    value of NaN says TOO_FEW. `reference` is the position of a dashed line, None for none; `title` is that of the axis.
    Marks outside `domain` are cut off. A domain that goes below 0 is one of differences: their numbers have a sign and
    three decimals.
    """
    names, numbers = _wrap_names(rows), _format_numbers(rows, signed=domain[0] < 0)
    table = pd.DataFrame({column: rows[column].to_numpy(dtype=float) for column in ("value", "low", "high")}).assign(
        row=range(len(rows)),
        edge=domain[0],
        name=list(map(" ".join, names)),
        figure=[lines[0] for lines in numbers],
        interval=[" ".join(lines[1:]) or "none" for lines in numbers],
    )
    layers = [
        *_draw_reference(reference, _build_x("value", title, domain)),
        *_draw_marks(table, names, numbers, title, domain),
    ]
    row_px = _LINE_PX * max(map(len, [*names, *numbers]), default=0) + _GAP_PX
    chart: alt.LayerChart = finish_chart(layers, row_px * len(rows) + _AXIS_PX).resolve_axis(y="independent")
    return chart


def _draw_marks(
    table: pd.DataFrame, names: _Lines, numbers: _Lines, title: str, domain: tuple[float, float]
) -> list[alt.Chart]:
    known, unknown = table[table["value"].notna()], table[table["value"].isna()]
    tooltip = [
        alt.Tooltip("name:N", title="Row"),
        alt.Tooltip("figure:N", title="Value"),
        alt.Tooltip("interval:N", title="95% interval"),
    ]
    line = alt.Chart(known).mark_rule(color=BLUE, strokeWidth=2.5, clip=True)
    dot = alt.Chart(known).mark_point(color=BLUE, filled=True, size=110, opacity=1, clip=True)
    too_few = alt.Chart(unknown).mark_text(align="left", dx=6, tooltip=None)
    left, right, bare = _build_row_axis(names, "left"), _build_row_axis(numbers, "right"), alt.Y("row:O", axis=None)
    return [
        line.encode(_build_x("low", title, domain), left, x2="high:Q", tooltip=tooltip),
        dot.encode(_build_x("value", title, domain), right, tooltip=tooltip),
        too_few.encode(_build_x("edge", title, domain), bare, text=alt.value(TOO_FEW)),
    ]


def _build_x(column: str, title: str, domain: tuple[float, float]) -> alt.X:
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    return alt.X(f"{column}:Q", scale=scale, axis=alt.Axis(title=title, tickCount=4, format="~g"))


def _draw_reference(reference: float | None, x: alt.X) -> list[alt.Chart]:
    if reference is None:
        return []
    line = alt.Chart(pd.DataFrame({"value": [reference]})).mark_rule(color=GREY, strokeDash=DASHED, strokeWidth=1.5)
    return [line.encode(x, tooltip=alt.Tooltip("value:Q", title="Reference"))]


def _wrap_names(rows: pd.DataFrame) -> _Lines:
    notes = rows["note"].fillna("") if "note" in rows.columns else [""] * len(rows)
    return [
        [line for text in pair for line in textwrap.wrap(str(text), _LETTERS, break_long_words=False)]
        for pair in zip(rows["label"], notes, strict=True)
    ]


def _format_numbers(rows: pd.DataFrame, signed: bool) -> _Lines:
    spec = "+.3f" if signed else ".2f"

    def write(value: float) -> str:
        return f"{value:{spec}}".replace("-", "−")

    numbers = []
    for value, low, high in zip(rows["value"], rows["low"], rows["high"], strict=True):
        interval = [] if math.isnan(low) or math.isnan(high) else [f"{write(low)} to {write(high)}"]
        numbers.append(["–"] if math.isnan(value) else [write(value), *interval])
    return numbers


def _build_row_axis(lines: _Lines, side: Literal["left", "right"]) -> alt.Y:
    """Return the axis of the rows with these labels; rows are identified by number, because two may have one name."""
    offsets = [
        -_LINE_PX * (len(label) - 1) / 2 for label in lines
    ]  # else the first of several lines would be beside the dot
    axis = alt.Axis(
        orient=side,
        title=None,
        grid=False,
        labelExpr=f"{json.dumps(lines)}[datum.value]",
        labelOffset={"condition": {"test": "true", "expr": f"{json.dumps(offsets)}[datum.value]"}, "value": 0},
    )
    return alt.Y("row:O", scale=alt.Scale(domain=list(range(len(lines)))), axis=axis)
