"""The section of the Evaluation page that sets two runs side by side on the same photos."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from skinapp.charts.forest import compute_symmetric_domain, draw_forest_plot
from skinapp.errors import RunError
from skinapp.metrics.estimate import REPLICATES
from skinapp.metrics.labels import get_short_name
from skinapp.runs.predictions import Predictions
from skinapp.runs.seven import can_merge_to_seven
from skinapp.runs.summary import compute_headline
from skinapp.runs.views import compare as paired
from skinapp.ui import chart, loaders, state
from skinapp.ui.evaluation import own_predictions, widgets
from skinapp.ui.open_run import MANY_PHOTOS, OpenRun

R = TypeVar("R")

SEVERAL = 6
FEWER_REPLICATES = 100
"""So many draws are made of more than MANY_PHOTOS: each takes as long as the photos are many."""


def compare(opened: OpenRun) -> None:
    """Show the figures of several runs as a table, and the difference to one of them by a paired interval."""
    others = _others(opened)
    if not others:
        st.info("There is no other run to compare with. Open predictions of your own, or make a run.")
        return
    chosen = st.multiselect(
        "Compare with", others, key="against", bind="query-params", max_selections=SEVERAL, placeholder="Choose runs"
    )
    if not chosen:
        st.caption("Choose one run to see the difference on the same photos, or several to see their figures together.")
        return
    against = [_same_labels(own_predictions.get_run(name), opened) for name in chosen]
    widgets.headline_table({each.name: each.cached(compute_headline) for each in (opened, *against)})
    for other in against:
        _pair(opened, other)


def _pair(opened: OpenRun, other: OpenRun) -> None:
    st.subheader(f"Against {other.name}", anchor=False)
    try:
        pairing = _once(opened, other, paired.compare_runs)
    except RunError as error:
        st.info(str(error))
        return
    widgets.pairing(pairing)
    replicates = FEWER_REPLICATES if pairing.photos > MANY_PHOTOS else REPLICATES
    with st.spinner("Drawing lesions anew for the paired intervals"):
        differences = _once(opened, other, paired.compute_paired_differences, replicates)
    rows = differences.assign(label=differences["figure"].map(get_short_name), value=differences["difference"])
    title = "This run minus the other"
    chart.show(
        draw_forest_plot(rows, 0.0, title, compute_symmetric_domain(rows)),
        f"differences-{other.name}",
        f"{title}, with 95% intervals",
    )
    st.caption("Paired: the same lesions are drawn for both. A line that crosses 0 means that chance may explain it.")
    with st.expander("Photos that one gets right and the other misses"):
        widgets.only_one_right(_once(opened, other, paired.list_disagreements), opened.name, other.name)


def _others(opened: OpenRun) -> list[str]:
    return [name for name in (*loaders.list_runs(), *state.get_own_runs()) if name != opened.name]


def _same_labels(other: OpenRun, opened: OpenRun) -> OpenRun:
    """Count the other's squamous cell carcinomas as the first run does."""
    fits = set(other.run.classes) == set(opened.run.classes)
    return (
        other.seven()
        if not fits and other.cached(can_merge_to_seven) and not opened.cached(can_merge_to_seven)
        else other
    )


def _once(opened: OpenRun, other: OpenRun, compute: Callable[..., R], *args: object) -> R:
    """Compute something of two runs once, kept with a visitor's own run of the two: it goes when she does."""
    if opened.shared and not other.shared:
        return other.cached(_second, opened, compute, *args)
    return opened.cached(_first, other, compute, *args)


def _first(run: Predictions, other: OpenRun, compute: Callable[..., R], *args: object) -> R:
    return compute(run, other.run, *args)


def _second(run: Predictions, opened: OpenRun, compute: Callable[..., R], *args: object) -> R:
    return compute(opened.run, run, *args)
