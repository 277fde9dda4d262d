"""How every chart is put on a page."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

if TYPE_CHECKING:  # a second's work, which pages without a chart of Altair's need not wait for
    import altair

INK = {"light": "#31333F", "dark": "#FAFAFA"}
"""Streamlit's own text colours; its chart theme uses a grey that is too pale for small words."""

_WORDS = {"axis": ("labelColor", "titleColor"), "legend": ("labelColor", "titleColor"), "text": ("color",)}
"""Where the configuration of an Altair chart (`charts.vega.look`) has the colour of its words."""


def show(
    figure: "go.Figure | altair.LayerChart | altair.VConcatChart", key: str, alt: str, toolbar: bool = True
) -> None:
    """Show a chart in the page's text colour; `alt` says it in words, `toolbar` offers PNG and full screen.

    Panels that Altair sets one below the other are shown as charts of their own: together they would not take the
    width of the page. A chart of Altair's always has its toolbar.
    """
    if isinstance(figure, go.Figure):
        config: dict[str, Any] = {"displayModeBar": None if toolbar else False, "displaylogo": False}
        st.plotly_chart(_in_ink(figure), key=key, alt=alt, config=config)
    else:
        _show_altair(figure, key, alt)


def _show_altair(figure: "altair.LayerChart | altair.VConcatChart", key: str, alt: str) -> None:
    from altair import LayerChart

    if isinstance(figure, LayerChart):
        st.altair_chart(_in_its_ink(figure), key=key, alt=alt)
        return
    panels: list[Any] = figure.vconcat
    for place, panel in enumerate(panels):
        st.altair_chart(_in_its_ink(panel.properties(config=figure.config)), key=f"{key}-{place}", alt=alt)


def show_selectable(figure: go.Figure, key: str, alt: str) -> tuple[str, ...] | None:
    """Show a chart as `show` does and return what stands behind the point that was clicked last, None for none.

    The points carry it as customdata, a sequence of words; a click on a point without it takes the choice back.
    """
    event = st.plotly_chart(
        _in_ink(figure), key=key, alt=alt, config={"displaylogo": False}, on_select="rerun", selection_mode="points"
    )
    chosen = [point["customdata"] for point in event.selection.points if point.get("customdata")]
    return tuple(map(str, chosen[-1])) if chosen else None


def _in_ink(figure: go.Figure) -> go.Figure:
    if ink := _ink():
        figure.update_layout(font_color=ink, legend_font_color=ink)
        figure.update_annotations(font_color=ink)
        figure.update_xaxes(tickfont_color=ink, title_font_color=ink)
        figure.update_yaxes(tickfont_color=ink, title_font_color=ink)
    return figure


def _in_its_ink(figure: "altair.LayerChart") -> "altair.LayerChart":
    ink = _ink()
    if not ink:
        return figure
    config = figure.config.copy(deep=True)
    for part, colours in _WORDS.items():
        for colour in colours:
            config[part][colour] = ink
    inked: altair.LayerChart = figure.properties(config=config)
    return inked


def _ink() -> str | None:
    return INK.get(st.context.theme.type or "")
