"""What was taken for what: the confusion matrix."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import BLUE_FAINT, BLUE_FULL, FONT_SIZE, full_name, quiet, short_name, wrapped

_Floats = npt.NDArray[np.float64]
Normalise = Literal["counts", "row", "column"]

_CELL_PX, _NAMES_PX = 40, 130


def confusion_heatmap(confusion: pd.DataFrame, normalise: Normalise = "counts") -> go.Figure:
    """Draw the confusion matrix: truth downwards, prediction to the right.

    `confusion` counts photos, truth in rows, prediction in columns, as `evaluation.figures.confusion_frame`
    returns it. Cells show "counts", or percent of each truth ("row": the diagonal is the recall) or of each
    prediction ("column": the diagonal is the precision). The colour is always a share, of the truth for counts,
    so that rare classes show beside common ones. Empty cells stay empty.
    """
    counts = confusion.to_numpy(dtype=float)
    of_truth, of_prediction = _shares(counts, axis=1), _shares(counts, axis=0)
    shares = of_prediction if normalise == "column" else of_truth
    x = [wrapped(short_name(str(label))) for label in confusion.columns]
    y = [wrapped(short_name(str(label))) for label in confusion.index]
    heatmap = go.Heatmap(
        x=x,
        y=y,
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=((0, BLUE_FAINT), (1, BLUE_FULL)),
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=_hovers(confusion, of_truth, of_prediction),
        hovertemplate="%{customdata}<extra></extra>",
    )
    texts = _texts(x, y, counts, shares, normalise)
    figure = quiet(go.Figure([heatmap, texts]), _CELL_PX * len(y) + _NAMES_PX)
    figure.update_xaxes(title="Prediction", tickangle=-90, showgrid=False)
    return figure.update_yaxes(title="Truth", autorange="reversed", showgrid=False)


def _shares(counts: _Floats, axis: int) -> _Floats:
    whole = counts.sum(axis=axis, keepdims=True)
    shares: _Floats = np.full(counts.shape, np.nan)
    np.divide(counts, whole, out=shares, where=whole > 0)
    return shares


def _texts(x: list[str], y: list[str], counts: _Floats, shares: _Floats, normalise: Normalise) -> go.Scatter:
    # A trace of its own, for the heatmap would pick black or white by the cell as if it lay on white paper.
    rows, columns = np.nonzero(counts)
    values = counts if normalise == "counts" else 100 * shares
    return go.Scatter(
        x=[x[column] for column in columns],
        y=[y[row] for row in rows],
        text=[_cell_text(values[row, column], normalise) for row, column in zip(rows, columns, strict=True)],
        mode="text",
        textfont={"size": FONT_SIZE},
        hoverinfo="skip",
        showlegend=False,
    )


def _cell_text(value: float, normalise: Normalise) -> str:
    if normalise == "counts":
        return f"{value:.0f}"
    return "<1" if value < 1 else f"{value:.0f}"


def _hovers(confusion: pd.DataFrame, of_truth: _Floats, of_prediction: _Floats) -> list[list[str]]:
    return [
        [
            f"{full_name(str(truth))}<br>taken for {full_name(str(prediction))}:<br>"
            f"{confusion.loc[truth, prediction]:,} photos<br>"
            f"{of_truth[row, column]:.1%} of this truth<br>{of_prediction[row, column]:.1%} of this prediction"
            for column, prediction in enumerate(confusion.columns)
        ]
        for row, truth in enumerate(confusion.index)
    ]
