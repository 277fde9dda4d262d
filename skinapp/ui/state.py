"""What one visitor's session holds: the only copy of the session keys.

Photos, answers and a visitor's own tables live here and nowhere else: never in a cache that visitors share, never in
a log.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from skinapp.datasets.filters import FilterIndex
from skinapp.datasets.showcase import Example
from skinapp.inference.assessment import Assessment
from skinapp.ui.open_run import OpenRun

_ANSWER, _ROUND, _OWN, _REFUSED = "answer", "round", "own-table", "refused-table"
_RUNS, _REFUSED_RUN = "own-runs", "refused-run"
_PREVALENCE = "prevalence"


@dataclass(frozen=True, eq=False)
class Answer:
    """One photo's answer, what the network saw (uint8 (s, s, 3)) and, for an example, what it is and whose."""

    assessment: Assessment
    view: np.ndarray
    example: Example | None = None
    attribution: str = ""


@dataclass(frozen=True, eq=False)
class OwnTable:
    """An image table that the visitor brought: its name, what selecting from it needs, what she should know of it.

    `root` is the folder that its paths start from, None where no photo may be shown; `notes` are sentences,
    `findings` its audit (skinapp.datasets.audit.table), None before one was asked for.
    """

    name: str
    table: pd.DataFrame
    index: FilterIndex
    root: Path | None
    notes: tuple[str, ...] = ()
    findings: pd.DataFrame | None = None


def answer() -> Answer | None:
    """Return the answer on show, if there is one."""
    shown: Answer | None = st.session_state.get(_ANSWER)
    return shown


def keep(given: Answer) -> None:
    """Put an answer on show."""
    st.session_state[_ANSWER] = given


def start_over() -> None:
    """Forget photo and answer; every widget begins empty.

    Tables and predictions that the visitor brought stay, and the prevalence, which is that of her patients.
    """
    kept = {_ROUND: round_number() + 1, _OWN: own_table(), _RUNS: own_runs(), _PREVALENCE: prevalence()}
    st.session_state.clear()
    st.session_state.update(kept)


def own_table() -> OwnTable | None:
    """Return the table that the visitor brought, if she did."""
    brought: OwnTable | None = st.session_state.get(_OWN)
    return brought


def keep_table(brought: OwnTable | None) -> None:
    """Keep the table that the visitor brought, in place of any before it; None forgets it."""
    st.session_state[_OWN], st.session_state[_REFUSED] = brought, None


def keep_findings(findings: pd.DataFrame) -> None:
    """Keep the audit of the table that the visitor brought; without such a table nothing is kept."""
    brought = own_table()
    if brought is not None:
        st.session_state[_OWN] = replace(brought, findings=findings)


def refused_table() -> str | None:
    """Return why the last table that the visitor brought was not taken, if it was not."""
    why: str | None = st.session_state.get(_REFUSED)
    return why


def refuse_table(why: str) -> None:
    """Keep why a table was not taken, until another is."""
    st.session_state[_REFUSED] = why


def own_runs() -> dict[str, OpenRun]:
    """Return the runs that the visitor brought, by name, in the order in which they came."""
    brought: dict[str, OpenRun] = st.session_state.get(_RUNS, {})
    return brought


def keep_runs(brought: list[OpenRun], refused: str | None = None) -> None:
    """Keep runs that the visitor brought beside those before them, and why others were not taken."""
    st.session_state[_RUNS] = own_runs() | {opened.name: opened for opened in brought}
    st.session_state[_REFUSED_RUN] = refused


def forget_runs() -> None:
    """Forget all runs that the visitor brought."""
    st.session_state[_RUNS], st.session_state[_REFUSED_RUN] = {}, None


def refused_run() -> str | None:
    """Return why the last predictions that the visitor brought were not taken, if they were not."""
    why: str | None = st.session_state.get(_REFUSED_RUN)
    return why


def prevalence() -> float | None:
    """Return how many of 100 lesions are malignant where the visitor works; None where she did not say."""
    said: float | None = st.session_state.get(_PREVALENCE)
    return said


def keep_prevalence(said: float | None) -> None:
    """Keep how many of 100 lesions are malignant where the visitor works; None goes back to the model's own."""
    st.session_state[_PREVALENCE] = said


def widget_value(key: str) -> Any:
    """Return what a widget holds, None before it was shown."""
    return st.session_state.get(key)


def set_widget(key: str, value: object) -> None:
    """Give a widget a value, and with it the address where the widget is kept there; not after it was shown."""
    st.session_state[key] = value


def round_number() -> int:
    """Count the fresh starts of this session; widgets carry it in their keys, so that a new round empties them."""
    return int(st.session_state.get(_ROUND, 0))


def widget_key(name: str) -> str:
    """Return the key of a widget of this round."""
    return f"{name}-{round_number()}"
