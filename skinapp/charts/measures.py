"""What a picture alone tells, by class: brightness, colour, sharpness. Where classes lie apart, a model can cheat."""

import math

import pandas as pd
import plotly.graph_objects as go
from pandas.api.typing import NAType

from skinapp.charts.style import GREY, beside, full_name, or_undefined, quiet, short_name, wrapped
from skinapp.taxonomy import class_colour

LOGARITHMIC = "Sharpness"
"""Its values stretch over four powers of ten."""

UNLABELLED = "Not labelled"

_LEAST = 0.1
"""Where a logarithmic axis ends: a value of 0 has no place on it."""

_ROW_PX, _ROOM_PX = 42, 84
_LINES = (("q05", "q95", 2, 1.0), ("q25", "q75", 18, 0.45))
_MOST_TICKS = 8


def measure_by_class(quantiles: pd.DataFrame, words: str) -> go.Figure:
    """Draw where a measure lies in each class: a line from 5% to 95% of its photos, a bar from 25% to 75%, the median.

    `quantiles` has the columns label (NA for photos without one), photos, q05, q25, q50, q75, q95 and auroc, as
    `datasets.summary.measure_quantiles` returns it, and is drawn in its order. `words` names the measure on the axis;
    that of LOGARITHMIC is logarithmic. On the right stands the AUROC of the measure alone for each class against all
    others: 0.50 tells nothing, near 0 or 1 tells the class without a look at the lesion.
    """
    logarithmic = words == LOGARITHMIC
    shown = quantiles.assign(**quantiles.filter(like="q").clip(lower=_LEAST)) if logarithmic else quantiles
    names = [wrapped(_name(label)) for label in shown["label"]]
    figure = go.Figure()
    for name, (_, row) in zip(names, shown.iterrows(), strict=True):
        _add_class(figure, name, row)
    quiet(figure, _ROW_PX * len(names) + _ROOM_PX)
    beside(figure, names, ["–" if math.isnan(value) else f"{value:.2f}" for value in shown["auroc"]], "AUROC")
    figure.update_xaxes(title=words, **(_logarithmic_axis(shown) if logarithmic else {}))
    figure.update_yaxes(autorange="reversed", type="category", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(showlegend=False, hovermode="closest")


def _name(label: str | NAType) -> str:
    return UNLABELLED if isinstance(label, NAType) else short_name(label)


def _add_class(figure: go.Figure, name: str, row: "pd.Series[float]") -> None:
    colour = GREY if pd.isna(row["label"]) else class_colour(str(row["label"]))
    hover = {"customdata": [_hover(row)] * 2, "hovertemplate": "%{customdata}<extra></extra>"}
    for low, high, width, opacity in _LINES:
        line = {"color": colour, "width": width}
        figure.add_scatter(x=[row[low], row[high]], y=[name] * 2, mode="lines", line=line, opacity=opacity, **hover)
    tick = {"symbol": "line-ns", "size": 13, "line": {"width": 3, "color": colour}}
    figure.add_scatter(x=[row["q50"]], y=[name], mode="markers", marker=tick, **hover)


def _hover(row: "pd.Series[float]") -> str:
    name = UNLABELLED if pd.isna(row["label"]) else full_name(str(row["label"]))
    q05, q25, q50, q75, q95 = (f"{row[quantile]:.3g}" for quantile in ("q05", "q25", "q50", "q75", "q95"))
    return (
        f"{name}<br>{row['photos']:,} photos<br>Median {q50}<br>Half of them {q25} to {q75}<br>"
        f"90% of them {q05} to {q95}<br>AUROC alone {or_undefined(row['auroc'], '.2f')}"
    )


def _logarithmic_axis(quantiles: pd.DataFrame) -> dict[str, object]:
    low, high = quantiles["q05"].min(), quantiles["q95"].max()
    ticks = [step * 10.0**power for power in range(-1, 6) for step in (1, 2, 5) if low <= step * 10.0**power <= high]
    if len(ticks) > _MOST_TICKS:
        ticks = [tick for tick in ticks if math.log10(tick).is_integer()]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:,g}" for tick in ticks]}
