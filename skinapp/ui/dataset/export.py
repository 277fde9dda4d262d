"""The filtered table as a file to download."""

import streamlit as st

from skinapp.text_tables.write import encode_csv, encode_parquet
from skinapp.ui.dataset.filters import FilteredTable


def show(name: str, filtered: FilteredTable) -> None:
    """Offer the filtered rows as CSV and Parquet; a file is made only when it is downloaded."""
    rows = "all rows" if filtered.whole else "the filtered rows"
    st.markdown(f"**{filtered.photos:,} photos**: {rows} of *{name}* with every column. Facts only, no photos.")
    stem = name.rsplit(".", 1)[0] + ("" if filtered.whole else "-filtered")
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: encode_csv(filtered.columns()),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/csv:",
        )
        st.download_button(
            "Parquet",
            lambda: encode_parquet(filtered.columns()),
            f"{stem}.parquet",
            "application/vnd.apache.parquet",
            on_click="ignore",
            icon=":material/table:",
        )
    st.caption(
        "CSV opens everywhere; text that a spreadsheet would run as a formula gets an apostrophe in front. Parquet "
        "keeps the types, and every `skinapp` command can read it. To save a chart, use its toolbar."
    )
