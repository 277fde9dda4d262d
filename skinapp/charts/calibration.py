"""Whether a score can be taken at its word: the reliability diagram, and how sure a model is how often."""

from typing import Any

import altair as alt
import pandas as pd

from skinapp.charts.vega import AMBER, BLUE, finished, key, key_px, share_x, share_y, yardstick
from skinapp.taxonomy import class_name

_PLOT_PX, _HISTOGRAM_PX = 320, 220
_BEFORE, _AFTER = "Before calibration", "After calibration"
_COLOURS = {_BEFORE: AMBER, _AFTER: BLUE}
_DOT_PX2 = (30, 260)
"""The area of the dots: from bins of hardly a photo to the fullest."""


def reliability_chart(before: pd.DataFrame | None, after: pd.DataFrame, positive: str | None = None) -> alt.LayerChart:
    """Draw how often a model is right against how sure it is, with the diagonal of a model that can be believed.

    Both frames have the columns low, high, photos, confidence and accuracy, a row a bin (all but photos 0 to 1), as
    `evaluation.calibration.reliability` returns them; empty bins are left out. A dot's area grows with its photos.
    `before` is the model without its temperature, None for a model that has none. For bins of the score of one class
    (`binary_reliability`) `positive` names it: the axes then say so.
    """
    x_title = f"{class_name(positive)} score" if positive else "Confidence"
    y_title = f"Share {class_name(positive).lower()}" if positive else "Share right"
    x, y = share_x("confidence", x_title), share_y("accuracy", y_title)
    table = _together(before, after)
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
    perfect = yardstick(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}), x, y)
    return finished([perfect, base.mark_line(tooltip=None), dots], _PLOT_PX + _key_px(table))


def confidence_histogram(
    before: pd.DataFrame | None, after: pd.DataFrame, positive: str | None = None
) -> alt.LayerChart:
    """Draw the share of the photos in each bin: bars after calibration, a line across each bin before it.

    The arguments are those of `reliability_chart`.
    """
    table = _together(before, after)
    table["share"] = table["photos"] / table.groupby("state")["photos"].transform("sum")
    title = f"{class_name(positive)} score" if positive else "Confidence"
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
    bars = alt.Chart(table[table["state"] == _AFTER]).mark_bar().encode(share_x("low", title, binned=True), **channels)
    lines = (
        alt.Chart(table[table["state"] == _BEFORE]).mark_rule(strokeWidth=3).encode(share_x("low", title), **channels)
    )
    return finished([bars] if before is None else [bars, lines], _HISTOGRAM_PX + _key_px(table))


def _together(before: pd.DataFrame | None, after: pd.DataFrame) -> pd.DataFrame:
    states = [frame.assign(state=state) for state, frame in ((_BEFORE, before), (_AFTER, after)) if frame is not None]
    return pd.concat(states, ignore_index=True)


def _colour(table: pd.DataFrame) -> alt.Color:
    states = list(table["state"].unique())
    scale = alt.Scale(domain=states, range=[_COLOURS[state] for state in states])
    return alt.Color("state:N", scale=scale, legend=key(states) if len(states) > 1 else None)


def _key_px(table: pd.DataFrame) -> int:
    states = list(table["state"].unique())
    return key_px(states) if len(states) > 1 else 0
