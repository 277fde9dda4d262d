"""One photo in, two answers out."""

import streamlit as st

from skinapp.ui import frame, state
from skinapp.ui.classify import answer, assessor, photo_input

with frame.page(
    "Classify a lesion", "Two answers to one dermoscopy photo: malignant or benign, and which of eight lesion types."
):
    introduction = st.container()
    answer.assess(photo_input.show())
    if answered := state.get_answer():
        st.button("Start over", icon=":material/restart_alt:", on_click=state.start_over)
        answer.show(answered)
    elif refusal := state.get_photo_refusal():
        st.error(refusal)
    else:
        with introduction:
            photo_input.show_introduction()
        assessor.start_loading()
