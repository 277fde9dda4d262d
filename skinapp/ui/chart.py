"""How a chart is shown on a page: in the page's text colour, with a text alternative."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

if TYPE_CHECKING:  # its import takes a second, and most pages have no Altair chart
    import altair

INK = {"light": "#31333F", "dark": "#FAFAFA"}
"""Streamlit's text colours. Its chart theme uses a grey that is too pale for small text."""

_TEXT_COLOURS = {"axis": ("labelColor", "titleColor"), "legend": ("labelColor", "titleColor"), "text": ("color",)}
"""Where the configuration of an Altair chart has the colours of its text."""


def show(
    figure: "go.Figure | altair.LayerChart | altair.VConcatChart", key: str, alt: str, toolbar: bool = True
) -> None:
    """Show a chart; `alt` is its text alternative, `toolbar` offers PNG and full screen.

    The panels of a vertical Altair chart are shown one by one: as one chart they would not fill the width of the page.
    An Altair chart always has its toolbar.
    """
    if isinstance(figure, go.Figure):
        config: dict[str, Any] = {"displayModeBar": None if toolbar else False, "displaylogo": False}
        st.plotly_chart(_colour_text(figure), key=key, alt=alt, config=config)
    else:
        _show_altair(figure, key, alt)


def _show_altair(figure: "altair.LayerChart | altair.VConcatChart", key: str, alt: str) -> None:
    from altair import LayerChart

    if isinstance(figure, LayerChart):
        st.altair_chart(_colour_altair_text(figure), key=key, alt=alt)
        return
    panels: list[Any] = figure.vconcat
    for number, panel in enumerate(panels):
        st.altair_chart(_colour_altair_text(panel.properties(config=figure.config)), key=f"{key}-{number}", alt=alt)


def show_selectable(figure: go.Figure, key: str, alt: str) -> tuple[str, ...] | None:
    """Show a chart as `show` does and return the customdata of the point clicked last, or None.

    Customdata is a sequence of strings. A click on a point without it clears the selection.
    """
    event = st.plotly_chart(
        _colour_text(figure),
        key=key,
        alt=alt,
        config={"displaylogo": False},
        on_select="rerun",
        selection_mode="points",
    )
    selected = [point["customdata"] for point in event.selection.points if point.get("customdata")]
    return tuple(map(str, selected[-1])) if selected else None


def _colour_text(figure: go.Figure) -> go.Figure:
    if ink := _get_ink():
        figure.update_layout(font_color=ink, legend_font_color=ink)
        figure.update_annotations(font_color=ink)
        figure.update_xaxes(tickfont_color=ink, title_font_color=ink)
        figure.update_yaxes(tickfont_color=ink, title_font_color=ink)
    return figure


def _colour_altair_text(figure: "altair.LayerChart") -> "altair.LayerChart":
    ink = _get_ink()
    if not ink:
        return figure
    config = figure.config.copy(deep=True)
    for part, colours in _TEXT_COLOURS.items():
        for colour in colours:
            config[part][colour] = ink
    coloured: altair.LayerChart = figure.properties(config=config)
    return coloured


def _get_ink() -> str | None:
    return INK.get(st.context.theme.type or "")
