"""The sizes of photos: a list of bars for a few sizes, a heatmap of width and height for more."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import FONT_SIZE, GREY, add_legend, apply_style
from skinapp.formatting import format_count_and_share

_Index = npt.NDArray[np.intp]
_Counts = npt.NDArray[np.float64]

_MOST_BARS = 10
"""Up to this number of sizes each has a bar; more are a heatmap."""

_CELLS = 24
"""Cells along the longer side of the heatmap: about 12 px each on a phone."""

_ROW_PX, _HEATMAP_PX = 36, 430
_ROOM_FOR_TEXT = 1.6
_INNER, _EDGE = (0, 0.84), (0.87, 1)
"""Shares of width and height: of the heatmap, and of the bars along its edges."""

_SOURCE_COLOURS = ("#2E86DE", "#E69F00", "#009E73", "#CC79A7", GREY)
_SCALE = ((0.0, "rgba(46,134,222,0.3)"), (1.0, "rgb(46,134,222)"))


def draw_sizes(sizes: pd.DataFrame, source: str | None = None) -> go.Figure:
    """Draw the number of photos of each size in pixels, of one source or of all.

    `sizes` has one row per size and source and the columns width and height (pixels, NA if unknown), photos (whole
    numbers) and source. Up to ten sizes are bars, most photos first, one colour per source. More are a heatmap: its
    cells count the photos of all sources on a logarithmic scale, with the photos of each width above it and of each
    height beside it. An unknown source gives an empty chart.
    """
    if source is not None:
        sizes = sizes[sizes["source"] == source]
    if sizes.empty:
        return apply_style(go.Figure(), _ROW_PX)
    unique = sizes[["width", "height"]].drop_duplicates()
    return _draw_bars(sizes) if len(unique) <= _MOST_BARS else _draw_heatmap(sizes)


def _draw_bars(sizes: pd.DataFrame) -> go.Figure:
    named = sizes.assign(size=list(map(_format_size, sizes["width"], sizes["height"])))
    table = named.pivot_table(index="size", columns="source", values="photos", aggfunc="sum", fill_value=0)
    totals = table.sum(axis=1).sort_values(ascending=False)
    figure = go.Figure()
    for index, source in enumerate(table.columns):
        figure.add_bar(
            orientation="h",
            name=str(source),
            x=table.loc[totals.index, source],
            y=totals.index,
            marker={"color": _SOURCE_COLOURS[index % len(_SOURCE_COLOURS)]},
            hovertemplate="%{y}<br>%{x:,} photos of %{fullData.name}<extra></extra>",
        )
    figure.add_scatter(
        x=totals,
        y=totals.index,
        mode="text",
        text=[f" {format_count_and_share(count, totals.sum())}" for count in totals],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    apply_style(figure, _ROW_PX * len(totals) + 16)
    if len(table.columns) > 1:
        add_legend(figure, list(totals.index), {bar.name: bar.marker.color for bar in figure.data[:-1]})
    figure.update_xaxes(visible=False, range=[0, totals.max() * _ROOM_FOR_TEXT])
    figure.update_yaxes(autorange="reversed", type="category", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(barmode="stack", bargap=0.35, showlegend=False)


def _format_size(width: int, height: int) -> str:
    return "Not stated" if pd.isna(width) or pd.isna(height) else f"{width:.0f} × {height:.0f} px"


def _draw_heatmap(sizes: pd.DataFrame) -> go.Figure:
    stated = sizes.dropna(subset=["width", "height"])
    width, height, photos = (stated[name].to_numpy(dtype=int) for name in ("width", "height", "photos"))
    step = max(1, math.ceil(max(np.ptp(width), np.ptp(height)) / _CELLS))
    column, row = (width - width.min()) // step, (height - height.min()) // step
    counts = np.zeros((row.max() + 1, column.max() + 1))
    np.add.at(counts, (row, column), photos)
    heatmap = go.Heatmap(
        x=width.min() + step * (np.arange(counts.shape[1]) + 0.5),
        y=height.min() + step * (np.arange(counts.shape[0]) + 0.5),
        z=np.log10(np.where(counts > 0, counts, np.nan)),
        customdata=_format_hovers(stated, row, column, counts),
        hovertemplate=f"Width %{{x:.0f}}, height %{{y:.0f}} px (± {step / 2:g})<br>%{{customdata}}<extra></extra>",
        hoverongaps=False,
        colorscale=_SCALE,
        zmin=0,
        colorbar=_build_colour_bar(int(counts.max())),
    )
    missing = int(sizes["photos"].sum() - photos.sum())
    unstated = f"<br>({missing:,} photos without a stated size)" if missing else ""
    figure = go.Figure([heatmap, *_build_marginals(heatmap, counts, step)])
    figure.update_layout(xaxis={"domain": _INNER}, yaxis={"domain": _INNER})
    figure.update_layout(xaxis2={"domain": _EDGE, "visible": False}, yaxis2={"domain": _EDGE, "visible": False})
    apply_style(figure, _HEATMAP_PX).update_layout(bargap=0.1, showlegend=False)
    return figure.update_layout(xaxis_title=f"Width in pixels{unstated}", yaxis_title="Height in pixels")


def _build_marginals(heatmap: go.Heatmap, counts: _Counts, step: int) -> tuple[go.Bar, go.Bar]:
    """Return bars of the photos of each width, above the heatmap, and of each height, beside it."""
    marker = {"color": _SCALE[-1][1]}
    off = f" px (± {step / 2:g})"
    widths, heights = counts.sum(axis=0), counts.sum(axis=1)
    return (
        go.Bar(
            x=heatmap.x,
            y=widths,
            yaxis="y2",
            marker=marker,
            hovertemplate=f"Width %{{x:.0f}}{off}<br>%{{y:,}} photos<extra></extra>",
        ),
        go.Bar(
            x=heights,
            y=heatmap.y,
            xaxis="x2",
            orientation="h",
            marker=marker,
            hovertemplate=f"Height %{{y:.0f}}{off}<br>%{{x:,}} photos<extra></extra>",
        ),
    )


def _format_hovers(stated: pd.DataFrame, row: _Index, column: _Index, counts: _Counts) -> list[list[str]]:
    names: dict[tuple[int, int], set[str]] = {}
    for cell, source in zip(zip(row, column, strict=True), stated["source"], strict=True):
        names.setdefault(cell, set()).add(str(source))
    return [
        [f"{count:,.0f} photos ({', '.join(sorted(names.get((r, c), ())))})" for c, count in enumerate(line)]
        for r, line in enumerate(counts)
    ]


def _build_colour_bar(most: int) -> dict[str, object]:
    powers = range(len(str(most)))
    return {
        "orientation": "h",
        "y": 1,
        "yanchor": "bottom",
        "thickness": 10,
        "tickfont": {"size": FONT_SIZE},
        "title": {"text": "Photos", "side": "top"},
        "tickvals": list(powers),
        "ticktext": [f"{10**power:,}" for power in powers],
    }
