"""How far a model's answer moves between photos of one lesion."""

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.style import full_name
from skinapp.charts.vega import AMBER, BLUE, finished, key, key_px, share_x

MOST_LESIONS = 100
"""So many lesions get a line each; more are counted in bins."""

_BINS = 20
_PLOT_PX = 280
_STAYS, _CHANGES = "Answer stays", "Answer changes"
_ANSWERS = {_STAYS: BLUE, _CHANGES: AMBER}
_ENDS = ("malignant_low", "malignant_high")


def repeat_chart(lesions: pd.DataFrame) -> alt.LayerChart:
    """Draw how far the malignant score moves within each lesion that has several photos.

    `lesions` has the columns lesion_id, truth, photos, answers (how many different ones), malignant_low,
    malignant_high and malignant_range (0 to 1), as `evaluation.repeats.lesions_seen_again` returns it. Up to
    MOST_LESIONS lesions have a line each, from the lowest score to the highest, the steadiest first; more are counted
    by their range, in bins of 0.05. The colour tells whether the answer stayed the same. Where the range is NaN,
    because the classes know no malignancy, lesions are counted by how many different answers they got.
    """
    table = lesions.assign(
        answer=np.where(lesions["answers"] > 1, _CHANGES, _STAYS), name=lesions["truth"].map(full_name)
    )
    scored = table.dropna(subset=["malignant_range"])
    draw = _by_answers if scored.empty else _each if len(scored) <= MOST_LESIONS else _binned
    return finished(draw(table if scored.empty else scored), _PLOT_PX + key_px(list(_ANSWERS)))


def _each(table: pd.DataFrame) -> list[alt.Chart]:
    ordered = table.sort_values(["malignant_range", "malignant_low"], kind="stable").assign(place=range(len(table)))
    base = alt.Chart(ordered).encode(
        y=alt.Y("place:O", axis=None),
        color=_colour("stroke"),
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
        base.mark_rule(strokeWidth=2).encode(x=share_x("malignant_low", title), x2="malignant_high:Q"),
        *(base.mark_point(filled=True, size=22, opacity=1).encode(x=share_x(end, title)) for end in _ENDS),
    ]


def _binned(table: pd.DataFrame) -> list[alt.Chart]:
    place = (table["malignant_range"] * _BINS).astype(int).clip(upper=_BINS - 1)
    counts = table.assign(bin=place).groupby(["bin", "answer"]).size().rename("lesions").reset_index()
    counts = counts.assign(low=counts["bin"] / _BINS, high=(counts["bin"] + 1) / _BINS)
    bars = (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            x=share_x("low", "Highest minus lowest malignant score", binned=True),
            x2="high:Q",
            y=alt.Y("lesions:Q", stack="zero", axis=alt.Axis(title="Lesions", tickCount=5, format="~s")),
            color=_colour("square"),
            tooltip=[
                alt.Tooltip("answer:N", title="Lesions whose"),
                alt.Tooltip("low:Q", title="Range from", format=".2f"),
                alt.Tooltip("high:Q", title="to", format=".2f"),
                alt.Tooltip("lesions:Q", title="Lesions", format=",d"),
            ],
        )
    )
    return [bars]


def _by_answers(table: pd.DataFrame) -> list[alt.Chart]:
    counts = table.groupby(["answers", "answer"]).size().rename("lesions").reset_index()
    bars = (
        alt.Chart(counts)
        .mark_bar(size=40)
        .encode(
            x=alt.X("answers:O", axis=alt.Axis(title="Different answers to one lesion", labelAngle=0)),
            y=alt.Y("lesions:Q", axis=alt.Axis(title="Lesions", tickCount=5, format="~s")),
            color=_colour("square"),
            tooltip=[
                alt.Tooltip("answers:O", title="Answers"),
                alt.Tooltip("lesions:Q", title="Lesions", format=",d"),
            ],
        )
    )
    return [bars]


def _colour(symbol: str) -> alt.Color:
    words = list(_ANSWERS)
    return alt.Color(
        "answer:N", scale=alt.Scale(domain=words, range=list(_ANSWERS.values())), legend=key(words, symbol)
    )
