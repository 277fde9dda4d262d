"""Measures of the picture by class: brightness, colour, sharpness. A model can cheat where classes differ in them."""

import math

import pandas as pd
import plotly.graph_objects as go
from pandas.api.typing import NAType

from skinapp.charts.style import (
    GREY,
    add_text_column,
    apply_style,
    get_full_class_name,
    get_short_class_name,
    wrap_text,
)
from skinapp.formatting import format_value
from skinapp.taxonomy import get_class_colour

LOGARITHMIC = "Sharpness"
"""The name of the measure with a logarithmic axis: its values cover four powers of ten."""

UNLABELLED = "Not labelled"

_MIN = 0.1
"""The lower end of a logarithmic axis, which cannot show 0."""

_ROW_PX, _ROOM_PX = 42, 84
_LINES = (("q05", "q95", 2, 1.0), ("q25", "q75", 18, 0.45))
_MOST_TICKS = 8


def draw_measure_by_class(quantiles: pd.DataFrame, name: str) -> go.Figure:
    """Draw a measure in each class: a line from the 5% to the 95% quantile, a bar from 25% to 75%, the median.

    `quantiles` has the columns label (NA for photos without one), photos, q05, q25, q50, q75, q95 and auroc, as
    `datasets.summary` returns it; its order is kept. `name` is the title of the axis; the axis of LOGARITHMIC is
    logarithmic. The column on the right is the one-vs-rest AUROC of the measure alone: 0.50 says nothing about the
    class, near 0 or 1 gives it away without the lesion.
    """
    logarithmic = name == LOGARITHMIC
    shown = quantiles.assign(**quantiles.filter(like="q").clip(lower=_MIN)) if logarithmic else quantiles
    classes = [wrap_text(_name_label(label)) for label in shown["label"]]
    figure = go.Figure()
    for axis_name, (_, row) in zip(classes, shown.iterrows(), strict=True):
        _add_class(figure, axis_name, row)
    apply_style(figure, _ROW_PX * len(classes) + _ROOM_PX)
    add_text_column(
        figure, classes, ["–" if math.isnan(value) else f"{value:.2f}" for value in shown["auroc"]], "AUROC"
    )
    figure.update_xaxes(title=name, **(_build_logarithmic_axis(shown) if logarithmic else {}))
    figure.update_yaxes(autorange="reversed", type="category", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(showlegend=False, hovermode="closest")


def _name_label(label: str | NAType) -> str:
    return UNLABELLED if isinstance(label, NAType) else get_short_class_name(label)


def _add_class(figure: go.Figure, name: str, row: "pd.Series[float]") -> None:
    colour = GREY if pd.isna(row["label"]) else get_class_colour(str(row["label"]))
    hover = {"customdata": [_format_hover(row)] * 2, "hovertemplate": "%{customdata}<extra></extra>"}
    for low, high, width, opacity in _LINES:
        line = {"color": colour, "width": width}
        figure.add_scatter(x=[row[low], row[high]], y=[name] * 2, mode="lines", line=line, opacity=opacity, **hover)
    tick = {"symbol": "line-ns", "size": 13, "line": {"width": 3, "color": colour}}
    figure.add_scatter(x=[row["q50"]], y=[name], mode="markers", marker=tick, **hover)


def _format_hover(row: "pd.Series[float]") -> str:
    name = UNLABELLED if pd.isna(row["label"]) else get_full_class_name(str(row["label"]))
    q05, q25, q50, q75, q95 = (f"{row[quantile]:.3g}" for quantile in ("q05", "q25", "q50", "q75", "q95"))
    return (
        f"{name}<br>{row['photos']:,} photos<br>Median {q50}<br>Middle 50%: {q25} to {q75}<br>"
        f"Middle 90%: {q05} to {q95}<br>AUROC alone {format_value(row['auroc'], '.2f', 'undefined')}"
    )


def _build_logarithmic_axis(quantiles: pd.DataFrame) -> dict[str, object]:
    low, high = quantiles["q05"].min(), quantiles["q95"].max()
    ticks = [step * 10.0**power for power in range(-1, 6) for step in (1, 2, 5) if low <= step * 10.0**power <= high]
    if len(ticks) > _MOST_TICKS:
        ticks = [tick for tick in ticks if math.log10(tick).is_integer()]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:,g}" for tick in ticks]}
