"""F1, precision and recall per class, with their intervals."""

import math

import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import GREY, LEGEND_ON_TOP, apply_style, get_full_class_name, get_short_class_name, wrap_text
from skinapp.formatting import format_value
from skinapp.runs.views.subgroups import MIN_LESIONS

_METRICS = {"f1": ("F1", "#2E86DE"), "precision": ("Precision", "#E69F00"), "recall": ("Recall", "#009E73")}
_ROW_PX, _LEGEND_PX = 62, 60


def draw_per_class_bars(per_class: pd.DataFrame) -> go.Figure:
    """Draw F1, precision and recall of each class as bars, the highest F1 first; undefined metrics have no bar.

    `per_class` has the columns class, support, lesions, f1, precision and recall (0 to 1, NaN where undefined), as
    `runs.summary` returns it. With the columns <metric>_low and <metric>_high, as `runs.intervals` adds them, bars have
    whiskers. Classes with fewer than MIN_LESIONS lesions are marked "few".
    """
    ordered = per_class.rename(columns={"class": "label"}).sort_values(
        "f1", ascending=False, na_position="last", kind="stable"
    )
    names = list(map(_format_axis_name, ordered["label"], ordered["lesions"]))
    figure = go.Figure()
    for column, (label, colour) in _METRICS.items():
        figure.add_bar(
            orientation="h",
            name=label,
            x=ordered[column],
            y=names,
            marker={"color": colour},
            error_x=_build_whiskers(ordered, column),
            customdata=_format_hovers(ordered, column),
            hovertemplate="%{customdata}<extra></extra>",
        )
    apply_style(figure, _ROW_PX * len(ordered) + _LEGEND_PX)
    figure.update_xaxes(range=[0, 1.02], tickvals=[0, 0.25, 0.5, 0.75, 1], showgrid=True)
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(bargap=0.25, bargroupgap=0.05, legend=LEGEND_ON_TOP)


def _format_axis_name(label: str, lesions: int) -> str:
    return wrap_text(get_short_class_name(label)) + ("<br>(few)" if lesions < MIN_LESIONS else "")


def _build_whiskers(per_class: pd.DataFrame, column: str) -> dict[str, object] | None:
    if not {f"{column}_low", f"{column}_high"} <= set(per_class.columns):
        return None
    return {
        "symmetric": False,
        "array": per_class[f"{column}_high"] - per_class[column],
        "arrayminus": per_class[column] - per_class[f"{column}_low"],
        "color": GREY,
        "thickness": 1.5,
        "width": 3,
    }


def _format_hovers(per_class: pd.DataFrame, column: str) -> list[str]:
    return [
        f"{get_full_class_name(row['label'])}<br>{_METRICS[column][0]} {format_value(row[column], '.2f', 'undefined')}"
        f"{_format_interval(row, column)}<br>{row['support']:,} photos of {row['lesions']:,} lesions"
        for _, row in per_class.iterrows()
    ]


def _format_interval(row: pd.Series, column: str) -> str:
    low, high = row.get(f"{column}_low", math.nan), row.get(f"{column}_high", math.nan)
    return "" if math.isnan(low) or math.isnan(high) else f"<br>95% interval {low:.2f} to {high:.2f}"
