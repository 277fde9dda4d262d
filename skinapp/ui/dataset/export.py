"""The filtered table as a file to take away."""

import streamlit as st

from skinapp.datasets.export import csv_bytes, parquet_bytes
from skinapp.ui.dataset.filters import FilteredTable


def show(name: str, kept: FilteredTable) -> None:
    """Offer the kept rows as CSV and Parquet; a file is made only when it is asked for."""
    kind = "all" if kept.whole else "the kept"
    st.markdown(f"**{kept.photos:,} photos**, {kind} rows of *{name}* with every column. Facts only, no photo.")
    stem = name.rsplit(".", 1)[0] + ("" if kept.whole else "-filtered")
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: csv_bytes(kept.columns()),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/csv:",
        )
        st.download_button(
            "Parquet",
            lambda: parquet_bytes(kept.columns()),
            f"{stem}.parquet",
            "application/vnd.apache.parquet",
            on_click="ignore",
            icon=":material/table:",
        )
    st.caption(
        "CSV opens everywhere; text that a spreadsheet would run as a formula gets an apostrophe in front. Parquet "
        "keeps the types, and every `skinapp` command reads it. Each chart's toolbar saves the chart itself."
    )
