"""What the Altair charts share: transparent background, readable text, no zoom, one colour per class.

As in `style`, no chart sets a colour for text: the theme of the page does.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from skinapp.charts.style import FONT_SIZE, GREY, GRID
from skinapp.taxonomy import BY_CODE, MALIGNANCY_CLASSES, get_class_colour

BLUE, AMBER, GREEN, PINK = "#2E86DE", "#E69F00", "#009E73", "#CC79A7"
"""For anything but classes: distinct with every common colour-vision deficiency, visible on white and on black."""

SOLID, DASHED = [1, 0], [6, 4]

HOVER_AREA_PX2 = 400
"""The area of an invisible point with a tooltip, in square px: large enough for a finger."""

_OTHERS = (BLUE, AMBER, GREEN, PINK, "#56B4E9", "#D55E00", "#7B5EA7", "#8C510A")
"""For classes that are not in the taxonomy, in their order; after the last colour comes the first again."""

_LEGEND_LINE_PX = 21
_LETTER_PX, _SYMBOL_PX = 6.0, 38
_PHONE_PX = 295
"""The width of a plot on a phone of 390 px, beside its axis."""

LEGEND_OFFSET_PX, OFFSET_WITH_LABEL_PX = 10, 26
"""The distance of a legend from the plot: usually, and with a label between them."""

_GAP_PX, _MIDDLE = 4, 0.5


def layer_charts(layers: Iterable[alt.Chart], height_px: int) -> alt.LayerChart:
    """Layer charts, as wide as their container and `height_px` high."""
    chart: alt.LayerChart = alt.LayerChart(layer=list(layers)).properties(width="container", height=height_px)
    return chart


def finish_chart(layers: Iterable[alt.Chart], height_px: int) -> alt.LayerChart:
    """Layer charts as `layer_charts` does and apply the style of every chart."""
    chart: alt.LayerChart = layer_charts(layers, height_px).configure(**build_config())
    return chart


def build_config() -> dict[str, Any]:
    """Return the configuration of every chart: sizes and lines, no colour for text."""
    text: dict[str, Any] = {"labelFontSize": FONT_SIZE, "titleFontSize": FONT_SIZE, "labelLimit": 0, "titleLimit": 0}
    return {
        "background": "transparent",
        "view": alt.ViewConfig(stroke="transparent"),
        "text": alt.MarkConfig(fontSize=FONT_SIZE),
        "axis": alt.AxisConfig(
            **text, gridColor=GRID, domain=False, ticks=False, labelFlush=False, labelPadding=6, titlePadding=8
        ),
        "legend": alt.LegendConfig(**text, padding=0, columnPadding=14, rowPadding=4, labelPadding=6),
    }


def build_legend(
    labels: Sequence[str], symbol: str = "stroke", title: str | None = None, offset_px: int = LEGEND_OFFSET_PX
) -> alt.Legend:
    """Return a legend above the plot, with as many entries per line as the width has room for."""
    columns = f"max(1, min({len(labels)}, floor(width / {_compute_entry_px(labels)})))"
    return alt.Legend(
        orient="top",
        title=title,
        symbolType=symbol,
        symbolSize=200,
        offset=offset_px,
        columns=alt.ExprRef(expr=columns),
    )


def compute_legend_px(labels: Sequence[str], title: str | None = None, offset_px: int = LEGEND_OFFSET_PX) -> int:
    """Return the height of such a legend on a phone."""
    lines = math.ceil(len(labels) / max(1, _PHONE_PX // _compute_entry_px(labels)))
    return _LEGEND_LINE_PX * (lines + (title is not None)) + offset_px


def pick_class_colours(labels: Sequence[str]) -> list[str]:
    """Return a colour for each class: that of the taxonomy, or for an unknown class a colour not yet used."""
    unknown = [label for label in labels if label not in BY_CODE and label not in MALIGNANCY_CLASSES]
    used = {get_class_colour(label) for label in labels if label not in unknown}
    free = [colour for colour in _OTHERS if colour not in used] or _OTHERS
    extra = {label: free[index % len(free)] for index, label in enumerate(unknown)}
    return [extra.get(label) or get_class_colour(label) for label in labels]


def build_share_x(column: str, title: str, binned: bool = False) -> alt.X:
    """Return an x axis from 0 to 1 with six ticks, which fit on a phone; `binned` is for bars from x to x2."""
    bins: Literal["binned"] | alt.UndefinedType = "binned" if binned else alt.Undefined
    return alt.X(f"{column}:Q", scale=_build_share_scale(), axis=_build_share_axis(title), bin=bins)


def build_share_y(column: str, title: str) -> alt.Y:
    """Return a y axis from 0 to 1 with six ticks."""
    return alt.Y(f"{column}:Q", scale=_build_share_scale(), axis=_build_share_axis(title))


def draw_reference_line(frame: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """Draw a dashed grey line through the rows of a frame, for comparison."""
    line: alt.Chart = (
        alt.Chart(frame).mark_line(color=GREY, strokeDash=DASHED, strokeWidth=1.5, tooltip=None).encode(x=x, y=y)
    )
    return line


def draw_chosen_threshold(threshold: float) -> tuple[alt.Chart, alt.Chart]:
    """Draw a vertical line at the chosen threshold (0 to 1) and its label above it.

    The legend needs an offset of OFFSET_WITH_LABEL_PX.
    """
    base = alt.Chart(pd.DataFrame({"threshold": [threshold]})).encode(x=build_share_x("threshold", "Threshold"))
    line = base.mark_rule(color=GREY, strokeWidth=2).encode(
        tooltip=alt.Tooltip("threshold:Q", title="Chosen threshold", format=".3f")
    )
    align: Literal["left", "right"] = "right" if threshold > _MIDDLE else "left"
    label = base.mark_text(align=align, baseline="bottom", y=-_GAP_PX, tooltip=None)
    return line, label.encode(text=alt.value(f"chosen: {threshold:.2f}"))


def _compute_entry_px(labels: Sequence[str]) -> int:
    return math.ceil(_LETTER_PX * max(map(len, labels), default=0)) + _SYMBOL_PX


def _build_share_scale() -> alt.Scale:
    return alt.Scale(domain=[0, 1], nice=False)


def _build_share_axis(title: str) -> alt.Axis:
    return alt.Axis(title=title, values=[0, 0.2, 0.4, 0.6, 0.8, 1], format="~g")
