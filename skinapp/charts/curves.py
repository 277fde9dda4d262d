"""ROC and precision-recall curves: a line a class."""

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.style import full_name, or_undefined, short_name
from skinapp.charts.vega import FINGER, class_colours, finished, key, key_px, share_x, share_y, yardstick
from skinapp.taxonomy import MALIGNANT

_PLOT_PX = 350
_HOVERS = 40
"""So many points of each curve answer to a pointer: more would lie closer together than a finger is wide."""

_LOUD_PX, _USUAL_PX = 4.0, 2.0
_FAINT = 0.22

_DASHES = {"bcc": [9, 3], "scc": [3, 3], "df": [9, 3], "vasc": [3, 3]}
"""Classes whose colour is near that of another have dashes."""


@dataclass(frozen=True)
class _Kind:
    """A kind of curve: its columns, what they are called, and what its area is called."""

    x: str
    x_title: str
    y: str
    y_title: str
    area: str

    def axes(self) -> tuple[alt.X, alt.Y]:
        return share_x(self.x, self.x_title), share_y(self.y, self.y_title)


_ROC = _Kind("false_positive_rate", "False positive rate", "sensitivity", "Sensitivity", "AUROC")
_PRECISION_RECALL = _Kind("recall", "Recall", "precision", "Precision", "Average precision")


def roc_chart(curves: pd.DataFrame, chosen: str | None = None) -> alt.LayerChart:
    """Draw sensitivity against the false positive rate, a line a class, with the diagonal that guessing gives.

    `curves` has the columns class, area (AUROC), threshold, false_positive_rate and sensitivity (0 to 1), as
    `evaluation.curves.roc_curves` returns it; points are joined in its order. The area stands in the key. "malignant"
    is drawn thicker; where a class is `chosen`, it is, and all others are faint.
    """
    guessing = pd.DataFrame({_ROC.x: [0, 1], _ROC.y: [0, 1]})
    return _chart(curves, _ROC, chosen, [yardstick(guessing, *_ROC.axes())])


def precision_recall_chart(curves: pd.DataFrame, chosen: str | None = None) -> alt.LayerChart:
    """Draw precision against recall, a line a class.

    `curves` has the columns class, area (average precision), threshold, recall and precision (0 to 1; rows with NaN
    are left out), as `evaluation.curves.precision_recall_curves` returns it; the rest is as in `roc_chart`. There is
    no line for guessing, because it lies at another height for each class: at its share of the photos.
    """
    return _chart(curves, _PRECISION_RECALL, chosen, [])


def _chart(curves: pd.DataFrame, kind: _Kind, chosen: str | None, under: list[alt.Chart]) -> alt.LayerChart:
    first = curves.drop_duplicates("class")
    pairs = zip(first["class"], first["area"], strict=True)
    words = {label: f"{short_name(label)} {or_undefined(area, '.2f')}" for label, area in pairs}
    table = _table(curves, kind, chosen, words)
    return finished(
        [*under, _lines(table, kind, words), _hovers(table, kind)],
        _PLOT_PX + key_px([*words.values()], kind.area),
    )


def _table(curves: pd.DataFrame, kind: _Kind, chosen: str | None, words: dict[str, str]) -> pd.DataFrame:
    """Return the points with what is drawn of them; the loud class comes last and so lies on the others."""
    loud = curves["class"] == (chosen or MALIGNANT)
    table = pd.DataFrame(
        {
            kind.x: curves[kind.x],
            kind.y: curves[kind.y],
            "threshold": curves["threshold"].clip(0, 1),
            "area": curves["area"],
            "line": curves["class"].map(words),
            "name": curves["class"].map(full_name),
            "step": range(len(curves)),
            "width": np.where(loud, _LOUD_PX, _USUAL_PX),
            "strength": np.where(loud | (chosen is None), 1.0, _FAINT),
        }
    )
    return table.iloc[np.argsort(loud, kind="stable")].dropna(subset=[kind.x, kind.y])


def _lines(table: pd.DataFrame, kind: _Kind, words: dict[str, str]) -> alt.Chart:
    x, y = kind.axes()
    shown = list(words.values())
    colours = alt.Scale(domain=shown, range=class_colours(list(words)))
    dashes = alt.Scale(domain=shown, range=[_DASHES.get(label, [1, 0]) for label in words])
    lines: alt.Chart = (
        alt.Chart(table)
        .mark_line(tooltip=None, strokeJoin="round")
        .encode(
            x=x,
            y=y,
            order="step:Q",
            color=alt.Color("line:N", scale=colours, legend=key(shown, title=kind.area)),
            strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=key(shown, title=kind.area)),
            strokeWidth=alt.StrokeWidth("width:O", scale=None, legend=None),
            opacity=alt.Opacity("strength:O", scale=None, legend=None),
        )
    )
    return lines


def _hovers(table: pd.DataFrame, kind: _Kind) -> alt.Chart:
    # Points that are not seen: a line says its first point wherever it is touched.
    by_line = table.groupby("line", sort=False)["step"]
    some = table[by_line.cumcount() * _HOVERS % by_line.transform("size") < _HOVERS]
    x, y = kind.axes()
    points: alt.Chart = (
        alt.Chart(some)
        .mark_point(size=FINGER, opacity=0, filled=True)
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
