"""The Evaluation page: choice of the run, its overall figures, and one section."""

import streamlit as st

from skinapp.errors import RunError
from skinapp.runs.open_run import OpenRun
from skinapp.runs.own.read import NOTE
from skinapp.runs.seven import can_merge_to_seven
from skinapp.ui import loaders, state
from skinapp.ui.evaluation import answers, compare, export, groups, headline, own_predictions, scores

SECTIONS = {
    "Errors": answers.show_mistakes,
    "Confusion": answers.show_confusion,
    "Classes": answers.show_classes,
    "Curves": scores.show_curves,
    "Threshold": scores.show_threshold,
    "Calibration": scores.show_calibration,
    "Subgroups": groups.show_subgroups,
    "Repeats": groups.show_repeats,
    "Compare": compare.show_comparison,
    "Training": groups.show_training,
    "Export": export.show,
}

_RUN = "run"
SEVEN_HELP = (
    "HAM10000 has seven types. It labels squamous cell carcinoma, a type of its own in ISIC 2019, as actinic keratosis."
)


def choose_run() -> OpenRun:
    """Let the reader choose a stored run or upload predictions; RunError where none is stored or the run is damaged."""
    choice, bring = st.columns([3, 1], vertical_alignment="bottom")
    with bring:
        own_predictions.show_upload(_RUN)
    own, shipped = state.get_own_runs(), loaders.list_runs()
    names = [*shipped, *own]
    if not names:
        raise RunError("There is no stored run. Make one with `skinapp evaluate`, or open your own predictions.")
    unknown = [name for name in st.query_params.get_all(_RUN) if name not in names]
    chosen = choice.selectbox("Stored run", names, key=_RUN, bind="query-params")
    own_predictions.show_refusals()
    if unknown:
        st.info("The link names a run that does not exist here. Another one is shown.")
    return _offer_seven(own_predictions.get_run(chosen))


def _offer_seven(opened: OpenRun) -> OpenRun:
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
    """Show a run: its notes, its overall figures, and the chosen section."""
    for note in opened.notes:
        st.info(note)
    own_predictions.ask_about_classes(opened)
    headline.show(opened)
    first, *_ = SECTIONS
    section = st.pills("Section", tuple(SECTIONS), default=first, required=True, key="section", bind="query-params")
    SECTIONS[section or first](opened)
    st.caption(f"**Limits of the data.** {opened.origin.note if opened.origin else NOTE}")
