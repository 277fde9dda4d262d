"""The Evaluation page's frame: which run, its figures in a line, which section of it is looked at."""

import streamlit as st

from skinapp.errors import RunError
from skinapp.runs.own.read import NOTE
from skinapp.runs.seven import can_merge_to_seven
from skinapp.ui import loaders, state
from skinapp.ui.evaluation import answers, compare, export, groups, headline, own_predictions, scores
from skinapp.ui.open_run import OpenRun

SECTIONS = {
    "Errors": answers.mistakes,
    "Confusion": answers.confusion,
    "Classes": answers.classes,
    "Curves": scores.curves,
    "Threshold": scores.threshold,
    "Calibration": scores.calibration,
    "Subgroups": groups.subgroups,
    "Repeats": groups.repeats,
    "Compare": compare.compare,
    "Training": groups.training,
    "Export": export.show,
}

_RUN = "run"
SEVEN_HELP = (
    "HAM10000's paper has seven types: its actinic keratoses include what ISIC 2019 calls squamous cell carcinoma."
)


def choose_run() -> OpenRun:
    """Let the reader choose a stored run, or bring predictions; RunError where none is stored or it is damaged."""
    choice, bring = st.columns([3, 1], vertical_alignment="bottom")
    with bring:
        own_predictions.show_upload(_RUN)
    own, shipped = state.get_own_runs(), loaders.list_runs()
    names = [*shipped, *own]
    if not names:
        raise RunError("No stored run is here. Make one with `skinapp evaluate`, or open predictions of your own.")
    asked = [name for name in st.query_params.get_all(_RUN) if name not in names]
    chosen = choice.selectbox("Stored run", names, key=_RUN, bind="query-params")
    own_predictions.show_refusal()
    if asked:
        st.info("The address asks for a run that is not here. Another is shown.")
    return _as_seven(own_predictions.get_run(chosen))


def _as_seven(opened: OpenRun) -> OpenRun:
    if not opened.cached(can_merge_to_seven):
        return opened
    merged = st.toggle(
        "Seven types: count squamous cell carcinoma as actinic keratosis",
        key="seven",
        bind="query-params",
        help=SEVEN_HELP,
    )
    return opened.seven() if merged else opened


def show(opened: OpenRun) -> None:
    """Show a run: what a reader must know of it, its headline, and the one section that is looked at."""
    for note in opened.notes:
        st.info(note)
    headline.show(opened)
    first, *_ = SECTIONS
    section = st.pills("Section", tuple(SECTIONS), default=first, required=True, key="section", bind="query-params")
    SECTIONS[section or first](opened)
    st.caption(f"**Limits of the data.** {opened.origin.note if opened.origin else NOTE}")
