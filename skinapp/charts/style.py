"""What all charts share: transparent paper, sizes that a phone can show, and numbers in words.

No chart sets a colour for text: the theme of the page that shows it knows whether the ground is light or dark.
"""

import math
import textwrap

import plotly.graph_objects as go

from skinapp.taxonomy import BY_CODE, class_name

TRANSPARENT = "rgba(0,0,0,0)"
GREY = "#8A8D93"
"""For what is grouped together or of no class: as far from white as from black."""

GRID = "rgba(138,141,147,0.3)"
FONT_SIZE = 13
"""Pixels; nothing in a chart is smaller."""

LEGEND_ON_TOP = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1,
    "yanchor": "bottom",
    "traceorder": "normal",
    "font": {"size": FONT_SIZE},
}


def quiet(figure: go.Figure, height_px: int) -> go.Figure:
    """Give a figure what every chart has: its height, no ground of its own, narrow margins, fixed axes."""
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


def percent(score: float) -> str:
    """Write a model's score (0 to 1) in whole percent, but never claim a certainty: "<1%" and ">99%" at the ends."""
    if score < 0.01:
        return "<1%"
    return ">99%" if score > 0.99 else f"{score:.0%}"


def counted(count: float, total: float) -> str:
    """Write a count and its share of a total: "6,705 · 67%", with 0% and 100% for none and all alone."""
    share = count / total if total else 0.0
    text = f"{share:.0%}"
    if 0 < share < 1:
        text = {"0%": "<1%", "100%": ">99%"}.get(text, text)
    return f"{count:,} · {text}"


def or_undefined(value: float, spec: str) -> str:
    """Write a figure in a format of Python's, or "undefined" for NaN."""
    return "undefined" if math.isnan(value) else format(value, spec)


def short_name(label: str) -> str:
    """Return the name that fits beside a bar: a diagnosis's short name, else its name in words."""
    return BY_CODE[label].short_name if label in BY_CODE else class_name(label)


def wrapped(text: str, width: int = 14) -> str:
    """Break a text into lines of about `width` characters, for labels on a phone."""
    return "<br>".join(textwrap.wrap(text, width, break_long_words=False))


def full_name(label: str) -> str:
    """Return the name in words with the code in brackets, as hovers show it: "Melanoma (mel)"."""
    return f"{class_name(label)} ({label})" if label in BY_CODE else class_name(label)
