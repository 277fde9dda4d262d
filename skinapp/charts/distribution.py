"""How many photos or lesions each diagnosis has: the slope that every data set of this field has."""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import counted, full_name, quiet, short_name, wrapped
from skinapp.taxonomy import class_colour

Unit = Literal["photos", "lesions"]

_ROW_PX = 42
_ROOM_FOR_TEXT = 1.6
"""The axis ends so far beyond the longest bar that its count fits behind it on a phone."""


def class_distribution(counts: pd.DataFrame, unit: Unit = "photos") -> go.Figure:
    """Draw a bar a diagnosis, most first, with its count and its share of all.

    `counts` has the columns diagnosis (a code), photos and lesions (whole numbers), in any order of rows.
    """
    ordered = counts.sort_values(unit, ascending=False, kind="stable")
    bars = go.Bar(
        orientation="h",
        x=ordered[unit],
        y=[wrapped(short_name(code)) for code in ordered["diagnosis"]],
        text=[counted(count, ordered[unit].sum()) for count in ordered[unit]],
        textposition="outside",
        cliponaxis=False,
        marker={"color": [class_colour(code) for code in ordered["diagnosis"]]},
        customdata=list(zip(map(full_name, ordered["diagnosis"]), ordered["photos"], ordered["lesions"], strict=True)),
        hovertemplate="%{customdata[0]}<br>%{customdata[1]:,} photos of %{customdata[2]:,} lesions<extra></extra>",
    )
    figure = quiet(go.Figure(bars), _ROW_PX * len(ordered) + 16)
    figure.update_xaxes(visible=False, range=[0, max(1, ordered[unit].max()) * _ROOM_FOR_TEXT])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(bargap=0.35)
