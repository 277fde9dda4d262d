"""Step 2: photos that the network never saw, and how certain it is where it is wrong."""

import numpy as np
import pandas as pd

from skinapp.metrics.estimate import proportion
from skinapp.runs.baselines import on_photos
from skinapp.runs.stored import StoredRun, probabilities
from skinapp.story.experiments import StoredExperiments, absent
from skinapp.story.parts import NOT_YET, Certainties, ScoredPhoto, Shown, Source, Step, interval, of_photos

SHOWCASE = Source("ham10000-seven-by-photo", "showcase")
TITLE = "Show it photos that it never saw"
NEVUS = "nv"

RIGHT, AS_NEVUS, OTHER = "right", "wrongly a nevus", "wrong otherwise"
SURE = 0.95
"""From here on the article calls an answer certain."""


def step(shelf: StoredExperiments) -> Step:
    """Ask the network of step 1 for the showcase photos of seven types: how often, and how surely, is it wrong?"""
    taken = shelf.take([SHOWCASE])
    differs = (
        "The article's photos are not known: ours are HAM10000's own, drawn by chance and kept out of training with "
        f"all photos of their lesions, so they may be easier than photos of another clinic. {_copies(shelf)}"
    )
    if not taken.has(SHOWCASE):
        return Step(TITLE, (ScoredPhoto("A4", NOT_YET, "", differs),), missing=absent(taken))
    photos = certainties(_of_seven_types(taken.found[SHOWCASE].run, shelf))
    counted = f"{len(photos)} photos, each of another lesion (Wilson's interval)"
    return Step(
        TITLE,
        (ScoredPhoto("A4", _ours(photos), counted, differs),),
        _figures(photos),
        Certainties(photos),
        _lesson(photos),
        differs,
    )


def certainties(run: StoredRun) -> pd.DataFrame:
    """List a run's photos: columns image_id, truth, answer, certainty (0 to 1), kind (RIGHT, AS_NEVUS or OTHER)."""
    scores = probabilities(run)
    frame = run.predictions[["image_id", "truth"]].assign(
        answer=np.array(run.classes)[scores.argmax(axis=1)], certainty=scores.max(axis=1)
    )
    wrong = np.where(frame["answer"] == NEVUS, AS_NEVUS, OTHER)
    return frame.assign(kind=np.where(frame["answer"] == frame["truth"], RIGHT, wrong))


def _of_seven_types(run: StoredRun, shelf: StoredExperiments) -> StoredRun:
    showcase = shelf.showcase()
    return on_photos(run, showcase.index[showcase != "scc"])


def _copies(shelf: StoredExperiments) -> str:
    """Say how many showcase photos have a copy among photos that were trained on, by the audit."""
    twins, listed = shelf.twins(), shelf.showcase().index
    ours = twins[(twins["table_a"] == "ham10000") & (twins["table_b"] == "ham10000")]
    a = ours["image_a"].isin(listed) & (ours["split_b"] != "showcase")
    b = ours["image_b"].isin(listed) & (ours["split_a"] != "showcase")
    found = len(set(ours.loc[a, "image_a"]) | set(ours.loc[b, "image_b"]))
    return f"The audit finds {found or 'no'} copy of them among the other photos of HAM10000."


def _figures(photos: pd.DataFrame) -> tuple[Shown, ...]:
    kinds, n = photos["kind"].value_counts(), len(photos)
    nevi = photos[photos["truth"] == NEVUS]
    return (
        of_photos("Right", int(kinds.get(RIGHT, 0)), n, "wilson"),
        of_photos("Wrongly a nevus", int(kinds.get(AS_NEVUS, 0)), n, "wilson"),
        of_photos("Wrong otherwise", int(kinds.get(OTHER, 0)), n, "wilson"),
        of_photos("Nevi right", int((nevi["kind"] == RIGHT).sum()), len(nevi), "wilson"),
    )


def _ours(photos: pd.DataFrame) -> str:
    missed = photos[photos["kind"] == AS_NEVUS]
    certain = int((missed["certainty"] >= SURE).sum())
    right, nevi = photos[photos["kind"] == RIGHT], photos[photos["truth"] == NEVUS]
    share = proportion(len(missed), len(photos), "wilson")
    return (
        f"{len(missed)} of {len(photos)} wrongly called nevi ({share.value:.0%}, {interval(share)}), "
        f"{_range(missed)}{certain} of them at {SURE:.0%} or more; {len(right)} right; "
        f"{int((nevi['kind'] == RIGHT).sum())} of {len(nevi)} nevi right"
    )


def _range(photos: pd.DataFrame) -> str:
    if photos.empty:
        return ""
    return f"with {_ends(photos)} certainty, "


def _lesson(photos: pd.DataFrame) -> str:
    wrong, missed = photos[photos["kind"] != RIGHT], photos[photos["kind"] == AS_NEVUS]
    if wrong.empty:
        least = proportion(len(photos), len(photos), "wilson").low
        return f"All {len(photos)} are right, and yet its true rate may be as low as {least:.0%}."
    most = "What it misses it mostly calls what it saw most" if 2 * len(missed) > len(wrong) else "It errs in many ways"
    right = photos[photos["kind"] == RIGHT]
    return (
        f"{most}: {len(missed)} of {len(wrong)} wrong answers are “nevus”; its certainty, {_ends(wrong)} where it is "
        f"wrong and {_ends(right)} where it is right, is no promise, and {len(photos)} photos say little."
    )


def _ends(photos: pd.DataFrame) -> str:
    return f"{photos['certainty'].min():.0%} to {photos['certainty'].max():.0%}" if len(photos) else "none"
