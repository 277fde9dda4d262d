"""A run's figures and predictions as files to take away."""

import pandas as pd
import streamlit as st

from skinapp.runs.open_run import OpenRun
from skinapp.runs.predictions import Predictions
from skinapp.text_tables.write import encode_csv


def show(opened: OpenRun) -> None:
    """Offer every figure with its interval, and the predictions themselves, as CSV."""
    intervals = opened.intervals()
    stem = opened.name.replace(" · ", "-").removesuffix(".csv")
    st.markdown("**Every figure** with its 95% interval, overall and by class; and **the predictions** they come from.")
    with st.container(horizontal=True):
        st.download_button(
            "Figures (CSV)",
            lambda: encode_csv(pd.DataFrame() if intervals is None else intervals),
            f"{stem}-figures.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/csv:",
            disabled=intervals is None,
            help="Their intervals are still being drawn." if intervals is None else None,
        )
        st.download_button(
            "Predictions (CSV)",
            lambda: encode_csv(_drop_row_numbers(opened.run)),
            f"{stem}-predictions.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
        )
    st.caption("Predictions open again under *Open your own*, here or elsewhere. Each chart's toolbar saves the chart.")


def _drop_row_numbers(run: Predictions) -> pd.DataFrame:
    """Return the predictions, without ids that are only the numbers of rows: elsewhere they would pass for ids."""
    if not run.numbered:
        return run.frame
    alone = (run.frame["lesion_id"] == run.frame["image_id"]).all()
    return run.frame.drop(columns=["image_id", "lesion_id"] if alone else ["image_id"])
