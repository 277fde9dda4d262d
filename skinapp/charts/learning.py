"""Learning curves: losses and metrics by epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from skinapp.charts.vega import (
    AMBER,
    BLUE,
    DASHED,
    GREEN,
    HOVER_AREA_PX2,
    PINK,
    SOLID,
    build_config,
    build_legend,
    compute_legend_px,
    layer_charts,
)
from skinapp.metrics.labels import get_metric_name

_PLOT_PX = 220
_VALIDATION = "validation"
_LOSS = "loss"
_METRICS = {
    "balanced_accuracy": AMBER,
    "accuracy": BLUE,
    "macro_f1": GREEN,
    "macro_auroc": PINK,
}
"""The endings of column names and their colours; the longer of two that match comes first."""

_PARTS = {"train": ("Training", AMBER), _VALIDATION: ("Validation", BLUE)}
"""The beginnings of column names: the photos that were measured. All others are green."""


@dataclass(frozen=True)
class _Curve:
    """A column of the table with the label, the colour and the dashes of its line."""

    column: str
    label: str
    colour: str
    dash: Sequence[int]


def draw_learning_curves(curves: pd.DataFrame) -> alt.VConcatChart:
    """Draw the losses by epoch and, below, the metrics (0 to 1) by epoch.

    `curves` is the curves.csv of a training: epoch (from 1) and columns <part>_<metric>. The part is train, validation
    or another word; the metric is loss, accuracy, balanced_accuracy, macro_f1 or macro_auroc. Columns with other names
    are ignored. Metrics of parts other than validation are dashed. A panel without lines is left out.

    Both panels are one chart, to be saved as one file. A page shows them one after the other, because Vega cannot fit
    two panels to the width of the page.
    """
    losses, metrics = _list_losses(curves), _list_metrics(curves)
    panels = [
        _draw_panel(curves, lines, title, share)
        for lines, title, share in ((losses, "Loss", False), (metrics, "Metric", True))
        if lines
    ]
    drawn: alt.VConcatChart = alt.vconcat(*panels).configure(**build_config())
    return drawn


def _list_losses(curves: pd.DataFrame) -> list[_Curve]:
    lines = []
    for column in curves.columns:
        part, _, metric = str(column).rpartition("_")
        if metric == _LOSS and part:
            label, colour = _PARTS.get(part, (_name_part(part), GREEN))
            lines.append(_Curve(column, label, colour, SOLID))
    return lines


def _list_metrics(curves: pd.DataFrame) -> list[_Curve]:
    lines = []
    for column in curves.columns:
        metric = next((name for name in _METRICS if str(column).endswith(f"_{name}")), None)
        if metric is None:
            continue
        part = str(column).removesuffix(f"_{metric}")
        label, colour = get_metric_name(metric), _METRICS[metric]
        if part == _VALIDATION:
            lines.append(_Curve(column, label, colour, SOLID))
        else:
            lines.append(_Curve(column, f"{label}, {_name_part(part).lower()}", colour, DASHED))
    return lines


def _name_part(part: str) -> str:
    return _PARTS[part][0] if part in _PARTS else part.replace("_", " ").capitalize()


def _draw_panel(curves: pd.DataFrame, lines: Sequence[_Curve], title: str, share: bool) -> alt.LayerChart:
    labels = [line.label for line in lines]
    table = curves.rename(columns={line.column: line.label for line in lines}).melt("epoch", labels, "line")
    colours, dashes = [line.colour for line in lines], [line.dash for line in lines]
    scale = alt.Scale(domain=_round_to_tenths(table["value"])) if share else alt.Scale(zero=True)
    epochs = alt.Axis(title="Epoch", format="d", tickMinStep=1, tickCount=8, grid=False)
    base = alt.Chart(table.dropna(subset=["value"])).encode(
        x=alt.X("epoch:Q", scale=alt.Scale(zero=False, nice=False, padding=8), axis=epochs),
        y=alt.Y("value:Q", scale=scale, axis=alt.Axis(title=title, tickCount=5, format="~g")),
        color=alt.Color("line:N", scale=alt.Scale(domain=labels, range=colours), legend=build_legend(labels)),
    )
    strokes = base.mark_line(strokeWidth=2.5, tooltip=None, point=alt.OverlayMarkDef(size=30, tooltip=None)).encode(
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=labels, range=dashes), legend=build_legend(labels))
    )
    hovers = base.mark_point(size=HOVER_AREA_PX2, opacity=0, filled=True).encode(
        tooltip=[
            alt.Tooltip("line:N", title=title),
            alt.Tooltip("epoch:Q", title="Epoch", format="d"),
            alt.Tooltip("value:Q", title="Value", format=".3f"),
        ]
    )
    return layer_charts([strokes, hovers], _PLOT_PX + compute_legend_px(labels))


def _round_to_tenths(values: "pd.Series[float]") -> list[float]:
    low, high = math.floor(10 * values.min()) / 10, math.ceil(10 * values.max()) / 10
    return [min(low, 0.9), max(high, low + 0.1)]
