"""Step 2: photos that the network never saw, and how certain its wrong answers are."""

import numpy as np
import pandas as pd

from skinapp.metrics.estimate import estimate_proportion
from skinapp.runs.baselines import select_photos
from skinapp.runs.stored import StoredRun
from skinapp.story.experiments import StoredExperiments, list_missing
from skinapp.story.parts import (
    NOT_YET,
    CertaintyPlot,
    ClaimAnswer,
    KeyFigure,
    RunId,
    Step,
    build_count_figure,
    format_interval,
)
from skinapp.taxonomy import get_class_name

SHOWCASE = RunId("ham10000-seven-by-photo", "showcase")
TITLE = "Show it photos that it never saw"
NEVUS = "nv"

RIGHT, AS_NEVUS, OTHER = "right", "wrongly a nevus", "wrong otherwise"
CERTAIN = 0.95
"""The article calls answers from here on certain."""


def build_step(stored: StoredExperiments) -> Step:
    """Count the right and wrong answers of the network of step 1 to the showcase photos of seven types."""
    runs = stored.find_runs([SHOWCASE])
    differences = (
        "The article's photos are not known. Ours are from HAM10000, drawn at random; no photo of their lesions was "
        f"trained on. They may be easier than photos of another clinic. {_describe_copies(stored)}"
    )
    if not runs.has(SHOWCASE):
        return Step(TITLE, (ClaimAnswer("A4", NOT_YET, "", differences),), missing=list_missing(runs))
    photos = list_certainties(_select_seven_types(runs.measured[SHOWCASE].run, stored))
    counted = f"{len(photos)} photos of {len(photos)} lesions (Wilson interval)"
    return Step(
        TITLE,
        (ClaimAnswer("A4", _describe_answers(photos), counted, differences),),
        _build_figures(photos),
        CertaintyPlot(photos),
        _write_lesson(photos),
        differences,
    )


def list_certainties(run: StoredRun) -> pd.DataFrame:
    """Return one row per photo: image_id, truth, answer, certainty (0 to 1), kind (RIGHT, AS_NEVUS or OTHER)."""
    scores = run.probabilities()
    frame = run.frame[["image_id", "truth"]].assign(
        answer=np.array(run.classes)[scores.argmax(axis=1)], certainty=scores.max(axis=1)
    )
    wrong = np.where(frame["answer"] == NEVUS, AS_NEVUS, OTHER)
    return frame.assign(kind=np.where(frame["answer"] == frame["truth"], RIGHT, wrong))


def _select_seven_types(run: StoredRun, stored: StoredExperiments) -> StoredRun:
    showcase = stored.read_showcase()
    return select_photos(run, showcase.index[showcase != "scc"])


def _describe_copies(stored: StoredExperiments) -> str:
    """Say how many showcase photos have a copy among the training photos, according to the audit."""
    twins, listed = stored.list_twins(), stored.read_showcase().index
    ours = twins[(twins["table_a"] == "ham10000") & (twins["table_b"] == "ham10000")]
    a = ours["image_a"].isin(listed) & (ours["split_b"] != "showcase")
    b = ours["image_b"].isin(listed) & (ours["split_a"] != "showcase")
    copied = len(set(ours.loc[a, "image_a"]) | set(ours.loc[b, "image_b"]))
    return f"The audit finds copies of {copied or 'none'} of them among the other photos of HAM10000."


def _build_figures(photos: pd.DataFrame) -> tuple[KeyFigure, ...]:
    kinds, n = photos["kind"].value_counts(), len(photos)
    nevi = photos[photos["truth"] == NEVUS]
    return (
        build_count_figure("Right", int(kinds.get(RIGHT, 0)), n, "wilson"),
        build_count_figure("Wrongly a nevus", int(kinds.get(AS_NEVUS, 0)), n, "wilson"),
        build_count_figure("Wrong otherwise", int(kinds.get(OTHER, 0)), n, "wilson"),
        build_count_figure("Nevi right", int((nevi["kind"] == RIGHT).sum()), len(nevi), "wilson"),
    )


def _describe_answers(photos: pd.DataFrame) -> str:
    as_nevus = photos[photos["kind"] == AS_NEVUS]
    certain = int((as_nevus["certainty"] >= CERTAIN).sum())
    right, nevi = photos[photos["kind"] == RIGHT], photos[photos["truth"] == NEVUS]
    share = estimate_proportion(len(as_nevus), len(photos), "wilson")
    return (
        f"{len(as_nevus)} of {len(photos)} wrongly called nevi ({share.value:.0%}, {format_interval(share)}), "
        f"{_describe_range(as_nevus)}{certain} of them at {CERTAIN:.0%} or more; {len(right)} right; "
        f"{int((nevi['kind'] == RIGHT).sum())} of {len(nevi)} nevi right"
    )


def _describe_range(photos: pd.DataFrame) -> str:
    if photos.empty:
        return ""
    return f"with {_format_range(photos)} certainty, "


def _write_lesson(photos: pd.DataFrame) -> str:
    wrong, as_nevus = photos[photos["kind"] != RIGHT], photos[photos["kind"] == AS_NEVUS]
    if wrong.empty:
        least = estimate_proportion(len(photos), len(photos), "wilson").low
        return f"All {len(photos)} answers are right, but the true rate may be as low as {least:.0%}."
    right = photos[photos["kind"] == RIGHT]
    apart = len(right) and wrong["certainty"].max() < right["certainty"].min()
    says = "The certainty tells them apart here" if apart else "The certainty says little"
    return (
        f"{_describe_errors(wrong)}: {len(as_nevus)} of {len(wrong)} wrong answers are “nevus”. {says}: it is "
        f"{_format_range(wrong)} for wrong answers and {_format_range(right)} for right ones. And {len(photos)} photos "
        "are few."
    )


def _describe_errors(wrong: pd.DataFrame) -> str:
    """Say which class more than half of the wrong answers name, if one does."""
    counts = wrong["answer"].value_counts()
    first = str(counts.index[0])
    if 2 * counts.iloc[0] <= len(wrong):
        return "The errors are spread over several classes"
    if first == NEVUS:
        return "Most errors name the class with the most training photos"
    return f"Most errors name {get_class_name(first).lower()}"


def _format_range(photos: pd.DataFrame) -> str:
    return f"{photos['certainty'].min():.0%} to {photos['certainty'].max():.0%}" if len(photos) else "none"
