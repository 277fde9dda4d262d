"""What was taken for what: the confusion matrix."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import FONT_SIZE, GREY, full_name, or_undefined, quiet, short_name, wrapped

_Floats = npt.NDArray[np.float64]
Normalise = Literal["counts", "row", "column"]

_CELL_PX, _AXIS_TITLE_PX, _NAMES_PX = 40, 70, 150
_UPRIGHT = 4
"""Up to so many classes their names fit under the columns of a phone; more stand on end."""

_CELL_POINT_PX, _FRAME_PX = 24, 30
_FRAME = "#E69F00"
_ALL = "All together"
_THOUSANDS = 10_000
"""From here on a count is written in thousands: five figures are wider than a cell on a phone."""

_HALF = 0.5
_SCALE = (
    (0.0, "rgba(46,134,222,0.05)"),
    (_HALF, "rgba(46,134,222,0.32)"),
    (_HALF, "rgb(42,116,196)"),
    (1.0, "rgb(26,95,176)"),
)
"""Below half a cell is see-through and its text has the theme's colour, so that both suit any ground. From half
on it is opaque, so that white text on it has a contrast of 4.5 to 1 or more whatever lies beneath."""


def confusion_heatmap(confusion: pd.DataFrame, normalise: Normalise = "counts") -> go.Figure:
    """Draw the confusion matrix: truth downwards, prediction to the right.

    `confusion` counts photos, truth in rows, prediction in columns, as `evaluation.figures.confusion_frame`
    returns it. Cells show "counts", or percent of each truth ("row": the diagonal is the recall) or of each
    prediction ("column": the diagonal is the precision). The colour is always a share, of the truth for counts,
    so that rare classes show beside common ones. Empty cells stay empty. Counts have their sums in a row and a column
    of their own, "All together".

    Each cell has a point that is not seen, for pages that let cells be clicked: its customdata is the label of the
    truth and that of the prediction. A chosen cell gets a frame.
    """
    counts = confusion.to_numpy(dtype=float)
    of_truth, of_prediction = _shares(counts, axis=1), _shares(counts, axis=0)
    shares = of_prediction if normalise == "column" else of_truth
    x = [short_name(str(label)) for label in confusion.columns]
    y = [wrapped(short_name(str(label))) for label in confusion.index]
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
    traces = [heatmap, *_texts(x, y, counts, shares, normalise), _cells(confusion, x, y, of_truth, of_prediction)]
    if normalise == "counts":
        traces.append(_totals(confusion, x, y))
        x, y = [*x, _ALL], [*y, _ALL]
    on_end = len(x) > _UPRIGHT
    height = _CELL_PX * len(y) + _AXIS_TITLE_PX + _NAMES_PX * on_end
    figure = quiet(go.Figure(traces), height)
    # A pointer finds the cell that it is in, however wide: the middle of another is farther away.
    figure.update_layout(hoverdistance=-1, showlegend=False)
    # One title for both axes: a second one beside the names would take a tenth of a phone's width.
    figure.update_xaxes(title="Rows: truth. Columns: prediction", showgrid=False, tickangle=-90 * on_end)
    # Ranges of their own: for points an axis leaves room at its ends.
    figure.update_xaxes(categoryorder="array", categoryarray=x, range=[-0.5, len(x) - 0.5])
    return figure.update_yaxes(
        range=[len(y) - 0.5, -0.5], showgrid=False, ticklabelstandoff=4, categoryorder="array", categoryarray=y
    )


def _shares(counts: _Floats, axis: int) -> _Floats:
    whole = counts.sum(axis=axis, keepdims=True)
    shares: _Floats = np.full(counts.shape, np.nan)
    np.divide(counts, whole, out=shares, where=whole > 0)
    return shares


def _texts(
    x: list[str], y: list[str], counts: _Floats, shares: _Floats, normalise: Normalise
) -> tuple[go.Scatter, go.Scatter]:
    # Traces of their own: the heatmap would choose black or white as if its cells lay on white paper.
    values = counts if normalise == "counts" else 100 * shares
    full = shares >= _HALF

    def text(where: npt.NDArray[np.bool_], font: dict[str, object]) -> go.Scatter:
        rows, columns = np.nonzero((counts > 0) & where)
        return go.Scatter(
            x=[x[column] for column in columns],
            y=[y[row] for row in rows],
            text=[_cell_text(value, normalise) for value in values[rows, columns]],
            mode="text",
            textfont={"size": FONT_SIZE, **font},
            hoverinfo="skip",
            # With a colour for chosen texts, which nobody can choose, the others do not fade when a cell is chosen.
            selected={"textfont": {"color": GREY}},
        )

    return text(~full, {}), text(full, {"color": "white"})


def _cell_text(value: float, normalise: Normalise) -> str:
    if normalise == "counts":
        return f"{value:.0f}" if value < _THOUSANDS else f"{value / 1000:.0f}k"
    return "<1" if value < 1 else f"{value:.0f}"


def _cells(
    confusion: pd.DataFrame, x: list[str], y: list[str], of_truth: _Floats, of_prediction: _Floats
) -> go.Scatter:
    places = [(row, column) for row in range(len(y)) for column in range(len(x))]
    return go.Scatter(
        x=[x[column] for _, column in places],
        y=[y[row] for row, _ in places],
        mode="markers",
        marker={"symbol": "square-open", "size": _CELL_POINT_PX, "opacity": 0, "color": _FRAME, "line": {"width": 3}},
        selected={"marker": {"opacity": 1, "size": _FRAME_PX}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[str(confusion.index[row]), str(confusion.columns[column])] for row, column in places],
        hovertext=[_hover(confusion, of_truth, of_prediction, *place) for place in places],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _totals(confusion: pd.DataFrame, x: list[str], y: list[str]) -> go.Scatter:
    of_truth, of_prediction, whole = confusion.sum(axis=1), confusion.sum(axis=0), int(confusion.to_numpy().sum())
    sums = [*of_truth, *of_prediction, whole]
    words = [
        *(full_name(str(truth)) for truth in confusion.index),
        *(f"Taken for {full_name(str(prediction))}" for prediction in confusion.columns),
        _ALL,
    ]
    return go.Scatter(
        x=[*[_ALL] * len(y), *x, _ALL],
        y=[*y, *[_ALL] * len(x), _ALL],
        text=[_cell_text(float(count), "counts") for count in sums],
        mode="text",
        textfont={"size": FONT_SIZE},
        selected={"textfont": {"color": GREY}},
        hovertext=[f"{word}:<br>{count:,} photos" for word, count in zip(words, sums, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _hover(confusion: pd.DataFrame, of_truth: _Floats, of_prediction: _Floats, row: int, column: int) -> str:
    return (
        f"{full_name(str(confusion.index[row]))}<br>taken for {full_name(str(confusion.columns[column]))}:<br>"
        f"{int(confusion.to_numpy()[row, column]):,} photos<br>"
        f"{or_undefined(of_truth[row, column], '.1%')} of this truth<br>"
        f"{or_undefined(of_prediction[row, column], '.1%')} of this prediction"
    )
