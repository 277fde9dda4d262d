"""What all charts share: transparent background, sizes for a phone, and formats of numbers.

No chart sets a colour for text: the theme of the page decides between light and dark.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from skinapp.taxonomy import BY_CODE, get_class_name

TRANSPARENT = "rgba(0,0,0,0)"
GREY = "#8A8D93"
"""For groups of classes and for no class: as far from white as from black."""

GRID = "rgba(138,141,147,0.3)"
_COLUMN_PX = 54
"""The width of the text column on the right of a plot: seven digits."""

_LINE_PX, _LETTER_PX = 18, 7.2
_LINE_LETTERS, _MARKER_LETTERS = 42, 5
"""Letters on a line of a phone, and the width of a coloured square in letters."""

FONT_SIZE = 13
"""Pixels; nothing in a chart is smaller."""

SPLIT_COLOURS = {"train": "#2E86DE", "validation": "#E69F00", "test": "#009E73", "showcase": GREY}
"""The colour of each split; any other split is grey."""

LEGEND_ON_TOP = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1,
    "yanchor": "bottom",
    "traceorder": "normal",
    "font": {"size": FONT_SIZE},
}


def apply_style(figure: go.Figure, height_px: int) -> go.Figure:
    """Apply the style of every chart: height, transparent background, narrow margins, fixed axes."""
    figure.update_layout(
        height=height_px,
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        margin={"l": 4, "r": 4, "t": 8, "b": 8},
        font={"size": FONT_SIZE},
        hoverlabel={"font": {"size": FONT_SIZE}},
        dragmode=False,
    )
    # A finger that scrolls the page must not zoom the chart.
    figure.update_xaxes(fixedrange=True, gridcolor=GRID, zeroline=False, tickfont={"size": FONT_SIZE})
    figure.update_yaxes(fixedrange=True, gridcolor=GRID, zeroline=False, tickfont={"size": FONT_SIZE})
    return figure


def add_text_column(figure: go.Figure, names: Sequence[str], texts: Sequence[str], title: str) -> go.Figure:
    """Add a column on the right of the plot: one text per row, a title below; `names` are the rows of the y axis."""
    position = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "xshift": _COLUMN_PX,
        "showarrow": False,
        "font": {"size": FONT_SIZE},
    }
    for name, text in zip(names, texts, strict=True):
        figure.add_annotation(text=text, yref="y", y=name, **position)
    figure.add_annotation(text=title, yref="paper", y=0, yanchor="top", **position)
    return figure.update_layout(margin_r=_COLUMN_PX + 4, margin_b=_LINE_PX + 6)


def add_legend(figure: go.Figure, names: Sequence[str], colours: Mapping[str, str]) -> go.Figure:
    """Add a legend above the plot, as wide as the figure, and increase the height by its lines.

    `names` are the rows of the y axis, `colours` the colour of each word. Plotly's own legend is only as wide as the
    plot: on a phone that is one entry per line.
    """
    left = math.ceil(_LETTER_PX * max((len(line) for name in names for line in name.split("<br>")), default=0)) + 14
    lines: list[list[str]] = [[]]
    for word in colours:
        if len("".join([*lines[-1], word])) + _MARKER_LETTERS * len(lines[-1]) > _LINE_LETTERS:
            lines.append([])
        lines[-1].append(word)
    texts = ["   ".join(f"<span style='color:{colours[word]}'>■</span> {word}" for word in line) for line in lines]
    height = _LINE_PX * len(lines) + 8
    figure.add_annotation(
        text="<br>".join(texts),
        font={"size": FONT_SIZE},
        align="left",
        xref="paper",
        x=0,
        xanchor="left",
        xshift=-left,
        yref="paper",
        y=1,
        yanchor="bottom",
        yshift=4,
        showarrow=False,
    )
    top = figure.layout.margin.t
    return figure.update_layout(margin={"l": left + 4, "t": top + height}, height=figure.layout.height + height)


def get_short_class_name(label: str) -> str:
    """Return a name that fits beside a bar: the short name of a diagnosis, otherwise the full name."""
    return BY_CODE[label].short_name if label in BY_CODE else get_class_name(label)


def wrap_text(text: str, width: int = 14) -> str:
    """Break a text into lines of about `width` characters, for labels on a phone."""
    return "<br>".join(textwrap.wrap(text, width, break_long_words=False))


def get_full_class_name(label: str) -> str:
    """Return the full name with the code in brackets, for tooltips: "Melanoma (mel)"."""
    return f"{get_class_name(label)} ({label})" if label in BY_CODE else get_class_name(label)
