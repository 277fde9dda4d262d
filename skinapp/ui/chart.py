"""How every Plotly chart is put on a page."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

INK = {"light": "#31333F", "dark": "#FAFAFA"}
"""Streamlit's own text colours; its chart theme uses a grey that is too pale for small words."""


def show(figure: go.Figure, key: str, alt: str, toolbar: bool = True) -> None:
    """Show a chart in the page's text colour; `alt` says it in words, `toolbar` offers PNG and full screen."""
    ink = INK.get(st.context.theme.type or "")
    if ink:
        figure.update_layout(font_color=ink, legend_font_color=ink)
        figure.update_annotations(font_color=ink)
        figure.update_xaxes(tickfont_color=ink, title_font_color=ink)
        figure.update_yaxes(tickfont_color=ink, title_font_color=ink)
    config: dict[str, Any] = {"displayModeBar": None if toolbar else False, "displaylogo": False}
    st.plotly_chart(figure, key=key, alt=alt, config=config)
