"""How a score moves with changes of the photo: a dot for each, the score of the unchanged photo, the threshold."""

import json
import math
from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from skinapp.charts.style import FONT_SIZE, GREY
from skinapp.charts.vega import BLUE, DASHED, SOLID, finish_chart
from skinapp.formatting import format_score_percent
from skinapp.taxonomy import MALIGNANCY_COLOURS, MALIGNANT

_TICKS = (
    (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.997, 0.999),
    (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999),
    (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999),
)
"""Scores on the axis: the first list of which at most _MOST_TICKS lie on it."""

_MOST_TICKS = 6
"""More labels would touch each other on a phone."""

_ENDS = 0.0005
"""Scores nearer to 0 and 1 than this are drawn there: their log odds are without bound."""

_ROOM = 0.35
"""Log odds beside the outermost mark."""

_Side = Literal["left", "right"]

_ROW_PX, _AXIS_PX, _LABEL_PX = 26, 46, 24


def draw_what_if(moves: pd.DataFrame, score: float, threshold: float | None) -> alt.LayerChart:
    """Draw a dot for the score after each change, and a line to it from the score of the unchanged photo.

    `moves` has the columns name (text) and score (0 to 1); its order is kept. `threshold` is a score or None. Scores
    at the threshold or above it are in the colour of malignant. The axis is one of log odds, because thresholds are
    small scores and differences near 0 and 1 count.
    """
    at = -math.inf if threshold is None else threshold
    table = pd.DataFrame(
        {
            "row": range(len(moves)),
            "name": moves["name"].to_numpy(),
            "at": [_to_log_odds(each) for each in moves["score"]],
            "own": _to_log_odds(score),
            "figure": [format_score_percent(each) for each in moves["score"]],
            "colour": [
                MALIGNANCY_COLOURS[MALIGNANT] if threshold is not None and each >= at else BLUE
                for each in moves["score"]
            ],
        }
    )
    marks = [score, *moves["score"], *([] if threshold is None else [threshold])]
    scale = _build_scale(marks)
    layers = [*_draw_lines(score, threshold, scale), *_draw_moves(table, scale)]
    chart: alt.LayerChart = finish_chart(layers, _ROW_PX * len(table) + _AXIS_PX).properties(
        padding={"top": _LABEL_PX, "left": 0, "right": 4, "bottom": 6}
    )
    return chart


def _to_log_odds(score: float) -> float:
    kept = min(max(score, _ENDS), 1 - _ENDS)
    return math.log(kept / (1 - kept))


def _build_scale(scores: Sequence[float]) -> tuple[float, float]:
    places = [_to_log_odds(score) for score in scores]
    return min(places) - _ROOM, max(places) + _ROOM


def _choose_ticks(low: float, high: float) -> list[float]:
    """Return the log odds of the scores that are written on the axis."""
    on_axis = [[at for at in map(_to_log_odds, scores) if low <= at <= high] for scores in _TICKS]
    return next((ticks for ticks in on_axis if len(ticks) <= _MOST_TICKS), on_axis[-1])


def _build_x(column: str, domain: tuple[float, float]) -> alt.X:
    ticks = _choose_ticks(*domain)
    axis = alt.Axis(
        title="Score for malignant (axis in log odds)",
        values=ticks,
        labelExpr="round(1000 / (1 + exp(-datum.value))) / 10 + '%'",
    )
    return alt.X(f"{column}:Q", scale=alt.Scale(domain=list(domain), nice=False, zero=False), axis=axis)


def _draw_lines(score: float, threshold: float | None, domain: tuple[float, float]) -> list[alt.Chart]:
    """Draw the unchanged photo's score and the threshold, with their names on the sides away from each other."""
    sides: tuple[_Side, _Side] = ("left", "right")
    own_side, other_side = sides if threshold is None or threshold <= score else sides[::-1]
    lines = [*_draw_line("this photo", score, domain, SOLID, own_side)]
    if threshold is not None:
        lines += _draw_line("threshold", threshold, domain, DASHED, other_side)
    return lines


def _draw_line(
    label: str, score: float, domain: tuple[float, float], dash: Sequence[int], align: _Side
) -> tuple[alt.Chart, alt.Chart]:
    frame = pd.DataFrame({"at": [_to_log_odds(score)], "figure": [format_score_percent(score)]})
    base = alt.Chart(frame).encode(x=_build_x("at", domain))
    line = base.mark_rule(color=GREY, strokeWidth=2, strokeDash=list(dash)).encode(
        tooltip=alt.Tooltip("figure:N", title=label.capitalize())
    )
    text = base.mark_text(align=align, baseline="bottom", y=-6, dx=3 if align == "left" else -3, tooltip=None)
    return line, text.encode(text=alt.value(label))


def _draw_moves(table: pd.DataFrame, domain: tuple[float, float]) -> list[alt.Chart]:
    names = table["name"].tolist()
    axis = alt.Axis(title=None, grid=False, labelExpr=f"{json.dumps(names)}[datum.value]", labelFontSize=FONT_SIZE)
    row = alt.Y("row:O", scale=alt.Scale(domain=list(range(len(names)))), axis=axis)
    tooltip = [alt.Tooltip("name:N", title="Change"), alt.Tooltip("figure:N", title="Score")]
    colour = alt.Color("colour:N", scale=None, legend=None)
    base = alt.Chart(table).encode(y=row, color=colour, tooltip=tooltip)
    line = base.mark_rule(strokeWidth=2).encode(_build_x("own", domain), x2="at:Q")
    dot = base.mark_point(filled=True, size=110, opacity=1).encode(_build_x("at", domain))
    return [line, dot]
