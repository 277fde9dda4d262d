"""Your call first: the reader commits before the answer opens."""

import streamlit as st

from skinapp.inference.triage import Triage
from skinapp.inference.your_call import ASK, FLAG, LEAVE, Call, describe_agreement, describe_call
from skinapp.ui import state
from skinapp.ui.state import Answer

TOGGLE = "Your call first"
HELP = (
    "You say what you would do before the answer opens. How often you and the answer agree is counted until you "
    "forget your answers or leave; it is stored nowhere."
)


def show_toggle() -> None:
    """Let the reader ask for the call before the answer."""
    key = state.build_widget_key("call-first")
    if state.get_widget(key) is None:
        state.set_widget(key, state.get_choices().call_first)
    st.toggle(TOGGLE, key=key, on_change=lambda: state.keep_choices(call_first=state.get_widget(key)), help=HELP)


def is_wanted(answer: Answer) -> bool:
    """Tell whether the reader's call on an answer is still wanted."""
    return state.get_choices().call_first and answer.id not in state.get_desk().calls


def ask(answer: Answer, triage: Triage) -> None:
    """Ask for the reader's call on a photo; the answer opens with it, or without it."""
    st.subheader(ASK, anchor=False)
    with st.container(horizontal=True):
        for words, flags in ((FLAG, True), (LEAVE, False)):
            call = Call(flags, triage.category)
            st.button(words, on_click=state.keep_call, args=(answer.id, call), width=240)
    st.button("Open the answer without a call", type="tertiary", on_click=state.keep_call, args=(answer.id, None))


def show_agreement(answer: Answer) -> None:
    """Show whether the reader's call agrees with the answer, and how often it did so far; nothing without a call."""
    calls = state.get_desk().calls
    call = calls.get(answer.id)
    if call is not None and (said := describe_call(call)):
        st.markdown(f":material/how_to_reg: {said} {describe_agreement(filter(None, calls.values()))}")
