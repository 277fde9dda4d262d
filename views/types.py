"""The eight lesion types in words."""

import streamlit as st

from skinapp.errors import SkinAppError
from skinapp.ui import loaders, types

st.title("Lesion types", anchor=False)
st.caption("What each of the eight labels means, what it covers in this data, and whether it is counted as malignant.")

try:
    for card in types.cards(loaders.table(loaders.TABLES / "ham10000.parquet")):
        types.show(card)
except SkinAppError as error:
    st.error(str(error))
