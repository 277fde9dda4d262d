"""What a threshold does: sensitivity and specificity, and whether deciding by the model is worth it."""

import altair as alt
import pandas as pd

from skinapp.charts.style import GREY
from skinapp.charts.vega import (
    ABOVE_WORDS_PX,
    BLUE,
    DASHED,
    FINGER,
    SOLID,
    chosen_threshold,
    finished,
    key,
    key_px,
    share_x,
    share_y,
)
from skinapp.taxonomy import MALIGNANCY_COLOURS, MALIGNANT

_PLOT_PX = 300
_ORANGE = MALIGNANCY_COLOURS[MALIGNANT]

_STRATEGIES = {
    "model": ("By the model", _ORANGE, SOLID),
    "all": ("All sent on", GREY, DASHED),
    "none": ("None sent on", GREY, SOLID),
}
_RATES = {"sensitivity": ("Sensitivity", _ORANGE), "specificity": ("Specificity", BLUE)}
_DEEPEST = 0.25
"""The axis ends so far below 0, as a share of the highest benefit: sending all on falls without end."""


def net_benefit_chart(benefit: pd.DataFrame, threshold: float) -> alt.LayerChart:
    """Draw the net benefit at each threshold beside that of sending all on and of sending none on.

    `benefit` has the columns threshold (0 to 1), model, all and none (net true positives per person), as
    `evaluation.decisions.net_benefit` returns it (Vickers and Elkin, 2006). A vertical line marks the threshold that
    was chosen. What lies far below 0 is cut off.
    """
    words, ranges, dashes = zip(*_STRATEGIES.values(), strict=True)
    table = benefit.melt("threshold", list(_STRATEGIES), var_name="strategy", value_name="benefit")
    table["strategy"] = table["strategy"].map({column: word for column, (word, _, _) in _STRATEGIES.items()})
    top = max(float(benefit[["model", "all"]].max().max()), 0.01)
    y = alt.Y(
        "benefit:Q",
        scale=alt.Scale(domain=[-_DEEPEST * top, 1.05 * top], nice=False),
        axis=alt.Axis(title="Net benefit", tickCount=5, format="~g"),
    )
    base = alt.Chart(table).encode(x=share_x("threshold", "Threshold"), y=y)
    lines = base.mark_line(clip=True, tooltip=None, strokeWidth=2.5).encode(
        color=alt.Color(
            "strategy:N", scale=alt.Scale(domain=words, range=ranges), legend=key(words, offset_px=ABOVE_WORDS_PX)
        ),
        strokeDash=alt.StrokeDash(
            "strategy:N", scale=alt.Scale(domain=words, range=dashes), legend=key(words, offset_px=ABOVE_WORDS_PX)
        ),
    )
    hovers = base.mark_point(size=FINGER, opacity=0, filled=True, clip=True).encode(
        tooltip=[
            alt.Tooltip("strategy:N", title="Decision"),
            alt.Tooltip("threshold:Q", title="Threshold", format=".2f"),
            alt.Tooltip("benefit:Q", title="Net benefit", format=".3f"),
        ]
    )
    return finished([*chosen_threshold(threshold), lines, hovers], _PLOT_PX + key_px(words, offset_px=ABOVE_WORDS_PX))


def rates_chart(roc: pd.DataFrame, threshold: float) -> alt.LayerChart:
    """Draw sensitivity and specificity against the threshold, and mark the one that was chosen.

    `roc` has the columns threshold, false_positive_rate and sensitivity of one class, as
    `evaluation.curves.roc_points` returns it; `threshold` is in 0 to 1.
    """
    reached = pd.concat([roc, pd.DataFrame({"threshold": [0.0], "false_positive_rate": [1.0], "sensitivity": [1.0]})])
    wide = pd.DataFrame(
        {
            "threshold": reached["threshold"].clip(0, 1),
            "sensitivity": reached["sensitivity"],
            "specificity": 1 - reached["false_positive_rate"],
        }
    ).sort_values("threshold", kind="stable")
    words, ranges = zip(*_RATES.values(), strict=True)
    table = wide.melt("threshold", list(_RATES), var_name="rate", value_name="share")
    table["rate"] = table["rate"].map({column: word for column, (word, _) in _RATES.items()})
    colour = alt.Color(
        "rate:N", scale=alt.Scale(domain=words, range=ranges), legend=key(words, offset_px=ABOVE_WORDS_PX)
    )
    base = alt.Chart(table).encode(x=share_x("threshold", "Threshold"), y=share_y("share", "Share"), color=colour)
    # Up to a threshold counts what the next score above it gives.
    lines = base.mark_line(interpolate="step-before", tooltip=None, strokeWidth=2.5)
    hovers = base.mark_point(size=FINGER, opacity=0, filled=True).encode(
        tooltip=[
            alt.Tooltip("rate:N", title="Rate"),
            alt.Tooltip("share:Q", title="Share", format=".3f"),
            alt.Tooltip("threshold:Q", title="Threshold", format=".3f"),
        ]
    )
    return finished([*chosen_threshold(threshold), lines, hovers], _PLOT_PX + key_px(words, offset_px=ABOVE_WORDS_PX))
