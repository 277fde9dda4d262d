"""Operating points: thresholds of the malignancy score, chosen on validation, and the rates they reach on test."""

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
from skinapp.runs.views.curves import select_positives

SENSITIVITIES = (0.90, 0.95, 0.98)
"""The sensitivities that the thresholds reach on validation."""

SHOWN_SENSITIVITY = 0.95
"""The one that is shown where there is room for one only."""

CHOSEN_ON = "validation"

_STEPS, _MARGIN = 1_000_000, 1e-7
"""A threshold is a whole number of millionths, and lies at least the margin below the score that it comes from: single
precision shifts a score by up to 3e-8, and the photo with that score must stay above the threshold."""

_ROUNDING = 1e-9


def choose_operating_points(run: StoredRun) -> tuple[OperatingPoint, ...]:
    """Choose a threshold for each of SENSITIVITIES on a stored run of the validation split.

    A photo is called malignant if its score is at least the threshold. Raises RunError for a run of another split, one
    that lacks malignant or benign classes, and one without a malignant photo.
    """
    if run.split != CHOSEN_ON:
        raise RunError(
            f"The run {run.name} is of the split {run.split}. Choose operating points on {CHOSEN_ON}: a threshold "
            "that is tested on the photos it was chosen on looks too good."
        )
    positive, scores = select_positives(run)
    if not positive.any():
        raise RunError(
            f"The run {run.name} holds no malignant photo, so no threshold can be chosen. Choose another run."
        )
    return tuple(
        OperatingPoint(
            sensitivity=wanted, threshold=round_threshold_down(find_threshold_at_sensitivity(positive, scores, wanted))
        )
        for wanted in SENSITIVITIES
    )


def get_shown_point(points: Sequence[OperatingPoint]) -> OperatingPoint | None:
    """Return the operating point of SHOWN_SENSITIVITY; None where there is none."""
    return next((point for point in points if point.sensitivity == SHOWN_SENSITIVITY), None)


def round_threshold_down(score: float) -> float:
    """Round a score, 0 to 1, down to a threshold of six decimals that the score reaches in single precision too."""
    return max(floor((score - _MARGIN) * _STEPS), 0) / _STEPS


def compute_rates_at(
    run: Predictions, threshold: float, replicates: int = REPLICATES, seed: int = SEED
) -> dict[str, Estimate]:
    """Return "sensitivity" and "specificity" of a run at a threshold, with 95% intervals by bootstrap over lesions.

    Every replicate uses the same threshold. Raises RunError where the run lacks malignant or benign classes.
    """
    rates = compute_rate_intervals(*select_positives(run), run.lesion_index(), threshold, replicates, seed)
    rows = rates.to_dict(orient="records")
    return {row["figure"]: Estimate(row["value"], row["low"], row["high"]) for row in rows}


def compute_specificity_from_roc(
    run: Predictions, wanted: float, replicates: int = REPLICATES, seed: int = SEED
) -> Estimate:
    """Return the specificity at a sensitivity (0 to 1) on the run's own ROC curve, with its 95% interval.

    The threshold is chosen on the same photos, again in each replicate, so the interval includes the uncertainty of
    that choice. The result shows how well the score separates the two groups, not what an operating point reaches.
    Where all or no negatives are below the threshold, see bootstrap.compute_rate_interval. NaN without
    a positive or a negative.
    """
    positive, scores = select_positives(run)
    lesion = run.lesion_index()
    value = float(_read_specificity(positive, scores, wanted, np.ones((1, len(scores))))[0])
    if value in (0.0, 1.0):
        benign = (~positive).astype(np.float64)
        return Estimate(value, *compute_rate_interval(value * benign, benign, lesion, replicates, seed))
    times = draw_lesions(int(lesion.max()) + 1, replicates, seed, len(lesion))
    drawn = np.concatenate([_read_specificity(positive, scores, wanted, each[:, lesion]) for each in times])
    return Estimate(value, *percentile_interval(drawn))


def _read_specificity(positive: Flags, scores: Floats, wanted: float, weights: Floats) -> Floats:
    """Return the specificity, (r,), at the highest threshold that reaches a sensitivity; `weights` is (r, n)."""
    if positive.all() or not positive.any():
        return np.full(len(weights), np.nan)
    down, up = np.argsort(-scores[positive], kind="stable"), np.argsort(scores[~positive], kind="stable")
    caught = np.cumsum(weights[:, positive][:, down], axis=1)
    spared = np.cumsum(weights[:, ~positive][:, up], axis=1)
    needed = np.maximum(np.ceil(wanted * caught[:, -1] - _ROUNDING), 1)
    place = np.minimum((caught < needed[:, None]).sum(axis=1), caught.shape[1] - 1)
    below = np.searchsorted(scores[~positive][up], scores[positive][down][place], "left")
    counted = np.where(below > 0, spared[np.arange(len(weights)), below - 1], 0.0)
    defined = (caught[:, -1] > 0) & (spared[:, -1] > 0)
    specificity: Floats = np.full(len(weights), np.nan)
    np.divide(counted, spared[:, -1], out=specificity, where=defined)
    return specificity
