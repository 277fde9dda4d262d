"""How far the answer differs between photos of one lesion."""

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.style import get_full_class_name
from skinapp.charts.vega import AMBER, BLUE, build_legend, build_share_x, compute_legend_px, finish_chart

MOST_LESIONS = 100
"""Up to this number each lesion gets a line; more lesions are counted in bins."""

_BINS = 20
_PLOT_PX = 280
_SAME, _DIFFERENT = "Same answer", "Different answers"
_ANSWERS = {_SAME: BLUE, _DIFFERENT: AMBER}
_ENDS = ("malignant_low", "malignant_high")


def draw_repeats(lesions: pd.DataFrame) -> alt.LayerChart:
    """Draw the range of the malignant score within each lesion that has several photos.

    `lesions` has the columns lesion_id, truth, photos, answers (the number of different ones), malignant_low,
    malignant_high and malignant_range (0 to 1), as `runs.views.repeats` returns it. Up to MOST_LESIONS lesions have a
    line each, from the lowest to the highest score, the smallest range first; more are counted by their range, in bins
    of 0.05. The colour says whether the answer was the same. If the range is NaN, because no class is malignant,
    lesions are counted by their number of different answers.
    """
    table = lesions.assign(
        answer=np.where(lesions["answers"] > 1, _DIFFERENT, _SAME), name=lesions["truth"].map(get_full_class_name)
    )
    scored = table.dropna(subset=["malignant_range"])
    draw = _draw_by_answers if scored.empty else _draw_each if len(scored) <= MOST_LESIONS else _draw_binned
    return finish_chart(draw(table if scored.empty else scored), _PLOT_PX + compute_legend_px(list(_ANSWERS)))


def _draw_each(table: pd.DataFrame) -> list[alt.Chart]:
    ordered = table.sort_values(["malignant_range", "malignant_low"], kind="stable").assign(position=range(len(table)))
    base = alt.Chart(ordered).encode(
        y=alt.Y("position:O", axis=None),
        color=_build_colour("stroke"),
        tooltip=[
            alt.Tooltip("lesion_id:N", title="Lesion"),
            alt.Tooltip("name:N", title="Truth"),
            alt.Tooltip("photos:Q", title="Photos"),
            alt.Tooltip("answers:Q", title="Answers"),
            alt.Tooltip("malignant_low:Q", title="Lowest", format=".2f"),
            alt.Tooltip("malignant_high:Q", title="Highest", format=".2f"),
        ],
    )
    title = "Malignant score, lowest to highest"
    return [
        base.mark_rule(strokeWidth=2).encode(x=build_share_x("malignant_low", title), x2="malignant_high:Q"),
        *(base.mark_point(filled=True, size=22, opacity=1).encode(x=build_share_x(end, title)) for end in _ENDS),
    ]


def _draw_binned(table: pd.DataFrame) -> list[alt.Chart]:
    bins = (table["malignant_range"] * _BINS).astype(int).clip(upper=_BINS - 1)
    counts = table.assign(bin=bins).groupby(["bin", "answer"]).size().rename("lesions").reset_index()
    counts = counts.assign(low=counts["bin"] / _BINS, high=(counts["bin"] + 1) / _BINS)
    bars = (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            x=build_share_x("low", "Highest minus lowest malignant score", binned=True),
            x2="high:Q",
            y=alt.Y("lesions:Q", stack="zero", axis=alt.Axis(title="Lesions", tickCount=5, format="~s")),
            color=_build_colour("square"),
            tooltip=[
                alt.Tooltip("answer:N", title="Lesions with"),
                alt.Tooltip("low:Q", title="Range from", format=".2f"),
                alt.Tooltip("high:Q", title="to", format=".2f"),
                alt.Tooltip("lesions:Q", title="Lesions", format=",d"),
            ],
        )
    )
    return [bars]


def _draw_by_answers(table: pd.DataFrame) -> list[alt.Chart]:
    counts = table.groupby(["answers", "answer"]).size().rename("lesions").reset_index()
    bars = (
        alt.Chart(counts)
        .mark_bar(size=40)
        .encode(
            x=alt.X("answers:O", axis=alt.Axis(title="Different answers to one lesion", labelAngle=0)),
            y=alt.Y("lesions:Q", axis=alt.Axis(title="Lesions", tickCount=5, format="~s")),
            color=_build_colour("square"),
            tooltip=[
                alt.Tooltip("answers:O", title="Answers"),
                alt.Tooltip("lesions:Q", title="Lesions", format=",d"),
            ],
        )
    )
    return [bars]


def _build_colour(symbol: str) -> alt.Color:
    labels = list(_ANSWERS)
    return alt.Color(
        "answer:N", scale=alt.Scale(domain=labels, range=list(_ANSWERS.values())), legend=build_legend(labels, symbol)
    )
