"""The Story page: seven steps in order, nothing to choose."""

from pathlib import Path

import streamlit as st

from skinapp.charts.forest import forest
from skinapp.charts.story import certainties
from skinapp.story.claims import CLAIMS, WHO, Claim
from skinapp.story.experiments import StoredExperiments
from skinapp.story.parts import Certainties, Forest, Shown, Step
from skinapp.story.steps import CLAIMED, TITLES, compute_step
from skinapp.ui import chart, loaders
from skinapp.ui.metric import metric


def show() -> None:
    """Tell all steps, each as soon as it is computed."""
    experiments, tables = loaders.experiments_root(), loaders.tables_root()
    for number, title in enumerate(TITLES, start=1):
        with st.container(border=True):
            st.subheader(f"{number} · {title}", anchor=f"step-{number}")
            st.markdown("  \n".join(_quoted(CLAIMS[claim]) for claim in CLAIMED[number - 1]))
            with st.spinner("Computing from the stored runs"):
                step = _step(number, experiments, tables)
            _told(number, step)


@st.cache_resource(show_spinner=False)
def _step(number: int, experiments: Path, tables: Path) -> Step:
    """Compute a step once for all visitors."""
    return compute_step(number, StoredExperiments(experiments, tables))


def _quoted(claim: Claim) -> str:
    return f"> **{claim.id}** {claim.says} :small[{claim.stated[0].upper()}{claim.stated[1:]}.]"


def _told(number: int, step: Step) -> None:
    for sentence in step.missing:
        st.info(sentence)
    _figures(step.figures)
    _picture(number, step)
    if step.lesson:
        st.markdown(f"**Lesson.** {step.lesson}")
    if step.differs:
        st.caption(f"**What differs.** {step.differs}")


def _figures(figures: tuple[Shown, ...]) -> None:
    if not figures:
        return
    with st.container(horizontal=True):
        for one in figures:
            metric(one.name, one.value, one.below)


def _picture(number: int, step: Step) -> None:
    if isinstance(step.picture, Forest):
        drawn = forest(step.picture.rows, None, step.picture.title, step.picture.domain())
        chart.show(drawn, f"story-{number}", f"{step.picture.title}, with 95% intervals")
    elif isinstance(step.picture, Certainties):
        chart.show(
            certainties(step.picture.photos), f"story-{number}", "How certain each answer was, by what the photo is"
        )


def introduction() -> str:
    """Say in two sentences whose claims these are and how to read the figures."""
    return (
        f"What two earlier systems claimed (A: {WHO['A']}; B: {WHO['B']}), measured again with our own networks. "
        "Each figure is computed from stored predictions and comes with its 95% interval."
    )
