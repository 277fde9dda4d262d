"""Calibration: are 80% of the photos with a score of 80% right?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from skinapp.errors import RunError
from skinapp.metrics import classification
from skinapp.metrics.bootstrap import draw_lesions, percentile_interval
from skinapp.metrics.classification import CALIBRATION_BINS, ClassIndex, Flags, Floats, bin_confidence
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.runs.stored import Scaling, StoredRun
from skinapp.runs.views.curves import has_malignancy, mark_malignant, select_positives
from skinapp.taxonomy import MALIGNANT

TOP_LABEL = "top label"

_SEED, _DRAWS, _PARTS = 2015, 100, 64
_NEAREST = 1e-7
"""Scores are kept this far from 0 and 1: single precision resolves nothing closer, and the logit of 0 is infinite."""

_STEPS, _SETTLED, _ROUNDING = 50, 1e-8, 1e-12


@dataclass(frozen=True)
class Calibration:
    """How well a run is calibrated.

    `brier` (metrics.brier) and `ece` (top label, 0 to 1) are over all classes. `slope` and `intercept` come from the
    logistic regression of an outcome on the logit of its score (Cox, 1958). They are 1 and 0 where the score is
    calibrated; a slope below 1 means overconfident. The intercept is fitted with the slope fixed at 1 ("calibration in
    the large"): above 0 means that the outcome is more frequent than its scores. `outcome` names it: "malignant" if the
    run has malignant and benign classes; the first class of another run of two classes; else "top label", which means
    that the most likely class is right. `ece_if_perfect` is the ECE that perfectly calibrated probabilities would show
    on the same number of photos, by chance alone. NaN where undefined, such as a slope where one score separates the
    outcomes.
    """

    brier: float
    ece: float
    slope: float
    intercept: float
    ece_if_perfect: float
    outcome: str


def compute_calibration(run: Predictions) -> Calibration:
    """Compute the calibration of a run."""
    truth, scores = run.truth_index(), run.probabilities()
    outcome, occurred, score = _choose_outcome(run, truth, scores)
    logits = _compute_logits(score)
    return Calibration(
        brier=float(classification.brier(truth, scores)),
        ece=_compute_ece(compute_reliability(truth, scores)),
        slope=_fit_slope(occurred, logits),
        intercept=_fit_intercept(occurred, logits),
        ece_if_perfect=_simulate_perfect_ece(scores.max(axis=1)),
        outcome=outcome,
    )


def compute_calibration_intervals(run: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """Return Brier score, slope and intercept of a run with 95% intervals by bootstrap over lesions.

    Columns: figure (brier, slope, intercept), value, low, high; NaN where undefined. Slope and intercept are fitted
    again in each replicate. The same seed gives the same frame.
    """
    truth, scores = run.truth_index(), run.probabilities()
    _, occurred, score = _choose_outcome(run, truth, scores)
    logits, lesion = _compute_logits(score), run.lesion_index()
    drawn: dict[str, list[float]] = {"brier": [], "slope": [], "intercept": []}
    for times in draw_lesions(int(lesion.max()) + 1, replicates, seed, len(lesion)):
        weights = times[:, lesion]
        drawn["brier"] += classification.brier(truth, scores, weights).tolist()
        for often in weights:
            photos = np.repeat(np.arange(len(lesion)), often.astype(np.intp))
            drawn["slope"].append(_fit_slope(occurred[photos], logits[photos]))
            drawn["intercept"].append(_fit_intercept(occurred[photos], logits[photos]))
    calibration = compute_calibration(run)
    rows = [(name, getattr(calibration, name), *percentile_interval(np.array(each))) for name, each in drawn.items()]
    return pd.DataFrame(rows, columns=["figure", "value", "low", "high"])


def compute_reliability(truth: ClassIndex, probabilities: Floats, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Compare the confidence in the top label with how often it is right, in bins of equal width.

    Columns: low and high (ends of the bin; the lower one open, the upper one closed), photos, confidence (their mean)
    and accuracy; NaN in an empty bin. `truth` is (n,) class indices, `probabilities` (n, k).
    """
    return compute_binary_reliability(probabilities.argmax(axis=1) == truth, probabilities.max(axis=1), bins)


def compute_binary_reliability(positive: Flags, scores: Floats, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Compare a score with the share of positives, as `compute_reliability` does; accuracy is that share."""
    place = bin_confidence(scores, bins)
    photos = np.bincount(place, minlength=bins)
    summed = np.bincount(place, weights=scores, minlength=bins)
    occurrences = np.bincount(place, weights=positive, minlength=bins)
    filled = np.where(photos > 0, photos, np.nan)
    edges = np.arange(bins + 1) / bins
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "photos": photos,
            "confidence": summed / filled,
            "accuracy": occurrences / filled,
        }
    )


def undo_scaling(probabilities: Floats, temperature: float, offsets: tuple[float, ...] = ()) -> Floats:
    """Return softmax(logits), (n, k), from `probabilities` = softmax(logits / temperature + offsets), (n, k).

    `offsets` holds one number per class, or nothing where nothing was added.
    """
    with np.errstate(divide="ignore"):  # the logarithm of a probability of 0 is minus infinity, and 0 comes back
        logits = temperature * (np.log(probabilities) - np.array(offsets or 0.0))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    before: Floats = raised / raised.sum(axis=1, keepdims=True)
    return before


def undo_calibration(run: StoredRun) -> StoredRun:
    """Return a run as it was before its temperature and offsets; RunError where the run has no temperature.

    For the lesion types of a pair, the shares within the malignant types and within the benign types are undone by
    their own scaling, and the weights of the two groups by that of the malignancy head (see
    networks.classifier.reconcile_types).
    """
    if run.temperature is None:
        raise RunError(f"The run {run.name} has no temperature. Make it again with `skinapp evaluate`.")
    frame = run.frame.copy(deep=False)
    own = Scaling(run.temperature, run.offsets)
    scores = run.probabilities()
    frame[probability_columns(run.classes)] = (
        undo_scaling(scores, own.temperature, own.offsets)
        if run.malignancy is None
        else _undo_pair(scores, mark_malignant(run), own, run.malignancy)
    )
    return run.rescored(frame, run.classes)


def _undo_pair(types: Floats, malignant: Flags, own: Scaling, of_malignancy: Scaling) -> Floats:
    groups = (malignant, ~malignant)  # in the order of MALIGNANCY_CLASSES
    summed = np.stack([types[:, group].sum(axis=1) for group in groups], axis=1)
    weights = undo_scaling(summed, of_malignancy.temperature, of_malignancy.offsets)
    before = np.zeros_like(types)
    for group, weight, some in zip(groups, weights.T, (summed > 0).T, strict=True):
        offsets = tuple(np.array(own.offsets)[group]) if own.offsets else ()
        shares = undo_scaling(types[np.ix_(some, group)], own.temperature, offsets)  # a group of weight 0 has no shares
        before[np.ix_(some, group)] = shares * weight[some, None]
    return before


def _choose_outcome(run: Predictions, truth: ClassIndex, scores: Floats) -> tuple[str, Flags, Floats]:
    if has_malignancy(run):
        return MALIGNANT, *select_positives(run)
    if len(run.classes) == 2:
        return run.classes[0], truth == 0, scores[:, 0]
    return TOP_LABEL, scores.argmax(axis=1) == truth, scores.max(axis=1)


def _compute_ece(bins: pd.DataFrame) -> float:
    gaps = (bins["confidence"] - bins["accuracy"]).abs() * bins["photos"]
    return float(gaps.sum() / bins["photos"].sum())


def _simulate_perfect_ece(confidence: Floats, bins: int = CALIBRATION_BINS) -> float:
    """Return the mean ECE of truths drawn by the confidence itself.

    Photos whose confidence lies in the same 64th of a bin are drawn together, as if all had its mean: one binomial draw
    then stands for many photos. The spread within a 960th adds less than a millionth to the variance.
    """
    place = bin_confidence(confidence, bins * _PARTS)
    photos = np.bincount(place, minlength=bins * _PARTS)
    summed = np.bincount(place, weights=confidence, minlength=bins * _PARTS)
    mean = np.clip(summed / np.maximum(photos, 1), 0, 1)
    right = np.random.default_rng(_SEED).binomial(photos, mean, size=(_DRAWS, bins * _PARTS))
    gaps = (right - summed).reshape(_DRAWS, bins, _PARTS).sum(axis=2)
    return float(np.abs(gaps).sum(axis=1).mean() / len(confidence))


def _compute_logits(scores: Floats) -> Floats:
    logits: Floats = logit(np.clip(scores, _NEAREST, 1 - _NEAREST))
    return logits


def _fit_slope(occurred: Flags, logits: Floats) -> float:
    """Fit P(occurred) = expit(a + b * logit) without penalty, by Newton's method; return b."""
    yes, no = logits[occurred], logits[~occurred]
    if not len(yes) or not len(no) or yes.min() >= no.max() or no.min() >= yes.max():
        return float("nan")  # one score separates them: the likelihood grows with the slope without end
    design = np.stack([np.ones(len(logits)), logits], axis=1)
    signed = design * np.where(occurred, -1.0, 1.0)[:, None]
    fit = np.array([logit(occurred.mean()), 0.0])
    loss = _compute_loss(signed, fit)
    for _ in range(_STEPS):
        chance = expit(design @ fit)
        hessian = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(hessian, design.T @ (occurred - chance))
        if np.abs(step).max() < _SETTLED:
            return float(fit[1])
        fit, loss = _step_down(signed, fit, step, loss)
    return float("nan")


def _step_down(signed: Floats, fit: Floats, step: Floats, loss: float) -> tuple[Floats, float]:
    """Halve the step until the loss does not grow; return the new fit and its loss."""
    for _ in range(_STEPS):
        after = _compute_loss(signed, fit + step)
        if after <= loss * (1 + _ROUNDING):
            return fit + step, after
        step = step / 2
    return fit, loss


def _compute_loss(signed: Floats, fit: Floats) -> float:
    """Return the negative log-likelihood; the rows of `signed` are negative where the outcome occurred."""
    return float(np.logaddexp(0, signed @ fit).sum())


def _fit_intercept(occurred: Flags, logits: Floats) -> float:
    """Fit P(occurred) = expit(a + logit): find the a for which the mean probability is the share of outcomes."""
    share = float(occurred.mean())
    if share in (0, 1):
        return float("nan")
    farthest = float(np.abs(logits).max()) + abs(float(logit(share)))
    return float(brentq(lambda a: float(expit(a + logits).mean()) - share, -farthest - 1, farthest + 1, xtol=_SETTLED))
