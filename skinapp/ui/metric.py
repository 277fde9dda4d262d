"""A figure on a page, with a plain line below it."""

from typing import Literal

import streamlit as st


def metric(
    label: str,
    value: str,
    below: str = "",
    meaning: str | None = None,
    *,
    width: Literal["stretch", "content"] | int = "stretch",
    height: Literal["stretch", "content"] = "content",
) -> None:
    """Show a figure, with `meaning` as its help; Streamlit calls the line below it a delta and would colour it."""
    st.metric(
        label,
        value,
        below or None,
        delta_color="off",
        delta_arrow="off",
        help=meaning,
        border=True,
        width=width,
        height=height,
    )
