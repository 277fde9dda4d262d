"""What the charts drawn by Altair share: a clear ground, readable words, no zoom, one colour a class.

As in `style`, no chart sets a colour for text: the page that shows it does.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from skinapp.charts.style import FONT_SIZE, GREY, GRID
from skinapp.taxonomy import BY_CODE, MALIGNANCY_CLASSES, class_colour

BLUE, AMBER, GREEN, PINK = "#2E86DE", "#E69F00", "#009E73", "#CC79A7"
"""For what is no class: told apart with every common colour-vision deficiency, seen on white and on black."""

SOLID, DASHED = [1, 0], [6, 4]

FINGER = 400
"""The area in square px of an invisible point that answers to a pointer or a finger."""

_OTHERS = (BLUE, AMBER, GREEN, PINK, "#56B4E9", "#D55E00", "#7B5EA7", "#8C510A")
"""For classes that taxonomy does not know, in their order; after the last comes the first again."""

_KEY_LINE_PX = 21
_LETTER_PX, _SYMBOL_PX = 6.0, 38
_PHONE_PX = 295
"""The width of a plot on a phone of 390 px, beside its axis."""

KEY_OFFSET_PX, ABOVE_WORDS_PX = 10, 26
"""How far a key is from the plot: the usual way, and where words stand between them."""

_GAP_PX, _MIDDLE = 4, 0.5

_SIDE_BY_SIDE = 22
"""Words of so many letters stand two on a line of a phone, longer ones alone."""


def layered(layers: Iterable[alt.Chart], height_px: int) -> alt.LayerChart:
    """Lay charts over one another, as wide as their place and so many px high over all."""
    chart: alt.LayerChart = alt.LayerChart(layer=list(layers)).properties(width="container", height=height_px)
    return chart


def finished(layers: Iterable[alt.Chart], height_px: int) -> alt.LayerChart:
    """Lay charts over one another as `layered` does and give them the looks of every chart."""
    chart: alt.LayerChart = layered(layers, height_px).configure(**look())
    return chart


def look() -> dict[str, Any]:
    """Return the configuration of every chart: sizes and lines, no colour for words."""
    words: dict[str, Any] = {"labelFontSize": FONT_SIZE, "titleFontSize": FONT_SIZE, "labelLimit": 0, "titleLimit": 0}
    return {
        "background": "transparent",
        "view": alt.ViewConfig(stroke="transparent"),
        "text": alt.MarkConfig(fontSize=FONT_SIZE),
        "axis": alt.AxisConfig(
            **words, gridColor=GRID, domain=False, ticks=False, labelFlush=False, labelPadding=6, titlePadding=8
        ),
        "legend": alt.LegendConfig(**words, padding=0, columnPadding=14, rowPadding=4, labelPadding=6),
    }


def key(
    words: Sequence[str], symbol: str = "stroke", title: str | None = None, offset_px: int = KEY_OFFSET_PX
) -> alt.Legend:
    """Return a key above the plot, with as many words on a line as its width has room for, so far from the plot."""
    columns = f"max(1, min({len(words)}, floor(width / {_word_px(words)})))"
    return alt.Legend(
        orient="top",
        title=title,
        symbolType=symbol,
        symbolSize=200,
        offset=offset_px,
        columns=alt.ExprRef(expr=columns),
    )


def key_px(words: Sequence[str], title: str | None = None, offset_px: int = KEY_OFFSET_PX) -> int:
    """Return the height that such a key takes on a phone."""
    lines = math.ceil(len(words) / max(1, _PHONE_PX // _word_px(words)))
    return _KEY_LINE_PX * (lines + (title is not None)) + offset_px


def class_colours(labels: Sequence[str]) -> list[str]:
    """Return a colour for each class: taxonomy's for those it knows, for others one each that these have not."""
    strange = [label for label in labels if label not in BY_CODE and label not in MALIGNANCY_CLASSES]
    taken = {class_colour(label) for label in labels if label not in strange}
    free = [colour for colour in _OTHERS if colour not in taken] or _OTHERS
    own = {label: free[place % len(free)] for place, label in enumerate(strange)}
    return [own.get(label) or class_colour(label) for label in labels]


def share_x(column: str, title: str, binned: bool = False) -> alt.X:
    """Return an x axis from 0 to 1 with six numbers, which fit on a phone; `binned` is for bars from x to x2."""
    bins: Literal["binned"] | alt.UndefinedType = "binned" if binned else alt.Undefined
    return alt.X(f"{column}:Q", scale=_share_scale(), axis=_share_axis(title), bin=bins)


def share_y(column: str, title: str) -> alt.Y:
    """Return a y axis from 0 to 1 with six numbers."""
    return alt.Y(f"{column}:Q", scale=_share_scale(), axis=_share_axis(title))


def yardstick(frame: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """Return a dashed grey line to measure others by, through the rows of a frame."""
    line: alt.Chart = (
        alt.Chart(frame).mark_line(color=GREY, strokeDash=DASHED, strokeWidth=1.5, tooltip=None).encode(x=x, y=y)
    )
    return line


def chosen_threshold(threshold: float) -> tuple[alt.Chart, alt.Chart]:
    """Return a vertical line at the threshold (0 to 1) that was chosen, and its words above it.

    They need a key with an offset of ABOVE_WORDS_PX.
    """
    base = alt.Chart(pd.DataFrame({"threshold": [threshold]})).encode(x=share_x("threshold", "Threshold"))
    line = base.mark_rule(color=GREY, strokeWidth=2).encode(
        tooltip=alt.Tooltip("threshold:Q", title="Chosen threshold", format=".3f")
    )
    align: Literal["left", "right"] = "right" if threshold > _MIDDLE else "left"
    words = base.mark_text(align=align, baseline="bottom", y=-_GAP_PX, tooltip=None)
    return line, words.encode(text=alt.value(f"chosen: {threshold:.2f}"))


def _word_px(words: Sequence[str]) -> int:
    return math.ceil(_LETTER_PX * max(map(len, words), default=0)) + _SYMBOL_PX


def _share_scale() -> alt.Scale:
    return alt.Scale(domain=[0, 1], nice=False)


def _share_axis(title: str) -> alt.Axis:
    return alt.Axis(title=title, values=[0, 0.2, 0.4, 0.6, 0.8, 1], format="~g")
