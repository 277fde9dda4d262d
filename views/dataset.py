"""Look at the data before believing a score."""

import streamlit as st

from skinapp.errors import SkinAppError
from skinapp.ui.dataset import page

st.title("Dataset", anchor=False)
st.caption("What the networks learned from, or a table of your own. Look at the data before believing a score.")

try:
    page.show(page.open_table())
except SkinAppError as error:
    st.error(str(error))
