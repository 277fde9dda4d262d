"""The overall figures of a run with their intervals, and those of no skill and the shortcut probe."""

import streamlit as st

from skinapp.runs.baselines import compute_no_skill
from skinapp.runs.open_run import OpenRun
from skinapp.runs.predictions import Predictions
from skinapp.runs.summary import Headline, compute_headline
from skinapp.ui import loaders
from skinapp.ui.evaluation import widgets

NO_SKILL_HELP = (
    "**No skill** gives every photo the same scores, the shares of the classes, so its answer is always the most "
    "frequent class. "
    "**Shortcut probe** knows colour, light, size, camera and source of these photos, but not the lesion. "
    "A model that scores higher may have learned from the lesion, or from traces that the probe does not know: hair, "
    "rulers, ink."
)
_STEP_S = 0.2


def show(opened: OpenRun) -> None:
    """Show the figures at once; intervals that are not stored are computed while the page stays usable."""
    if opened.intervals() is None:
        st.fragment(_show_while_drawing, run_every=_STEP_S)(opened)
    else:
        widgets.show_headline(opened.cached(compute_headline), opened.intervals())
    with st.expander("Compared with no skill and the shortcut probe"):
        _show_baselines(opened)


def _show_while_drawing(opened: OpenRun) -> None:
    widgets.show_headline(opened.cached(compute_headline), None)
    share = opened.draw_on()
    if share == 1:
        st.rerun()
    st.progress(share, "Computing 95% intervals")


def _show_baselines(opened: OpenRun) -> None:
    rows: dict[str, Headline] = {
        "This run": opened.cached(compute_headline),
        "No skill": opened.cached(compute_no_skill),
    }
    probe = opened.cached(loaders.find_probe, opened.origin.table) if opened.origin else None
    if probe is not None:
        rows["Shortcut probe"] = compute_headline(probe)
    widgets.show_headline_table(rows)
    st.caption(NO_SKILL_HELP + _describe_probe(opened.run, probe))


def _describe_probe(run: Predictions, probe: Predictions | None) -> str:
    if probe is None:
        return " No probe of these photos is stored."
    if len(probe.frame) < len(run.frame):
        return f" The probe knows {len(probe.frame):,} of these photos."
    return ""
