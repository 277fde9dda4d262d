"""Skinapp's entry script: page settings, navigation, the page, and the notice below it."""

import streamlit as st

from skinapp.notice import NOTICE
from skinapp.ui import frame

st.set_page_config(page_title="Skinapp", page_icon=":material/dermatology:", layout="wide")
frame.run_page()
st.divider()
st.caption(NOTICE)
