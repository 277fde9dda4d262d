"""A run in a line: its figures with their intervals, beside no skill and the shortcut probe."""

import streamlit as st

from skinapp.runs.baselines import compute_no_skill
from skinapp.runs.predictions import Predictions
from skinapp.runs.summary import Headline, compute_headline
from skinapp.ui import loaders
from skinapp.ui.evaluation import widgets
from skinapp.ui.open_run import OpenRun

NO_SKILL_HELP = (
    "**No skill** gives every photo the shares of the classes, and so always answers the most frequent one. "
    "**Shortcut probe** knows colour, light, size, camera and source of these photos, but not the lesion. "
    "What a model scores above them it may owe to the lesion, or to traces that the probe is not told of: hair, "
    "rulers, ink."
)
_STEP_S = 0.2


def show(opened: OpenRun) -> None:
    """Show the figures at once; intervals that are not stored are drawn while the page can be used."""
    if opened.intervals() is None:
        st.fragment(_drawn, run_every=_STEP_S)(opened)
    else:
        widgets.run_headline(opened.cached(compute_headline), opened.intervals())
    with st.expander("Beside no skill and the shortcut probe"):
        _baselines(opened)


def _drawn(opened: OpenRun) -> None:
    widgets.run_headline(opened.cached(compute_headline), None)
    share = opened.draw_on()
    if share == 1:
        st.rerun()
    st.progress(share, "Drawing lesions anew for the 95% intervals")


def _baselines(opened: OpenRun) -> None:
    rows: dict[str, Headline] = {
        "This run": opened.cached(compute_headline),
        "No skill": opened.cached(compute_no_skill),
    }
    probe = opened.cached(loaders.find_probe, opened.origin.table) if opened.origin else None
    if probe is not None:
        rows["Shortcut probe"] = compute_headline(probe)
    widgets.headline_table(rows)
    st.caption(NO_SKILL_HELP + _probe_in_words(opened.run, probe))


def _probe_in_words(run: Predictions, probe: Predictions | None) -> str:
    if probe is None:
        return " No probe of these photos is stored."
    if len(probe.frame) < len(run.frame):
        return f" The probe knows {len(probe.frame):,} of these photos."
    return ""
