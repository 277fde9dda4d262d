"""ROC and precision-recall curves, one line per class."""

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.style import get_full_class_name, get_short_class_name
from skinapp.charts.vega import (
    HOVER_AREA_PX2,
    build_legend,
    build_share_x,
    build_share_y,
    compute_legend_px,
    draw_reference_line,
    finish_chart,
    pick_class_colours,
)
from skinapp.formatting import format_value
from skinapp.taxonomy import MALIGNANT

_PLOT_PX = 350
_HOVER_POINTS = 40
"""Points of each curve with a tooltip: more would lie closer together than a finger is wide."""

_HIGHLIGHT_PX, _USUAL_PX = 4.0, 2.0
_FAINT = 0.22

_DASHES = {"bcc": [9, 3], "scc": [3, 3], "df": [9, 3], "vasc": [3, 3]}
"""Dashes for classes with a colour close to that of another class."""


@dataclass(frozen=True)
class _Kind:
    """A kind of curve: its columns, their titles, and the name of the area under it."""

    x: str
    x_title: str
    y: str
    y_title: str
    area: str

    def build_axes(self) -> tuple[alt.X, alt.Y]:
        return build_share_x(self.x, self.x_title), build_share_y(self.y, self.y_title)


_ROC = _Kind("false_positive_rate", "False positive rate", "sensitivity", "Sensitivity", "AUROC")
_PRECISION_RECALL = _Kind("recall", "Recall", "precision", "Precision", "Average precision")


def draw_roc_curves(curves: pd.DataFrame, highlight: str | None = None) -> alt.LayerChart:
    """Draw sensitivity against the false positive rate, one line per class, with the diagonal of guessing.

    `curves` has the columns class, area (AUROC), threshold, false_positive_rate and sensitivity (0 to 1), as
    `runs.views.curves` returns it; points are joined in its order. The legend shows the areas. "malignant" is drawn
    thicker; with a class to `highlight` that class is thicker and all others are faint.
    """
    guessing = pd.DataFrame({_ROC.x: [0, 1], _ROC.y: [0, 1]})
    return _draw_curves(curves, _ROC, highlight, [draw_reference_line(guessing, *_ROC.build_axes())])


def draw_precision_recall_curves(curves: pd.DataFrame, highlight: str | None = None) -> alt.LayerChart:
    """Draw precision against recall, one line per class.

    `curves` has the columns class, area (average precision), threshold, recall and precision (0 to 1; rows with NaN
    are left out), as `runs.views.curves` returns it; the rest is as in `draw_roc_curves`. Guessing has no line,
    because it differs by class: its precision is the share of the class among the photos.
    """
    return _draw_curves(curves, _PRECISION_RECALL, highlight, [])


def _draw_curves(curves: pd.DataFrame, kind: _Kind, highlight: str | None, under: list[alt.Chart]) -> alt.LayerChart:
    first = curves.drop_duplicates("class")
    pairs = zip(first["class"], first["area"], strict=True)
    line_labels = {
        label: f"{get_short_class_name(label)} {format_value(area, '.2f', 'undefined')}" for label, area in pairs
    }
    table = _build_table(curves, kind, highlight, line_labels)
    return finish_chart(
        [*under, _draw_lines(table, kind, line_labels), _draw_hover_points(table, kind)],
        _PLOT_PX + compute_legend_px([*line_labels.values()], kind.area),
    )


def _build_table(curves: pd.DataFrame, kind: _Kind, highlight: str | None, line_labels: dict[str, str]) -> pd.DataFrame:
    """Return the points with the looks of their lines; the highlighted class is last, so it lies on top."""
    highlighted = curves["class"] == (highlight or MALIGNANT)
    table = pd.DataFrame(
        {
            kind.x: curves[kind.x],
            kind.y: curves[kind.y],
            "threshold": curves["threshold"].clip(0, 1),
            "area": curves["area"],
            "line": curves["class"].map(line_labels),
            "name": curves["class"].map(get_full_class_name),
            "step": range(len(curves)),
            "width": np.where(highlighted, _HIGHLIGHT_PX, _USUAL_PX),
            "strength": np.where(highlighted | (highlight is None), 1.0, _FAINT),
        }
    )
    return table.iloc[np.argsort(highlighted, kind="stable")].dropna(subset=[kind.x, kind.y])


def _draw_lines(table: pd.DataFrame, kind: _Kind, line_labels: dict[str, str]) -> alt.Chart:
    x, y = kind.build_axes()
    labels = list(line_labels.values())
    colours = alt.Scale(domain=labels, range=pick_class_colours(list(line_labels)))
    dashes = alt.Scale(domain=labels, range=[_DASHES.get(label, [1, 0]) for label in line_labels])
    lines: alt.Chart = (
        alt.Chart(table)
        .mark_line(tooltip=None, strokeJoin="round")
        .encode(
            x=x,
            y=y,
            order="step:Q",
            color=alt.Color("line:N", scale=colours, legend=build_legend(labels, title=kind.area)),
            strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=build_legend(labels, title=kind.area)),
            strokeWidth=alt.StrokeWidth("width:O", scale=None, legend=None),
            opacity=alt.Opacity("strength:O", scale=None, legend=None),
        )
    )
    return lines


def _draw_hover_points(table: pd.DataFrame, kind: _Kind) -> alt.Chart:
    # Invisible points: the tooltip of a line always shows its first point.
    by_line = table.groupby("line", sort=False)["step"]
    hover_points = table[by_line.cumcount() * _HOVER_POINTS % by_line.transform("size") < _HOVER_POINTS]
    x, y = kind.build_axes()
    points: alt.Chart = (
        alt.Chart(hover_points)
        .mark_point(size=HOVER_AREA_PX2, opacity=0, filled=True)
        .encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("name:N", title="Class"),
                alt.Tooltip(f"{kind.x}:Q", title=kind.x_title, format=".2f"),
                alt.Tooltip(f"{kind.y}:Q", title=kind.y_title, format=".2f"),
                alt.Tooltip("threshold:Q", title="Threshold", format=".3f"),
                alt.Tooltip("area:Q", title=kind.area, format=".3f"),
            ],
        )
    )
    return points
