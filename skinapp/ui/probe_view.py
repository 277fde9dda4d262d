"""What trivial facts alone would predict: the stored shortcut probe of a table."""

import streamlit as st


def show(name: str) -> None:
    """Show the stored probes of a table."""
    st.subheader("Shortcut probe", anchor=False)
