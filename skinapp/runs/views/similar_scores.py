"""How a model did on test photos with a score like that of the photo at hand."""

from dataclasses import dataclass

import numpy as np

from skinapp.metrics.bootstrap import compute_rate_interval
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.runs.predictions import Predictions
from skinapp.runs.views.curves import select_positives

BAND_PHOTOS = 100
"""Photos in a band: fewer say little, more are no longer alike."""


@dataclass(frozen=True)
class ScoreBand:
    """Photos whose malignancy scores lie from `low` to `high`, 0 to 1, and the share of malignant ones among them."""

    low: float
    high: float
    photos: int
    lesions: int
    malignant: int
    share: Estimate


def find_score_band(
    run: Predictions, score: float, threshold: float | None, most: int = BAND_PHOTOS, replicates: int = REPLICATES
) -> ScoreBand | None:
    """Return the photos of a run with the scores next to `score`: about half of them below it and half above.

    With a `threshold` they lie on the same side of it; None where no photo does. Fewer than `most` photos are a whole
    side. The interval is by bootstrap over lesions. Raises RunError where the run lacks malignant or benign classes.
    """
    malignant, scores = select_positives(run)
    same_side = np.full(len(scores), True) if threshold is None else (scores >= threshold) == (score >= threshold)
    places = np.flatnonzero(same_side)
    ordered = places[np.argsort(scores[places], kind="stable")]
    start = int(np.searchsorted(scores[ordered], score)) - most // 2
    chosen = ordered[max(0, min(start, len(ordered) - most)) :][:most]
    if not len(chosen):
        return None
    lesion, positive = run.lesion_index()[chosen], malignant[chosen].astype(np.float64)
    low, high = compute_rate_interval(positive, np.ones(len(chosen)), lesion, replicates, SEED)
    return ScoreBand(
        low=float(scores[chosen[0]]),
        high=float(scores[chosen[-1]]),
        photos=len(chosen),
        lesions=len(np.unique(lesion)),
        malignant=int(positive.sum()),
        share=Estimate(float(positive.mean()), low, high),
    )
