"""How a training went: losses and figures by epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from skinapp.charts.vega import AMBER, BLUE, DASHED, FINGER, GREEN, PINK, SOLID, key, key_px, layered, look

_PLOT_PX = 220
_VALIDATION = "validation"
_LOSS = "loss"
_FIGURES = {
    "balanced_accuracy": ("Balanced accuracy", AMBER),
    "accuracy": ("Accuracy", BLUE),
    "macro_f1": ("Macro F1", GREEN),
    "macro_auroc": ("Macro AUROC", PINK),
}
"""A column's name ends with one of these; the longer of two that fit comes first."""

_PARTS = {"train": ("Training", AMBER), _VALIDATION: ("Validation", BLUE)}
"""A column's name begins with the photos that were measured; others than these are green."""


@dataclass(frozen=True)
class _Curve:
    """A column of the table with the words, the colour and the dashes of its line."""

    column: str
    words: str
    colour: str
    dash: Sequence[int]


def learning_curves(curves: pd.DataFrame) -> alt.VConcatChart:
    """Draw losses by epoch and, below, the figures (0 to 1) by epoch.

    `curves` is a training's curves.csv: epoch (from 1), and columns <part>_<figure>, part being train, validation or
    another word and figure loss, accuracy, balanced_accuracy, macro_f1 or macro_auroc. Columns that are not there are
    not drawn, nor are those of other names. Figures of other parts than validation are dashed. A panel without a
    column is left out.

    The two are one chart for a file; a page shows one after the other, because Vega fits no two to a width.
    """
    losses, figures = _losses(curves), _figures(curves)
    panels = [
        _panel(curves, found, title, share)
        for found, title, share in ((losses, "Loss", False), (figures, "Figure", True))
        if found
    ]
    drawn: alt.VConcatChart = alt.vconcat(*panels).configure(**look())
    return drawn


def _losses(curves: pd.DataFrame) -> list[_Curve]:
    found = []
    for column in curves.columns:
        part, _, figure = str(column).rpartition("_")
        if figure == _LOSS and part:
            words, colour = _PARTS.get(part, (_in_words(part), GREEN))
            found.append(_Curve(column, words, colour, SOLID))
    return found


def _figures(curves: pd.DataFrame) -> list[_Curve]:
    found = []
    for column in curves.columns:
        ending = next((name for name in _FIGURES if str(column).endswith(f"_{name}")), None)
        if ending:
            part = str(column).removesuffix(f"_{ending}")
            words, colour = _FIGURES[ending]
            own = part == _VALIDATION
            found.append(
                _Curve(
                    column, words if own else f"{words}, {_in_words(part).lower()}", colour, SOLID if own else DASHED
                )
            )
    return found


def _in_words(part: str) -> str:
    return _PARTS[part][0] if part in _PARTS else part.replace("_", " ").capitalize()


def _panel(curves: pd.DataFrame, lines: Sequence[_Curve], title: str, share: bool) -> alt.LayerChart:
    words = [line.words for line in lines]
    table = curves.rename(columns={line.column: line.words for line in lines}).melt("epoch", words, "line")
    colours, dashes = [line.colour for line in lines], [line.dash for line in lines]
    scale = alt.Scale(domain=_tenths(table["value"])) if share else alt.Scale(zero=True)
    epochs = alt.Axis(title="Epoch", format="d", tickMinStep=1, tickCount=8, grid=False)
    base = alt.Chart(table.dropna(subset=["value"])).encode(
        x=alt.X("epoch:Q", scale=alt.Scale(zero=False, nice=False, padding=8), axis=epochs),
        y=alt.Y("value:Q", scale=scale, axis=alt.Axis(title=title, tickCount=5, format="~g")),
        color=alt.Color("line:N", scale=alt.Scale(domain=words, range=colours), legend=key(words)),
    )
    strokes = base.mark_line(strokeWidth=2.5, tooltip=None, point=alt.OverlayMarkDef(size=30, tooltip=None)).encode(
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=words, range=dashes), legend=key(words))
    )
    hovers = base.mark_point(size=FINGER, opacity=0, filled=True).encode(
        tooltip=[
            alt.Tooltip("line:N", title=title),
            alt.Tooltip("epoch:Q", title="Epoch", format="d"),
            alt.Tooltip("value:Q", title="Value", format=".3f"),
        ]
    )
    return layered([strokes, hovers], _PLOT_PX + key_px(words))


def _tenths(values: "pd.Series[float]") -> list[float]:
    low, high = math.floor(10 * values.min()) / 10, math.ceil(10 * values.max()) / 10
    return [min(low, 0.9), max(high, low + 0.1)]
