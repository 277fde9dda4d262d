"""How skewed data fools a score: earlier claims, measured again."""

import streamlit as st

from skinapp.errors import SkinAppError
from skinapp.ui import story

st.title("How skewed data fools a score", anchor=False)
st.caption(story.introduction())

try:
    story.show()
except SkinAppError as error:
    st.error(str(error))
