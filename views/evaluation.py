"""What stored runs say of a model."""

import streamlit as st

from skinapp.errors import SkinAppError
from skinapp.ui.evaluation import page

st.title("Evaluation", anchor=False)
st.caption("Every figure is computed from stored predictions; intervals are 95%, by bootstrap over lesions.")

try:
    page.show(page.open_run())
except SkinAppError as error:
    st.error(str(error))
