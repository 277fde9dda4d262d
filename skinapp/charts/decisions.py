"""What a threshold does: sensitivity and specificity, and the net benefit."""

import altair as alt
import pandas as pd

from skinapp.charts.style import GREY
from skinapp.charts.vega import (
    BLUE,
    DASHED,
    HOVER_AREA_PX2,
    OFFSET_WITH_LABEL_PX,
    SOLID,
    build_legend,
    build_share_x,
    build_share_y,
    compute_legend_px,
    draw_chosen_threshold,
    finish_chart,
)
from skinapp.taxonomy import MALIGNANCY_COLOURS, MALIGNANT

_PLOT_PX = 300
_ORANGE = MALIGNANCY_COLOURS[MALIGNANT]

_STRATEGIES = {
    "model": ("By the model", _ORANGE, SOLID),
    "all": ("Refer everyone", GREY, DASHED),
    "none": ("Refer nobody", GREY, SOLID),
}
_RATES = {"sensitivity": ("Sensitivity", _ORANGE), "specificity": ("Specificity", BLUE)}
_DEEPEST = 0.25
"""How far the axis goes below 0, as a share of the highest benefit: the curve of referring everyone has no end."""


def draw_net_benefit(benefit: pd.DataFrame, threshold: float) -> alt.LayerChart:
    """Draw the net benefit of the model, of referring everyone and of referring nobody, by threshold.

    `benefit` has the columns threshold (0 to 1), model, all and none (net true positives per person), as
    `metrics.decisions.net_benefit` returns it (Vickers and Elkin, 2006). A vertical line marks the chosen threshold.
    Values far below 0 are cut off.
    """
    labels, ranges, dashes = zip(*_STRATEGIES.values(), strict=True)
    table = benefit.melt("threshold", list(_STRATEGIES), var_name="strategy", value_name="benefit")
    table["strategy"] = table["strategy"].map({column: word for column, (word, _, _) in _STRATEGIES.items()})
    top = max(float(benefit[["model", "all"]].max().max()), 0.01)
    y = alt.Y(
        "benefit:Q",
        scale=alt.Scale(domain=[-_DEEPEST * top, 1.05 * top], nice=False),
        axis=alt.Axis(title="Net benefit", tickCount=5, format="~g"),
    )
    base = alt.Chart(table).encode(x=build_share_x("threshold", "Threshold"), y=y)
    lines = base.mark_line(clip=True, tooltip=None, strokeWidth=2.5).encode(
        color=alt.Color(
            "strategy:N",
            scale=alt.Scale(domain=labels, range=ranges),
            legend=build_legend(labels, offset_px=OFFSET_WITH_LABEL_PX),
        ),
        strokeDash=alt.StrokeDash(
            "strategy:N",
            scale=alt.Scale(domain=labels, range=dashes),
            legend=build_legend(labels, offset_px=OFFSET_WITH_LABEL_PX),
        ),
    )
    hovers = base.mark_point(size=HOVER_AREA_PX2, opacity=0, filled=True, clip=True).encode(
        tooltip=[
            alt.Tooltip("strategy:N", title="Strategy"),
            alt.Tooltip("threshold:Q", title="Threshold", format=".2f"),
            alt.Tooltip("benefit:Q", title="Net benefit", format=".3f"),
        ]
    )
    return finish_chart(
        [*draw_chosen_threshold(threshold), lines, hovers],
        _PLOT_PX + compute_legend_px(labels, offset_px=OFFSET_WITH_LABEL_PX),
    )


def draw_sensitivity_and_specificity(roc: pd.DataFrame, threshold: float) -> alt.LayerChart:
    """Draw sensitivity and specificity against the threshold, with a line at the chosen one.

    `roc` has the columns threshold, false_positive_rate and sensitivity of one class, as `runs.views.curves` returns
    it; `threshold` is 0 to 1.
    """
    points = pd.concat([roc, pd.DataFrame({"threshold": [0.0], "false_positive_rate": [1.0], "sensitivity": [1.0]})])
    wide = pd.DataFrame(
        {
            "threshold": points["threshold"].clip(0, 1),
            "sensitivity": points["sensitivity"],
            "specificity": 1 - points["false_positive_rate"],
        }
    ).sort_values("threshold", kind="stable")
    labels, ranges = zip(*_RATES.values(), strict=True)
    table = wide.melt("threshold", list(_RATES), var_name="rate", value_name="share")
    table["rate"] = table["rate"].map({column: word for column, (word, _) in _RATES.items()})
    colour = alt.Color(
        "rate:N",
        scale=alt.Scale(domain=labels, range=ranges),
        legend=build_legend(labels, offset_px=OFFSET_WITH_LABEL_PX),
    )
    base = alt.Chart(table).encode(
        x=build_share_x("threshold", "Threshold"), y=build_share_y("share", "Share"), color=colour
    )
    # Between two scores the rates are those of the higher one.
    lines = base.mark_line(interpolate="step-before", tooltip=None, strokeWidth=2.5)
    hovers = base.mark_point(size=HOVER_AREA_PX2, opacity=0, filled=True).encode(
        tooltip=[
            alt.Tooltip("rate:N", title="Rate"),
            alt.Tooltip("share:Q", title="Share", format=".3f"),
            alt.Tooltip("threshold:Q", title="Threshold", format=".3f"),
        ]
    )
    return finish_chart(
        [*draw_chosen_threshold(threshold), lines, hovers],
        _PLOT_PX + compute_legend_px(labels, offset_px=OFFSET_WITH_LABEL_PX),
    )
