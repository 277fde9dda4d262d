"""The Story page: seven steps in order, nothing to choose."""

from pathlib import Path

import streamlit as st

from skinapp.charts.forest import draw_forest_plot
from skinapp.charts.story import draw_certainties
from skinapp.story.claims import CLAIMS, SYSTEMS, Claim
from skinapp.story.experiments import StoredExperiments
from skinapp.story.parts import CertaintyPlot, ForestPlot, KeyFigure, Step
from skinapp.story.steps import CLAIMED, TITLES, compute_step
from skinapp.ui import chart, loaders
from skinapp.ui.tile import show_metric


def show() -> None:
    """Show all steps, each as soon as it is computed."""
    experiments, tables = loaders.get_experiments_root(), loaders.get_tables_root()
    stamp = loaders.stamp_files([*experiments.glob("*/*.json"), *experiments.glob("**/runs/*/*"), *tables.glob("*")])
    for number, title in enumerate(TITLES, start=1):
        with st.container(border=True):
            st.subheader(f"{number} · {title}", anchor=f"step-{number}")
            st.markdown("  \n".join(_format_claim(CLAIMS[claim]) for claim in CLAIMED[number - 1]))
            with st.spinner("Computing from the stored runs"):
                step = _compute_step(number, experiments, tables, stamp)
            _show_step(number, step)


@st.cache_resource(show_spinner=False)
def _compute_step(number: int, experiments: Path, tables: Path, stamp: loaders.Stamp) -> Step:
    """Compute a step once for all visitors, and again when a file it comes from changes."""
    return compute_step(number, StoredExperiments(experiments, tables))


def _format_claim(claim: Claim) -> str:
    return f"> **{claim.id}** {claim.text} :small[{claim.reported[0].upper()}{claim.reported[1:]}.]"


def _show_step(number: int, step: Step) -> None:
    for sentence in step.missing:
        st.info(sentence)
    _show_figures(step.figures)
    _show_picture(number, step)
    if step.lesson:
        st.markdown(f"**Lesson.** {step.lesson}")
    if step.differences:
        st.caption(f"**What differs.** {step.differences}")


def _show_figures(figures: tuple[KeyFigure, ...]) -> None:
    if not figures:
        return
    with st.container(horizontal=True):
        for figure in figures:
            show_metric(figure.name, figure.value, figure.note)


def _show_picture(number: int, step: Step) -> None:
    if isinstance(step.plot, ForestPlot):
        plot = draw_forest_plot(step.plot.rows, None, step.plot.title, step.plot.domain())
        chart.show(plot, f"story-{number}", f"{step.plot.title}, with 95% intervals")
    elif isinstance(step.plot, CertaintyPlot):
        chart.show(
            draw_certainties(step.plot.photos),
            f"story-{number}",
            "How certain each answer was, by what the photo is",
        )


def describe_claims() -> str:
    """Describe whose claims these are and how to read the figures."""
    return (
        f"Claims of two earlier systems (A: {SYSTEMS['A']}; B: {SYSTEMS['B']}), measured again with our own networks. "
        "Each figure is computed from stored predictions and has a 95% interval."
    )
