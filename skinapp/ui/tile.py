"""A figure with a plain line below it."""

from typing import Literal

import streamlit as st


def show_metric(
    label: str,
    value: str,
    below: str = "",
    meaning: str | None = None,
    *,
    width: Literal["stretch", "content"] | int = "stretch",
    height: Literal["stretch", "content"] = "content",
) -> None:
    """Show a figure; `below` is a plain line below it, `meaning` its help."""
    st.metric(
        label,
        value,
        below or None,  # Streamlit takes it for a change and would colour it
        delta_color="off",
        delta_arrow="off",
        help=meaning,
        border=True,
        width=width,
        height=height,
    )
