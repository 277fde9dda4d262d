"""Skinapp's entry: page config, navigation, the notice."""

import streamlit as st

from skinapp.notice import NOTICE

st.set_page_config(page_title="Skinapp", page_icon=":material/dermatology:", layout="wide")

page = st.navigation(
    [
        st.Page("views/classify.py", title="Classify", icon=":material/dermatology:", default=True),
        st.Page("views/types.py", title="Lesion types", icon=":material/category:"),
        st.Page("views/dataset.py", title="Dataset", icon=":material/database:"),
        st.Page("views/evaluation.py", title="Evaluation", icon=":material/monitoring:"),
        st.Page("views/models.py", title="Models", icon=":material/badge:"),
        st.Page("views/story.py", title="Story", icon=":material/auto_stories:"),
    ],
    position="top",
)
page.run()
st.divider()
st.caption(NOTICE)
