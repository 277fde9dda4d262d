"""How many photos or lesions each diagnosis has: the slope that every data set of this field has."""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import (
    GREY,
    SPLIT_COLOURS,
    counted,
    full_name,
    key_on_top,
    quiet,
    short_name,
    wrapped,
)
from skinapp.taxonomy import class_colour

Unit = Literal["photos", "lesions"]

_ROW_PX, _BAR_PX = 42, 21
_ROOM_FOR_TEXT = 1.6
"""The axis ends so far beyond the longest bar that its count fits behind it on a phone."""

_ROOM_FOR_TWO = 1.9
"""The same, for two counts."""


def class_distribution(counts: pd.DataFrame, unit: Unit = "photos") -> go.Figure:
    """Draw a bar a diagnosis, most first, with its count and its share of all.

    `counts` has the columns diagnosis (a code), photos and lesions (whole numbers), in any order of rows.
    """
    ordered = counts.sort_values(unit, ascending=False, kind="stable")
    bars = go.Bar(
        orientation="h",
        x=ordered[unit],
        y=list(map(_axis_name, ordered["diagnosis"])),
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


def class_distribution_by_split(counts: pd.DataFrame, unit: Unit = "photos") -> go.Figure:
    """Draw a bar a diagnosis and split: its share of the split, so that even splits show as bars of one length.

    `counts` has the columns diagnosis, split (NA for photos of none), photos and lesions, as
    `datasets.summary.class_counts_by_split` returns it; diagnoses are drawn in the order in which they come
    first, splits in the order of their use. Each bar is named with its count and share.
    """
    table = counts.assign(split=counts["split"].fillna("no split"))
    diagnoses, splits = list(table["diagnosis"].unique()), _in_order(table["split"])
    figure = go.Figure()
    for split in splits:
        mine = table[table["split"] == split].set_index("diagnosis").reindex(diagnoses)
        whole = mine[unit].sum()
        mine = mine[["photos", "lesions"]].fillna(0).astype(int)
        figure.add_bar(
            orientation="h",
            name=str(split).capitalize(),
            x=mine[unit] / max(1, whole),
            y=list(map(_axis_name, diagnoses)),
            text=[counted(count, whole) for count in mine[unit]],
            textposition="outside",
            cliponaxis=False,
            marker={"color": SPLIT_COLOURS.get(str(split), GREY)},
            customdata=list(zip(map(full_name, diagnoses), mine["photos"], mine["lesions"], strict=True)),
            hovertemplate=f"%{{customdata[0]}}, {split}<br>%{{customdata[1]:,}} photos of %{{customdata[2]:,}} lesions"
            "<extra></extra>",
        )
    quiet(figure, _BAR_PX * (len(splits) + 1) * len(diagnoses) + 16)
    key_on_top(figure, list(map(_axis_name, diagnoses)), {bar.name: bar.marker.color for bar in figure.data})
    longest = max((max(bar.x, default=0) for bar in figure.data), default=0)
    figure.update_xaxes(visible=False, range=[0, (longest or 1) * _ROOM_FOR_TEXT])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.1, showlegend=False)


def cap_effect(counts: pd.DataFrame) -> go.Figure:
    """Draw what a cap a class leaves: a full bar for the photos kept, a pale one for those left out.

    `counts` has the columns diagnosis, before, after and left_out (photos), as `datasets.summary.capped_counts` returns
    it; it is drawn in its order.
    """
    names = list(map(_axis_name, counts["diagnosis"]))
    colours = [class_colour(code) for code in counts["diagnosis"]]
    figure = go.Figure()
    for column, words, opacity in (("after", "kept", 1.0), ("left_out", "left out", 0.3)):
        figure.add_bar(
            orientation="h",
            x=counts[column],
            y=names,
            marker={"color": colours, "opacity": opacity},
            customdata=list(map(full_name, counts["diagnosis"])),
            hovertemplate=f"%{{customdata}}<br>%{{x:,}} photos {words}<extra></extra>",
        )
    figure.add_scatter(
        x=counts["before"],
        y=names,
        mode="text",
        text=[f" {_kept(*pair)}" for pair in zip(counts["after"], counts["before"], strict=True)],
        textposition="middle right",
        hoverinfo="skip",
    )
    quiet(figure, _ROW_PX * len(counts) + 16)
    figure.update_xaxes(visible=False, range=[0, max(1, counts["before"].max()) * _ROOM_FOR_TWO])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(barmode="stack", bargap=0.35, showlegend=False)


def _axis_name(label: str) -> str:
    return wrapped(short_name(label))


def _kept(after: int, before: int) -> str:
    return f"{before:,}" if after == before else f"{after:,} of {before:,}"


def _in_order(splits: "pd.Series[str]") -> list[str]:
    """Splits in the order of their use, others behind as they come."""
    found = list(splits.unique())
    return [*(split for split in SPLIT_COLOURS if split in found), *(s for s in found if s not in SPLIT_COLOURS)]
