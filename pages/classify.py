"""Photos in, two answers out for each."""

import streamlit as st

from skinapp.ui import frame, state
from skinapp.ui.classify import answer, assessor, drafting, framing, photo_input, same_lesion, tray, your_call

with frame.page(
    "Classify a lesion", "Two answers to one dermoscopy photo: malignant or benign, and which of eight lesion types."
):
    photo_input.take_handed_files()
    desk = state.get_desk()
    if desk.answer:
        tray.show_row(desk.answer)
        answer.show(desk.answer)
        tray.show()
    elif desk.drafts:
        photo_input.show_refusals()
        same_lesion.show_pending()
        framing.show()
        your_call.show_toggle()
    else:
        introduction = st.container()
        same_lesion.show_pending()
        if chosen := photo_input.show():
            drafting.draft(chosen)
            st.rerun()
        your_call.show_toggle()
        with introduction:
            if not desk.answers:
                photo_input.show_introduction()
        photo_input.show_refusals()
        tray.show()
        assessor.start_loading()
