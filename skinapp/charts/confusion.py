"""The confusion matrix."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import FONT_SIZE, GREY, apply_style, get_full_class_name, get_short_class_name, wrap_text
from skinapp.formatting import format_value

_Floats = npt.NDArray[np.float64]
Normalise = Literal["counts", "row", "column"]

_CELL_PX, _AXIS_TITLE_PX, _NAMES_PX = 40, 70, 150
_HORIZONTAL = 4
"""With more classes than this their names are turned by 90 degrees, or they would not fit on a phone."""

_CELL_POINT_PX, _FRAME_PX = 24, 30
_FRAME = "#E69F00"
_ALL = "Total"
_THOUSANDS = 10_000
"""From here on counts are written in thousands: five digits are wider than a cell on a phone."""

_HALF = 0.5
_SCALE = (
    (0.0, "rgba(46,134,222,0.05)"),
    (_HALF, "rgba(46,134,222,0.32)"),
    (_HALF, "rgb(42,116,196)"),
    (1.0, "rgb(26,95,176)"),
)
"""Cells below one half are transparent and their text has the theme's colour, so that both suit any background. Cells
from one half on are opaque: white text on them has a contrast of at least 4.5 to 1."""


def draw_confusion_heatmap(confusion: pd.DataFrame, normalise: Normalise = "counts") -> go.Figure:
    """Draw the confusion matrix: the truth in rows, the prediction in columns.

    `confusion` counts photos, truth in rows, prediction in columns, as `runs.summary.count_confusion` returns it. Cells
    show "counts", percent of each truth ("row", with the recall on the diagonal) or percent of each prediction
    ("column", with the precision on the diagonal). The colour is always a share (for counts the share of the truth), so
    that rare classes can be read beside common ones. Cells without photos have no text. Counts have a row and a column
    "Total".

    Each cell has an invisible point, for pages where a cell can be clicked: its customdata is the label of the truth
    and the label of the prediction. A selected cell gets a frame.
    """
    counts = confusion.to_numpy(dtype=float)
    row_shares, column_shares = _shares(counts, axis=1), _shares(counts, axis=0)
    shares = column_shares if normalise == "column" else row_shares
    x = [get_short_class_name(str(label)) for label in confusion.columns]
    y = [wrap_text(get_short_class_name(str(label))) for label in confusion.index]
    heatmap = go.Heatmap(
        x=x,
        y=y,
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=_SCALE,
        showscale=False,
        xgap=1,
        ygap=1,
        hoverinfo="skip",
    )
    points = _cell_points(confusion, x, y, row_shares, column_shares)
    traces = [heatmap, *_cell_texts(x, y, counts, shares, normalise), points]
    if normalise == "counts":
        traces.append(_total_texts(confusion, x, y))
        x, y = [*x, _ALL], [*y, _ALL]
    turned = len(x) > _HORIZONTAL
    height = _CELL_PX * len(y) + _AXIS_TITLE_PX + _NAMES_PX * turned
    figure = apply_style(go.Figure(traces), height)
    # Hovering finds the cell under the pointer, however wide the cells are.
    figure.update_layout(hoverdistance=-1, showlegend=False)
    # One title for both axes: a second one would take a tenth of a phone's width.
    figure.update_xaxes(title="Rows: truth. Columns: prediction", showgrid=False, tickangle=-90 * turned)
    # Without a range the axis would leave room at its ends for the points.
    figure.update_xaxes(categoryorder="array", categoryarray=x, range=[-0.5, len(x) - 0.5])
    return figure.update_yaxes(
        range=[len(y) - 0.5, -0.5], showgrid=False, ticklabelstandoff=4, categoryorder="array", categoryarray=y
    )


def _shares(counts: _Floats, axis: int) -> _Floats:
    whole = counts.sum(axis=axis, keepdims=True)
    shares: _Floats = np.full(counts.shape, np.nan)
    np.divide(counts, whole, out=shares, where=whole > 0)
    return shares


def _cell_texts(
    x: list[str], y: list[str], counts: _Floats, shares: _Floats, normalise: Normalise
) -> tuple[go.Scatter, go.Scatter]:
    # Separate traces: the heatmap would choose black or white text as if the page were white.
    values = counts if normalise == "counts" else 100 * shares
    opaque = shares >= _HALF

    def draw_texts(where: npt.NDArray[np.bool_], font: dict[str, object]) -> go.Scatter:
        rows, columns = np.nonzero((counts > 0) & where)
        return go.Scatter(
            x=[x[column] for column in columns],
            y=[y[row] for row in rows],
            text=[_format_cell(value, normalise) for value in values[rows, columns]],
            mode="text",
            textfont={"size": FONT_SIZE, **font},
            hoverinfo="skip",
            # Plotly fades unselected texts when a cell is selected, unless selected texts have a colour.
            selected={"textfont": {"color": GREY}},
        )

    return draw_texts(~opaque, {}), draw_texts(opaque, {"color": "white"})


def _format_cell(value: float, normalise: Normalise) -> str:
    if normalise == "counts":
        return f"{value:.0f}" if value < _THOUSANDS else f"{value / 1000:.0f}k"
    return "<1" if value < 1 else f"{value:.0f}"


def _cell_points(
    confusion: pd.DataFrame, x: list[str], y: list[str], row_shares: _Floats, column_shares: _Floats
) -> go.Scatter:
    positions = [(row, column) for row in range(len(y)) for column in range(len(x))]
    return go.Scatter(
        x=[x[column] for _, column in positions],
        y=[y[row] for row, _ in positions],
        mode="markers",
        marker={"symbol": "square-open", "size": _CELL_POINT_PX, "opacity": 0, "color": _FRAME, "line": {"width": 3}},
        selected={"marker": {"opacity": 1, "size": _FRAME_PX}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[str(confusion.index[row]), str(confusion.columns[column])] for row, column in positions],
        hovertext=[_format_hover(confusion, row_shares, column_shares, *position) for position in positions],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _total_texts(confusion: pd.DataFrame, x: list[str], y: list[str]) -> go.Scatter:
    whole = int(confusion.to_numpy().sum())
    sums = [*confusion.sum(axis=1), *confusion.sum(axis=0), whole]
    names = [
        *(get_full_class_name(str(truth)) for truth in confusion.index),
        *(f"Predicted as {get_full_class_name(str(prediction))}" for prediction in confusion.columns),
        _ALL,
    ]
    return go.Scatter(
        x=[*[_ALL] * len(y), *x, _ALL],
        y=[*y, *[_ALL] * len(x), _ALL],
        text=[_format_cell(float(count), "counts") for count in sums],
        mode="text",
        textfont={"size": FONT_SIZE},
        selected={"textfont": {"color": GREY}},
        hovertext=[f"{name}:<br>{count:,} photos" for name, count in zip(names, sums, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _format_hover(confusion: pd.DataFrame, row_shares: _Floats, column_shares: _Floats, row: int, column: int) -> str:
    truth, prediction = str(confusion.index[row]), str(confusion.columns[column])
    return (
        f"{get_full_class_name(truth)}<br>predicted as {get_full_class_name(prediction)}:<br>"
        f"{int(confusion.to_numpy()[row, column]):,} photos<br>"
        f"{format_value(row_shares[row, column], '.1%', 'undefined')} of the true class<br>"
        f"{format_value(column_shares[row, column], '.1%', 'undefined')} of the predicted class"
    )
