"""Operating points: thresholds of the malignancy score, chosen on validation, and what they do on test."""

from collections.abc import Sequence
from math import floor

import numpy as np

from skinapp.errors import RunError
from skinapp.metrics.bootstrap import compute_rate_interval, draw_lesions, percentile_interval
from skinapp.metrics.classification import Flags, Floats
from skinapp.metrics.decisions import compute_rate_intervals, find_threshold_at_sensitivity
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.models.card import OperatingPoint
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.curves import positives

SENSITIVITIES = (0.90, 0.95, 0.98)
"""What the thresholds are to reach on validation."""

SHOWN_SENSITIVITY = 0.95
"""The one that stands for all where there is room for one."""

CHOSEN_ON = "validation"

_STEPS, _MARGIN = 1_000_000, 1e-7
"""A threshold is a whole number of millionths, at least the margin below the score that it was taken from: single
precision moves a score by up to 3e-8, and the photo that decides must not fall below its own threshold."""

_ROUNDING = 1e-9


def operating_points(run: StoredRun) -> tuple[OperatingPoint, ...]:
    """Choose the threshold for each of SENSITIVITIES on a stored run of the validation split.

    A score of at least the threshold is above it. Raises RunError for a run of another split, one that does not tell
    malignancy, and one without a malignant photo.
    """
    if run.split != CHOSEN_ON:
        raise RunError(
            f"The run {run.name} is of the split {run.split}. Choose operating points on {CHOSEN_ON}: a threshold "
            "that was set on the photos it is tested on flatters."
        )
    positive, scores = positives(run)
    if not positive.any():
        raise RunError(f"The run {run.name} holds no malignant photo, so no threshold finds a share of them.")
    return tuple(
        OperatingPoint(
            sensitivity=wanted, threshold=just_below(find_threshold_at_sensitivity(positive, scores, wanted))
        )
        for wanted in SENSITIVITIES
    )


def shown_point(points: Sequence[OperatingPoint]) -> OperatingPoint | None:
    """Return the one of SHOWN_SENSITIVITY; None where there is none."""
    return next((point for point in points if point.sensitivity == SHOWN_SENSITIVITY), None)


def just_below(score: float) -> float:
    """Round a score, 0 to 1, down to a threshold with few decimals that it reaches in single precision as well."""
    return max(floor((score - _MARGIN) * _STEPS), 0) / _STEPS


def rates_at(run: Predictions, threshold: float, replicates: int = REPLICATES, seed: int = SEED) -> dict[str, Estimate]:
    """Return "sensitivity" and "specificity" of a run at a threshold, with 95% intervals by bootstrap over lesions.

    The threshold stays as it is in every replicate. Raises RunError where the run does not tell malignancy.
    """
    rates = compute_rate_intervals(*positives(run), run.lesion_index(), threshold, replicates, seed)
    rows = rates.to_dict(orient="records")
    return {row["figure"]: Estimate(row["value"], row["low"], row["high"]) for row in rows}


def specificity_read_from(run: Predictions, wanted: float, replicates: int = REPLICATES, seed: int = SEED) -> Estimate:
    """Return the specificity at a sensitivity (0 to 1) as the run's own ROC curve shows it, with its 95% interval.

    The threshold is set on the very photos it is tested on, anew in each replicate, so that the interval holds what
    choosing adds to chance. It says how far the score could part the two, not what an operating point reaches. Where
    all or no negatives are below, see bootstrap.compute_rate_interval. NaN without a positive or a negative.
    """
    positive, scores = positives(run)
    lesion = run.lesion_index()
    value = float(_read(positive, scores, wanted, np.ones((1, len(scores))))[0])
    if value in (0.0, 1.0):
        benign = (~positive).astype(np.float64)
        return Estimate(value, *compute_rate_interval(value * benign, benign, lesion, replicates, seed))
    times = draw_lesions(int(lesion.max()) + 1, replicates, seed, len(lesion))
    drawn = np.concatenate([_read(positive, scores, wanted, each[:, lesion]) for each in times])
    return Estimate(value, *percentile_interval(drawn))


def _read(positive: Flags, scores: Floats, wanted: float, weights: Floats) -> Floats:
    """Return the specificity, (r,), at the highest threshold that reaches a sensitivity; weights (r, n)."""
    if positive.all() or not positive.any():
        return np.full(len(weights), np.nan)
    down, up = np.argsort(-scores[positive], kind="stable"), np.argsort(scores[~positive], kind="stable")
    found = np.cumsum(weights[:, positive][:, down], axis=1)
    spared = np.cumsum(weights[:, ~positive][:, up], axis=1)
    needed = np.maximum(np.ceil(wanted * found[:, -1] - _ROUNDING), 1)
    place = np.minimum((found < needed[:, None]).sum(axis=1), found.shape[1] - 1)
    below = np.searchsorted(scores[~positive][up], scores[positive][down][place], "left")
    counted = np.where(below > 0, spared[np.arange(len(weights)), below - 1], 0.0)
    defined = (found[:, -1] > 0) & (spared[:, -1] > 0)
    specificity: Floats = np.full(len(weights), np.nan)
    np.divide(counted, spared[:, -1], out=specificity, where=defined)
    return specificity
