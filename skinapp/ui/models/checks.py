"""Section of the Models page on the checks before an answer and on what stands beside it."""

import pandas as pd
import streamlit as st

from skinapp.cards.checks import FactTable, list_tables
from skinapp.models.card import Card

CAPTION = "Before it answers, the app checks the photo. Beside an answer it shows how sure it is, and its evidence."
NONE = (
    "Nothing was measured yet of its checks and its evidence. `skinapp gate`, `skinapp quality` and `skinapp evidence` "
    "measure them, and `skinapp card` measures how sure the answers are."
)


def show(card: Card) -> None:
    """Show how well the checks of a model work and how far its evidence can be trusted, each as a table."""
    st.subheader("Checks and evidence beside an answer", anchor=False)
    tables = list_tables(card)
    st.caption(CAPTION if tables else NONE)
    for table in tables:
        with st.expander(table.title):
            _show_table(table)


def _show_table(table: FactTable) -> None:
    first, *_ = table.columns
    st.table(pd.DataFrame(table.rows, columns=list(table.columns)).set_index(first))
    st.caption(table.note)
