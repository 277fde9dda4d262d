"""What one visitor's session holds: the only copy of the session keys.

Photos and answers live here and nowhere else: never in a cache that visitors share, never in a log.
"""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from skinapp.assessment.assess import Assessment
from skinapp.examples import Example

_ANSWER, _ROUND = "answer", "round"


@dataclass(frozen=True, eq=False)
class Answer:
    """One photo's answer, what the network saw (uint8 (s, s, 3)) and, for an example, what it is and whose."""

    assessment: Assessment
    view: np.ndarray
    example: Example | None = None
    attribution: str = ""


def answer() -> Answer | None:
    """Return the answer on show, if there is one."""
    shown: Answer | None = st.session_state.get(_ANSWER)
    return shown


def keep(given: Answer) -> None:
    """Put an answer on show."""
    st.session_state[_ANSWER] = given


def start_over() -> None:
    """Forget photo and answer; every widget of the page begins empty."""
    this_round = round_number()
    st.session_state.clear()
    st.session_state[_ROUND] = this_round + 1


def round_number() -> int:
    """Count the fresh starts of this session; widgets carry it in their keys, so that a new round empties them."""
    return int(st.session_state.get(_ROUND, 0))


def widget_key(name: str) -> str:
    """Return the key of a widget of this round."""
    return f"{name}-{round_number()}"
