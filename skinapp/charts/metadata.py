"""Metadata by class: age, sex, site, camera, how the diagnosis was confirmed."""

import re
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from skinapp.charts.style import (
    GREY,
    add_legend,
    add_text_column,
    apply_style,
    get_full_class_name,
    get_short_class_name,
    wrap_text,
)
from skinapp.formatting import format_count_and_share

NOT_RECORDED = "not recorded"
UNLABELLED = "Not labelled"

MOST_VALUES = 8
"""Values with a colour of their own; the rarer ones share one segment."""

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#7B5EA7")
"""The colours of Okabe and Ito (2008), with a darker yellow, and violet in place of black."""

_MISSING = "#B9BCC2"
_NAMED_SHARE = 0.16
"""A smaller segment has no room for its percentage on a phone."""

_ROW_PX, _TITLE_PX = 42, 36


def draw_metadata_by_class(counts: pd.DataFrame, name: str) -> go.Figure:
    """Draw one bar per class with the shares of each value, and the number of photos on the right.

    `counts` has the columns label (NA for photos without one), value (NA if not recorded) and photos, as
    `datasets.summary` returns it; its order is kept. Beyond MOST_VALUES values the last ones share a segment; ages have
    one segment per decade, from light to dark. `name` is the name of the metadata, for the tooltip.
    """
    wide = _pivot(counts)
    totals = wide.sum(axis=1)
    names = [wrap_text(get_short_class_name(label)) for label in wide.index]
    figure = go.Figure()
    colours = _pick_colours(list(wide.columns))
    for value, colour in zip(wide.columns, colours, strict=True):
        shares = wide[value] / totals
        figure.add_bar(
            orientation="h",
            name=value,
            x=shares,
            y=names,
            text=[f"{share:.0%}" if share >= _NAMED_SHARE else "" for share in shares],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            marker={"color": colour},
            customdata=[
                f"{get_full_class_name(label)}<br>{name}: {value}<br>"
                f"{format_count_and_share(count, total)} of {total:,} photos"
                for label, count, total in zip(wide.index, wide[value], totals, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    apply_style(figure, _ROW_PX * len(names) + _TITLE_PX)
    add_legend(figure, names, dict(zip(wide.columns, colours, strict=True)))
    add_text_column(figure, names, [f"{total:,}" for total in totals], "photos")
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(autorange="reversed", type="category", ticklabelstandoff=6, showgrid=False)
    return figure.update_layout(barmode="stack", bargap=0.3, showlegend=False)


def _pivot(counts: pd.DataFrame) -> pd.DataFrame:
    """Return photos by label (rows) and value (columns); rare values are joined, values without photos left out."""
    named = counts.assign(label=counts["label"].fillna(UNLABELLED), value=counts["value"].fillna(NOT_RECORDED))
    wide = named.pivot_table(index="label", columns="value", values="photos", aggfunc="sum", sort=False)
    wide = wide.loc[wide.sum(axis=1) > 0, wide.sum(axis=0) > 0]
    values = [value for value in wide.columns if value != NOT_RECORDED]
    if len(values) <= MOST_VALUES or _are_ages(values):
        return wide
    rare = values[MOST_VALUES - 1 :]
    others = wide[rare].sum(axis=1).rename(f"{len(rare)} others")
    return pd.concat([wide[values[: MOST_VALUES - 1]], others, wide.filter([NOT_RECORDED])], axis=1)


def _are_ages(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"\d+(–\d+|\+)", value) for value in values)


def _pick_colours(values: Sequence[str]) -> list[str]:
    known = [value for value in values if value != NOT_RECORDED]
    if len(known) > 1 and _are_ages(known):
        positions = [0.95 - 0.9 * index / (len(known) - 1) for index in range(len(known))]
        colours = list(sample_colorscale("Viridis", positions))
    else:
        colours = [GREY if value.endswith(" others") else _COLOURS[index] for index, value in enumerate(known)]
    return [*colours, _MISSING][: len(values)]
