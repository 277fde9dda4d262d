"""The number of photos or lesions of each diagnosis."""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import (
    GREY,
    SPLIT_COLOURS,
    add_legend,
    apply_style,
    get_full_class_name,
    get_short_class_name,
    wrap_text,
)
from skinapp.formatting import format_count_and_share
from skinapp.taxonomy import get_class_colour

Unit = Literal["photos", "lesions"]

_ROW_PX, _BAR_PX = 42, 21
_ROOM_FOR_TEXT = 1.6
"""The length of the axis over that of the longest bar: its count fits behind it on a phone."""

_ROOM_FOR_TWO = 1.9
"""The same, for two counts."""


def draw_class_distribution(counts: pd.DataFrame, unit: Unit = "photos") -> go.Figure:
    """Draw one bar per diagnosis, the most frequent first, with its count and its share.

    `counts` has the columns diagnosis (a code), photos and lesions (whole numbers), in any order of rows.
    """
    ordered = counts.sort_values(unit, ascending=False, kind="stable")
    bars = go.Bar(
        orientation="h",
        x=ordered[unit],
        y=list(map(_format_axis_name, ordered["diagnosis"])),
        text=[format_count_and_share(count, ordered[unit].sum()) for count in ordered[unit]],
        textposition="outside",
        cliponaxis=False,
        marker={"color": [get_class_colour(code) for code in ordered["diagnosis"]]},
        customdata=list(
            zip(map(get_full_class_name, ordered["diagnosis"]), ordered["photos"], ordered["lesions"], strict=True)
        ),
        hovertemplate="%{customdata[0]}<br>%{customdata[1]:,} photos of %{customdata[2]:,} lesions<extra></extra>",
    )
    figure = apply_style(go.Figure(bars), _ROW_PX * len(ordered) + 16)
    figure.update_xaxes(visible=False, range=[0, max(1, ordered[unit].max()) * _ROOM_FOR_TEXT])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(bargap=0.35)


def draw_class_distribution_by_split(counts: pd.DataFrame, unit: Unit = "photos") -> go.Figure:
    """Draw one bar per diagnosis and split: the share of the split, so that stratified splits have bars of one length.

    `counts` has the columns diagnosis, split (NA for none), photos and lesions, as `datasets.summary` returns it.
    Diagnoses keep their order; splits are ordered train, validation, test, showcase, others. Each bar has its count and
    share as text.
    """
    table = counts.assign(split=counts["split"].fillna("no split"))
    diagnoses, splits = list(table["diagnosis"].unique()), _sort_splits(table["split"])
    figure = go.Figure()
    for split in splits:
        rows = table[table["split"] == split].set_index("diagnosis").reindex(diagnoses)
        whole = rows[unit].sum()
        rows = rows[["photos", "lesions"]].fillna(0).astype(int)
        figure.add_bar(
            orientation="h",
            name=str(split).capitalize(),
            x=rows[unit] / max(1, whole),
            y=list(map(_format_axis_name, diagnoses)),
            text=[format_count_and_share(count, whole) for count in rows[unit]],
            textposition="outside",
            cliponaxis=False,
            marker={"color": SPLIT_COLOURS.get(str(split), GREY)},
            customdata=list(zip(map(get_full_class_name, diagnoses), rows["photos"], rows["lesions"], strict=True)),
            hovertemplate=f"%{{customdata[0]}}, {split}<br>%{{customdata[1]:,}} photos of %{{customdata[2]:,}} lesions"
            "<extra></extra>",
        )
    apply_style(figure, _BAR_PX * (len(splits) + 1) * len(diagnoses) + 16)
    add_legend(figure, list(map(_format_axis_name, diagnoses)), {bar.name: bar.marker.color for bar in figure.data})
    longest = max((max(bar.x, default=0) for bar in figure.data), default=0)
    figure.update_xaxes(visible=False, range=[0, (longest or 1) * _ROOM_FOR_TEXT])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.1, showlegend=False)


def draw_cap_effect(counts: pd.DataFrame) -> go.Figure:
    """Draw the effect of a cap per class: a solid bar for the photos kept, a pale one for those left out.

    `counts` has the columns diagnosis, before, after and left_out (photos), as `datasets.summary` returns it; its order
    is kept.
    """
    names = list(map(_format_axis_name, counts["diagnosis"]))
    colours = [get_class_colour(code) for code in counts["diagnosis"]]
    figure = go.Figure()
    for column, status, opacity in (("after", "kept", 1.0), ("left_out", "left out", 0.3)):
        figure.add_bar(
            orientation="h",
            x=counts[column],
            y=names,
            marker={"color": colours, "opacity": opacity},
            customdata=list(map(get_full_class_name, counts["diagnosis"])),
            hovertemplate=f"%{{customdata}}<br>%{{x:,}} photos {status}<extra></extra>",
        )
    figure.add_scatter(
        x=counts["before"],
        y=names,
        mode="text",
        text=[f" {_format_kept(*pair)}" for pair in zip(counts["after"], counts["before"], strict=True)],
        textposition="middle right",
        hoverinfo="skip",
    )
    apply_style(figure, _ROW_PX * len(counts) + 16)
    figure.update_xaxes(visible=False, range=[0, max(1, counts["before"].max()) * _ROOM_FOR_TWO])
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(barmode="stack", bargap=0.35, showlegend=False)


def _format_axis_name(label: str) -> str:
    return wrap_text(get_short_class_name(label))


def _format_kept(after: int, before: int) -> str:
    return f"{before:,}" if after == before else f"{after:,} of {before:,}"


def _sort_splits(splits: "pd.Series[str]") -> list[str]:
    names = list(splits.unique())
    return [*(name for name in SPLIT_COLOURS if name in names), *(name for name in names if name not in SPLIT_COLOURS)]
