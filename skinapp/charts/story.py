"""The certainty of the answer for each photo: step 2 of the story."""

import altair as alt
import pandas as pd

from skinapp.charts.style import get_short_class_name, wrap_text
from skinapp.charts.vega import AMBER, BLUE, PINK, build_legend, compute_legend_px, finish_chart
from skinapp.taxonomy import CODES

_KINDS = {"right": (BLUE, "circle"), "wrongly a nevus": (AMBER, "square"), "wrong otherwise": (PINK, "triangle-up")}
_LANE_PX, _AXIS_PX = 13, 50


def draw_certainties(photos: pd.DataFrame) -> alt.LayerChart:
    """Draw one point per photo: its certainty (0 to 1) and its truth; colour and shape show the kind of answer.

    `photos` has the columns image_id, truth, answer (class codes), certainty and kind ("right", "wrongly a nevus" or
    "wrong otherwise"), as `story.unseen.list_certainties` returns it. Each photo of a class has a lane, so that none
    hides another.
    """
    ordered = photos.sort_values("truth", key=lambda codes: codes.map(CODES.index), kind="stable")
    table = ordered.assign(
        name=[wrap_text(get_short_class_name(code)).replace("<br>", "\n") for code in ordered["truth"]],
        lane=ordered.groupby("truth").cumcount(),
        answered=[get_short_class_name(code) for code in ordered["answer"]],
    )
    labels = list(_KINDS)
    colours, shapes = zip(*_KINDS.values(), strict=True)
    legend = build_legend(labels, symbol="circle")
    rows = alt.Axis(title=None, grid=True, labelExpr="split(datum.label, '\\n')")
    percents = alt.Axis(title="Certainty of the answer", values=[0, 0.2, 0.4, 0.6, 0.8, 1], format="%")
    points = (
        alt.Chart(table)
        .mark_point(filled=True, size=90, opacity=0.9)
        .encode(
            x=alt.X("certainty:Q", scale=alt.Scale(domain=[0, 1.02], nice=False), axis=percents),
            y=alt.Y("name:N", sort=list(table["name"].unique()), axis=rows),
            yOffset=alt.YOffset("lane:O"),
            color=alt.Color("kind:N", scale=alt.Scale(domain=labels, range=list(colours)), legend=legend),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=labels, range=list(shapes)), legend=legend),
            tooltip=[
                alt.Tooltip("image_id:N", title="Photo"),
                alt.Tooltip("name:N", title="Truth"),
                alt.Tooltip("answered:N", title="Answer"),
                alt.Tooltip("certainty:Q", title="Certainty", format=".0%"),
            ],
        )
    )
    lanes = table.groupby("truth").size().max() if len(table) else 1
    height = int(_LANE_PX * lanes * table["name"].nunique()) + _AXIS_PX + compute_legend_px(labels)
    return finish_chart([points], height)
