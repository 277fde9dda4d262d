"""What one visitor's session holds, and the only copy of the session keys.

Photos, answers and a visitor's own tables are kept here only, never in a shared cache or a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from skinapp.datasets.filters import FilterIndex
from skinapp.inference.answer import Answer as Answer
from skinapp.inference.desk import Choices, Desk
from skinapp.inference.your_call import Call
from skinapp.runs.open_run import OpenRun
from skinapp.ui import uploads

if TYPE_CHECKING:  # brings OpenCV, which few pages need
    from skinapp.inference.what_if import WhatIf

_WHAT_IF = "what-if"
_DESK, _ROUND, _OWN, _REFUSED = "desk", "round", "own-table", "refused-table"
_RUNS, _REFUSED_RUNS, _LISTED_RUNS = "own-runs", "refused-runs", "listed-runs"
_CHOICES, _PAGE = "choices", "page"

MAX_RUNS_BYTES = 500 * 2**20
"""The most that a visitor's own runs may hold in memory together; the oldest go first."""


@dataclass(frozen=True, eq=False)
class OwnTable:
    """A visitor's own image table, with its name and filter index.

    `root` is the folder that its paths start from, None where no photo may be shown. `notes` are sentences for the
    visitor. `findings` is its audit (skinapp.datasets.audit.table), None before the visitor starts one. `content` is
    the sha256 of an uploaded file, and empty for a folder.
    """

    name: str
    table: pd.DataFrame
    index: FilterIndex
    root: Path | None
    notes: tuple[str, ...] = ()
    findings: pd.DataFrame | None = None
    content: str = ""


def get_desk() -> Desk:
    """Return what lies on the visitor's desk on Classify."""
    desk: Desk = st.session_state.get(_DESK) or Desk()
    return desk


def keep_desk(desk: Desk) -> None:
    """Keep what lies on the visitor's desk on Classify, also while the visitor is on other pages."""
    st.session_state[_DESK] = desk


def clear_desk() -> None:
    """Close the answer that is open and let the photos go that wait for their frame; the answers stay."""
    keep_desk(get_desk().clear())
    uploads.release_all()


def open_draft(draft_id: str | None) -> None:
    """Open the frame of one of several photos, or None of them."""
    keep_desk(replace(get_desk(), framing=draft_id))


def open_answer(answer_id: int) -> None:
    """Open an answer of the tray."""
    keep_desk(replace(get_desk().clear(), opened=answer_id))


def forget_drafts() -> None:
    """Forget the photos that wait for their frame; an open answer stays."""
    if get_desk().drafts:
        keep_desk(get_desk().clear())


def add_to_lesion(answer_id: int) -> None:
    """Clear the desk for another photo of the lesion of an answer."""
    clear_desk()
    keep_desk(replace(get_desk(), joining=answer_id))


def join_lesion(answer_id: int, others: list[int]) -> None:
    """Keep that an answer and others, by their ids, are to photos of one lesion."""
    keep_desk(get_desk().join(answer_id, *others))


def keep_call(answer_id: int, call: Call | None) -> None:
    """Keep the visitor's call on an answer; None opens it without one."""
    desk = get_desk()
    keep_desk(replace(desk, calls={**desk.calls, answer_id: call}))


def get_what_if(answer: Answer) -> "WhatIf | None":
    """Return how the score of this answer's photo moves with changes; None where that was not asked for last."""
    kept: tuple[Answer, WhatIf] | None = st.session_state.get(_WHAT_IF)
    return kept[1] if kept and kept[0] is answer else None


def keep_what_if(answer: Answer, found: "WhatIf") -> None:
    """Keep how the score of this answer's photo moves with changes, until another answer is asked about."""
    st.session_state[_WHAT_IF] = (answer, found)


def start_over() -> None:
    """Forget the photos and their answers, and empty every widget.

    The visitor's own tables and runs, and what was chosen for every answer, stay.
    """
    kept = {_ROUND: get_round() + 1, _OWN: get_own_table(), _RUNS: get_own_runs(), _CHOICES: get_choices()}
    kept[_PAGE] = st.session_state.get(_PAGE)
    st.session_state.clear()
    st.session_state.update(kept)
    uploads.release_all()


def turn_to(page: str) -> bool:
    """Keep which page the visitor is on, and tell whether the visitor was on another one before."""
    before, st.session_state[_PAGE] = st.session_state.get(_PAGE), page
    return before not in {None, page}


def hold_widgets(*names: str) -> None:
    """Hold the values of widgets that are not on the page of this run; Streamlit would forget them."""
    for key in map(build_widget_key, names):
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


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


def keep_runs(runs: Mapping[str, OpenRun], refused: Mapping[str, str]) -> None:
    """Keep the visitor's own runs by name, the oldest first, and why other files were refused, by their names.

    The oldest runs go where all together hold more than MAX_RUNS_BYTES; the last one stays.
    """
    kept, held = dict(runs), {name: count_run_bytes(opened) for name, opened in runs.items()}
    while sum(held.values()) > MAX_RUNS_BYTES and len(kept) > 1:
        oldest = next(iter(kept))
        del kept[oldest], held[oldest]
        refused = {**refused, oldest: f"{oldest} was closed: your own predictions together hold too much memory."}
    st.session_state[_RUNS], st.session_state[_REFUSED_RUNS] = kept, dict(refused)


def count_run_bytes(opened: OpenRun) -> int:
    """Count the bytes that the tables of a run hold in memory."""
    return sum(int(frame.memory_usage(deep=True).sum()) for frame in (opened.run.frame, opened.facts))


def forget_runs() -> None:
    """Forget all of the visitor's own runs."""
    keep_runs({}, {})


def get_run_refusals() -> tuple[str, ...]:
    """Return why files of predictions in the uploader were refused."""
    why: dict[str, str] = st.session_state.get(_REFUSED_RUNS, {})
    return tuple(why.values())


def get_listed_runs() -> dict[str, str]:
    """Return the files that the uploader of predictions showed when it was last drawn: their names by their ids."""
    listed: dict[str, str] = st.session_state.get(_LISTED_RUNS, {})
    return listed


def keep_listed_runs(names: Mapping[str, str]) -> None:
    """Keep which files the uploader of predictions shows: their names by their ids."""
    st.session_state[_LISTED_RUNS] = dict(names)


def get_choices() -> Choices:
    """Return what the visitor chose for every answer."""
    choices: Choices = st.session_state.get(_CHOICES) or Choices()
    return choices


def keep_choices(**changed: Any) -> None:
    """Keep what the visitor chose for every answer; fields of Choices that are not named stay."""
    st.session_state[_CHOICES] = replace(get_choices(), **changed)


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


def build_chooser_key(name: str) -> str:
    """Return the key of a widget that is emptied as soon as the photos in it were read."""
    return f"{build_widget_key(name)}-{get_desk().emptied}"
