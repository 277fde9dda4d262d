"""The section of the Evaluation page that compares runs on the same photos."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from skinapp.charts.forest import compute_symmetric_domain, draw_forest_plot
from skinapp.errors import RunError
from skinapp.metrics.estimate import REPLICATES
from skinapp.metrics.labels import get_short_name
from skinapp.runs.open_run import MANY_PHOTOS, OpenRun
from skinapp.runs.predictions import Predictions
from skinapp.runs.seven import can_merge_to_seven
from skinapp.runs.summary import compute_headline
from skinapp.runs.views import compare as paired
from skinapp.ui import chart, loaders, state
from skinapp.ui.evaluation import own_predictions, widgets

R = TypeVar("R")

MAX_RUNS = 6
FEWER_REPLICATES = 100
"""Replicates for more than MANY_PHOTOS, where each takes long."""


def show_comparison(opened: OpenRun) -> None:
    """Show the figures of several runs as a table, and the difference to each with a paired interval."""
    others = _list_others(opened)
    if not others:
        st.info("There is no other run to compare with. Open predictions of your own, or make a run.")
        return
    chosen = st.multiselect(
        "Compare with", others, key="against", bind="query-params", max_selections=MAX_RUNS, placeholder="Choose runs"
    )
    if not chosen:
        st.caption("Choose one run to see the difference on the same photos, or several to see their figures together.")
        return
    against = [_match_types(own_predictions.get_run(name), opened) for name in chosen]
    widgets.show_headline_table({each.name: each.cached(compute_headline) for each in (opened, *against)})
    for other in against:
        _show_pair(opened, other)


def _show_pair(opened: OpenRun, other: OpenRun) -> None:
    st.subheader(f"Against {other.name}", anchor=False)
    try:
        comparison = _cached(opened, other, paired.compare_runs)
    except RunError as error:
        st.info(str(error))
        return
    widgets.show_comparison(comparison)
    replicates = FEWER_REPLICATES if comparison.photos > MANY_PHOTOS else REPLICATES
    with st.spinner("Computing paired intervals"):
        differences = _cached(opened, other, paired.compute_paired_differences, replicates)
    rows = differences.assign(label=differences["figure"].map(get_short_name), value=differences["difference"])
    title = "This run minus the other"
    chart.show(
        draw_forest_plot(rows, 0.0, title, compute_symmetric_domain(rows)),
        f"differences-{other.name}",
        f"{title}, with 95% intervals",
    )
    st.caption(
        "The comparison is paired: each bootstrap replicate uses the same lesions for both runs. If a line crosses 0, "
        "chance may explain the difference."
    )
    with st.expander("Photos that only one run gets right"):
        widgets.show_disagreements(_cached(opened, other, paired.list_disagreements), opened.name, other.name)


def _list_others(opened: OpenRun) -> list[str]:
    return [name for name in (*loaders.list_runs(), *state.get_own_runs()) if name != opened.name]


def _match_types(other: OpenRun, opened: OpenRun) -> OpenRun:
    """Return the other run, with its eight types merged to seven if the first run has seven."""
    fits = set(other.run.classes) == set(opened.run.classes)
    return (
        other.seven()
        if not fits and other.cached(can_merge_to_seven) and not opened.cached(can_merge_to_seven)
        else other
    )


def _cached(opened: OpenRun, other: OpenRun, compute: Callable[..., R], *args: object) -> R:
    """Compute a result of two runs once and cache it with an upload, if one is: so it goes with the visitor."""
    if opened.shared and not other.shared:
        return other.cached(_compute_with_opened, opened, compute, *args)
    return opened.cached(_compute_with_other, other, compute, *args)


def _compute_with_other(run: Predictions, other: OpenRun, compute: Callable[..., R], *args: object) -> R:
    return compute(run, other.run, *args)


def _compute_with_opened(run: Predictions, opened: OpenRun, compute: Callable[..., R], *args: object) -> R:
    return compute(opened.run, run, *args)
