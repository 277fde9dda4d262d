"""What one visitor's session holds, and the only copy of the session keys.

Photos, answers and a visitor's own tables are kept here only, never in a shared cache or a log.
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
from skinapp.runs.open_run import OpenRun

_ANSWER, _ROUND, _OWN, _REFUSED = "answer", "round", "own-table", "refused-table"
_RUNS, _REFUSED_RUN = "own-runs", "refused-run"
_PREVALENCE = "prevalence"


@dataclass(frozen=True, eq=False)
class Answer:
    """One photo's answer and what the network saw, uint8 (s, s, 3); for an example also its label and attribution."""

    assessment: Assessment
    view: np.ndarray
    example: Example | None = None
    attribution: str = ""


@dataclass(frozen=True, eq=False)
class OwnTable:
    """A visitor's own image table, with its name and filter index.

    `root` is the folder that its paths start from, None where no photo may be shown. `notes` are sentences for the
    visitor. `findings` is its audit (skinapp.datasets.audit.table), None before the visitor starts one.
    """

    name: str
    table: pd.DataFrame
    index: FilterIndex
    root: Path | None
    notes: tuple[str, ...] = ()
    findings: pd.DataFrame | None = None


def get_answer() -> Answer | None:
    """Return the answer on show, or None."""
    shown: Answer | None = st.session_state.get(_ANSWER)
    return shown


def keep_answer(answer: Answer) -> None:
    """Keep an answer to show it."""
    st.session_state[_ANSWER] = answer


def start_over() -> None:
    """Forget the photo and its answer, and empty every widget.

    The visitor's own tables, runs and prevalence stay.
    """
    kept = {_ROUND: get_round() + 1, _OWN: get_own_table(), _RUNS: get_own_runs(), _PREVALENCE: get_prevalence()}
    st.session_state.clear()
    st.session_state.update(kept)


def get_own_table() -> OwnTable | None:
    """Return the visitor's own table, or None."""
    brought: OwnTable | None = st.session_state.get(_OWN)
    return brought


def keep_table(brought: OwnTable | None) -> None:
    """Keep the visitor's own table in place of the one before; None forgets it."""
    st.session_state[_OWN], st.session_state[_REFUSED] = brought, None


def keep_findings(findings: pd.DataFrame) -> None:
    """Keep the audit of the visitor's own table; without such a table nothing is kept."""
    brought = get_own_table()
    if brought is not None:
        st.session_state[_OWN] = replace(brought, findings=findings)


def get_table_refusal() -> str | None:
    """Return why the visitor's last table was refused, or None."""
    why: str | None = st.session_state.get(_REFUSED)
    return why


def keep_table_refusal(why: str) -> None:
    """Keep why a table was refused, until another one is taken."""
    st.session_state[_REFUSED] = why


def get_own_runs() -> dict[str, OpenRun]:
    """Return the visitor's own runs by name, the oldest first."""
    brought: dict[str, OpenRun] = st.session_state.get(_RUNS, {})
    return brought


def keep_runs(brought: list[OpenRun], refused: str | None = None) -> None:
    """Add runs to the visitor's own, and keep why others were refused."""
    st.session_state[_RUNS] = get_own_runs() | {opened.name: opened for opened in brought}
    st.session_state[_REFUSED_RUN] = refused


def forget_runs() -> None:
    """Forget all of the visitor's own runs."""
    st.session_state[_RUNS], st.session_state[_REFUSED_RUN] = {}, None


def get_run_refusal() -> str | None:
    """Return why the visitor's last predictions were refused, or None."""
    why: str | None = st.session_state.get(_REFUSED_RUN)
    return why


def get_prevalence() -> float | None:
    """Return the visitor's prevalence, malignant lesions per 100; None where she set none."""
    per_100: float | None = st.session_state.get(_PREVALENCE)
    return per_100


def keep_prevalence(per_100: float | None) -> None:
    """Keep the visitor's prevalence, malignant lesions per 100; None goes back to the model's own."""
    st.session_state[_PREVALENCE] = per_100


def get_widget(key: str) -> Any:
    """Return the value of a widget; None before it was shown."""
    return st.session_state.get(key)


def set_widget(key: str, value: object) -> None:
    """Set the value of a widget that is not shown yet in this run; a bound query parameter follows."""
    st.session_state[key] = value


def get_round() -> int:
    """Return how often this session started over; it is part of widget keys, so starting over empties the widgets."""
    return int(st.session_state.get(_ROUND, 0))


def build_widget_key(name: str) -> str:
    """Return the key of a widget that starting over empties."""
    return f"{name}-{get_round()}"
