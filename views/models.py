"""What is known of each model, and what is not."""

import streamlit as st

from skinapp.errors import SkinAppError
from skinapp.ui.models import page

st.title("Models", anchor=False)
st.caption("What each network is for, what it learned from, how well it does on test photos, and what is not known.")

try:
    page.show(page.chosen())
except SkinAppError as error:
    st.error(str(error))
