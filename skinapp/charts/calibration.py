"""Calibration: the reliability diagram and the histogram of the confidence."""

from typing import Any

import altair as alt
import pandas as pd

from skinapp.charts.vega import (
    AMBER,
    BLUE,
    build_legend,
    build_share_x,
    build_share_y,
    compute_legend_px,
    draw_reference_line,
    finish_chart,
)
from skinapp.taxonomy import get_class_name

_PLOT_PX, _HISTOGRAM_PX = 320, 220
_BEFORE, _AFTER = "Before calibration", "After calibration"
_COLOURS = {_BEFORE: AMBER, _AFTER: BLUE}
_DOT_PX2 = (30, 260)
"""The area of a dot, from the emptiest bin to the fullest."""


def draw_reliability(before: pd.DataFrame | None, after: pd.DataFrame, positive: str | None = None) -> alt.LayerChart:
    """Draw accuracy against confidence, with the diagonal of perfect calibration.

    Both frames have one row per bin and the columns low, high, photos, confidence and accuracy (all but photos 0 to 1),
    as `runs.views.calibration` returns them. Empty bins are left out; a dot's area grows with its photos. `before` is
    for the scores before temperature scaling, None for a model without it. If the bins are of the score of one class,
    `positive` is that class, and the axes name it.
    """
    x_title = f"{get_class_name(positive)} score" if positive else "Confidence"
    y_title = f"Share {get_class_name(positive).lower()}" if positive else "Share correct"
    x, y = build_share_x("confidence", x_title), build_share_y("accuracy", y_title)
    table = _concat(before, after)
    base = alt.Chart(table[table["photos"] > 0]).encode(x=x, y=y, color=_colour(table))
    dots = base.mark_point(filled=True, opacity=0.9).encode(
        size=alt.Size("photos:Q", scale=alt.Scale(range=_DOT_PX2), legend=None),
        tooltip=[
            alt.Tooltip("state:N", title="Scores"),
            alt.Tooltip("confidence:Q", title=x_title, format=".3f"),
            alt.Tooltip("accuracy:Q", title=y_title, format=".3f"),
            alt.Tooltip("photos:Q", title="Photos", format=",d"),
        ],
    )
    diagonal = draw_reference_line(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}), x, y)
    return finish_chart([diagonal, base.mark_line(tooltip=None), dots], _PLOT_PX + _legend_px(table))


def draw_confidence_histogram(
    before: pd.DataFrame | None, after: pd.DataFrame, positive: str | None = None
) -> alt.LayerChart:
    """Draw the share of photos in each bin: bars after calibration, a line across each bin before it.

    The arguments are those of `draw_reliability`.
    """
    table = _concat(before, after)
    table["share"] = table["photos"] / table.groupby("state")["photos"].transform("sum")
    title = f"{get_class_name(positive)} score" if positive else "Confidence"
    channels: dict[str, Any] = {
        "x2": alt.X2("high:Q"),
        "y": alt.Y("share:Q", axis=alt.Axis(title="Share of photos", format="%", tickCount=5)),
        "color": _colour(table),
        "tooltip": [
            alt.Tooltip("state:N", title="Scores"),
            alt.Tooltip("low:Q", title="From", format=".2f"),
            alt.Tooltip("high:Q", title="To", format=".2f"),
            alt.Tooltip("photos:Q", title="Photos", format=",d"),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    }
    bars = (
        alt.Chart(table[table["state"] == _AFTER])
        .mark_bar()
        .encode(build_share_x("low", title, binned=True), **channels)
    )
    lines = (
        alt.Chart(table[table["state"] == _BEFORE])
        .mark_rule(strokeWidth=3)
        .encode(build_share_x("low", title), **channels)
    )
    return finish_chart([bars] if before is None else [bars, lines], _HISTOGRAM_PX + _legend_px(table))


def _concat(before: pd.DataFrame | None, after: pd.DataFrame) -> pd.DataFrame:
    states = [frame.assign(state=state) for state, frame in ((_BEFORE, before), (_AFTER, after)) if frame is not None]
    return pd.concat(states, ignore_index=True)


def _colour(table: pd.DataFrame) -> alt.Color:
    states = list(table["state"].unique())
    scale = alt.Scale(domain=states, range=[_COLOURS[state] for state in states])
    return alt.Color("state:N", scale=scale, legend=build_legend(states) if len(states) > 1 else None)


def _legend_px(table: pd.DataFrame) -> int:
    states = list(table["state"].unique())
    return compute_legend_px(states) if len(states) > 1 else 0
