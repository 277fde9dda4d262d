"""A photo in, two donuts out."""

import streamlit as st

from skinapp.errors import SkinAppError
from skinapp.ui import state
from skinapp.ui.classify import answer, photo_input

st.title("Classify a lesion", anchor=False)
st.caption("Two answers to one dermoscopy photo: malignant or benign, and which of eight lesion types.")

introduction = st.container()
incoming = photo_input.photo_input()
if incoming is None:
    with introduction:
        photo_input.introduction()
else:
    try:
        with st.spinner("Looking at the photo"):
            given = answer.assessed(incoming)
        st.button("Start over", icon=":material/restart_alt:", on_click=state.start_over)
        answer.show(given)
    except SkinAppError as error:
        st.error(str(error))
