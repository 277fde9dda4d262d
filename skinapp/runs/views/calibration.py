"""Whether a score means what it says: of the photos scored 80%, are 80% right?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from skinapp.errors import RunError
from skinapp.metrics import classification
from skinapp.metrics.bootstrap import draw_lesions, percentile_interval
from skinapp.metrics.classification import CALIBRATION_BINS, ClassIndex, Flags, Floats, bin_confidence, malignant_mask
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.runs.stored import Scaling, StoredRun
from skinapp.runs.views.curves import positives, tells_malignancy
from skinapp.taxonomy import MALIGNANT

TOP_LABEL = "top label"

_SEED, _DRAWS, _PARTS = 2015, 100, 64
_NEAREST = 1e-7
"""How near to 0 and 1 a score may come: single precision tells nothing nearer, and the logit of 0 is infinite."""

_STEPS, _SETTLED, _ROUNDING = 50, 1e-8, 1e-12


@dataclass(frozen=True)
class Calibration:
    """How far a run's probabilities can be taken at their word.

    `brier` (metrics.brier) and `ece` (top label, 0 to 1) are of all classes. `slope` and `intercept` are of the
    logistic regression of an outcome on the logit of its score (Cox, 1958): 1 and 0 where the score is honest; a
    slope below 1 says too sure. The intercept is taken with the slope fixed at 1 ("calibration in the large"): above 0
    says that the outcome is more frequent than scored. `outcome` says of what: "malignant", where the run tells it; of
    another run of two classes its first class; else "top label", that the likeliest class is the right one.
    `ece_if_perfect` is the ECE that perfect probabilities would show on as many photos, by chance alone. NaN where
    undefined, as for a slope where one score parts the outcomes.
    """

    brier: float
    ece: float
    slope: float
    intercept: float
    ece_if_perfect: float
    outcome: str


def calibration(run: Predictions) -> Calibration:
    """Compute the calibration of a run."""
    truth, scores = run.truth_index(), run.probabilities()
    outcome, happened, score = _outcome(run, truth, scores)
    logits = _logits(score)
    return Calibration(
        brier=float(classification.brier(truth, scores)),
        ece=_error(reliability(truth, scores)),
        slope=_slope(happened, logits),
        intercept=_intercept(happened, logits),
        ece_if_perfect=_error_if_perfect(scores.max(axis=1)),
        outcome=outcome,
    )


def calibration_intervals(run: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """Return Brier score, slope and intercept of a run with 95% intervals by bootstrap over lesions.

    Columns: figure (brier, slope, intercept), value, low, high; NaN where undefined. Slope and intercept are fitted
    anew in each replicate. The same seed gives the same frame.
    """
    truth, scores = run.truth_index(), run.probabilities()
    _, happened, score = _outcome(run, truth, scores)
    logits, lesion = _logits(score), run.lesion_index()
    drawn: dict[str, list[float]] = {"brier": [], "slope": [], "intercept": []}
    for times in draw_lesions(int(lesion.max()) + 1, replicates, seed, len(lesion)):
        weights = times[:, lesion]
        drawn["brier"] += classification.brier(truth, scores, weights).tolist()
        for often in weights:
            photos = np.repeat(np.arange(len(lesion)), often.astype(np.intp))
            drawn["slope"].append(_slope(happened[photos], logits[photos]))
            drawn["intercept"].append(_intercept(happened[photos], logits[photos]))
    found = calibration(run)
    rows = [(name, getattr(found, name), *percentile_interval(np.array(each))) for name, each in drawn.items()]
    return pd.DataFrame(rows, columns=["figure", "value", "low", "high"])


def reliability(truth: ClassIndex, probabilities: Floats, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Set the confidence in the top label against how often it is right, in equal bins of the confidence.

    Columns: low and high (ends of the bin; the lower one open, the upper one closed), photos, confidence (their mean)
    and accuracy; NaN in an empty bin. `truth` (n,) places, `probabilities` (n, k).
    """
    return binary_reliability(probabilities.argmax(axis=1) == truth, probabilities.max(axis=1), bins)


def binary_reliability(positive: Flags, scores: Floats, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Set one score against how often the photo is positive: as `reliability`, accuracy the share of positives."""
    place = bin_confidence(scores, bins)
    photos = np.bincount(place, minlength=bins)
    said = np.bincount(place, weights=scores, minlength=bins)
    came = np.bincount(place, weights=positive, minlength=bins)
    filled = np.where(photos > 0, photos, np.nan)
    edges = np.arange(bins + 1) / bins
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "photos": photos,
            "confidence": said / filled,
            "accuracy": came / filled,
        }
    )


def uncalibrated(probabilities: Floats, temperature: float, offsets: tuple[float, ...] = ()) -> Floats:
    """Return the probabilities, (n, k), of softmax(logits), of those of softmax(logits / temperature + offsets).

    `offsets` holds one number a class, or nothing where nothing was added.
    """
    with np.errstate(divide="ignore"):  # the logarithm of a probability of 0 is minus infinity, and 0 comes back
        logits = temperature * (np.log(probabilities) - np.array(offsets or 0.0))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    before: Floats = raised / raised.sum(axis=1, keepdims=True)
    return before


def before_calibration(run: StoredRun) -> StoredRun:
    """Return a run as it was before temperature and offsets changed its logits; RunError where it kept no temperature.

    Of the lesion types of a pair the shares within the malignant and within the benign types come back by their own
    scaling, and what the two groups weigh by that of the malignancy head (see networks.classifier.agreeing).
    """
    if run.temperature is None:
        raise RunError(f"The run {run.name} did not keep its temperature. Make it again with `skinapp evaluate`.")
    frame = run.frame.copy(deep=False)
    own = Scaling(run.temperature, run.offsets)
    scores = run.probabilities()
    frame[probability_columns(run.classes)] = (
        uncalibrated(scores, own.temperature, own.offsets)
        if run.malignancy is None
        else _types_before(scores, malignant_mask(run.classes), own, run.malignancy)
    )
    return run.rescored(frame, run.classes)


def _types_before(types: Floats, malignant: Flags, own: Scaling, of_malignancy: Scaling) -> Floats:
    groups = (malignant, ~malignant)  # in the order of MALIGNANCY_CLASSES
    said = np.stack([types[:, group].sum(axis=1) for group in groups], axis=1)
    weights = uncalibrated(said, of_malignancy.temperature, of_malignancy.offsets)
    before = np.zeros_like(types)
    for group, weight, some in zip(groups, weights.T, (said > 0).T, strict=True):
        offsets = tuple(np.array(own.offsets)[group]) if own.offsets else ()
        shares = uncalibrated(types[np.ix_(some, group)], own.temperature, offsets)  # a group of weight 0 tells none
        before[np.ix_(some, group)] = shares * weight[some, None]
    return before


def _outcome(run: Predictions, truth: ClassIndex, scores: Floats) -> tuple[str, Flags, Floats]:
    if tells_malignancy(run):
        return MALIGNANT, *positives(run)
    if len(run.classes) == 2:
        return run.classes[0], truth == 0, scores[:, 0]
    return TOP_LABEL, scores.argmax(axis=1) == truth, scores.max(axis=1)


def _error(bins: pd.DataFrame) -> float:
    gaps = (bins["confidence"] - bins["accuracy"]).abs() * bins["photos"]
    return float(gaps.sum() / bins["photos"].sum())


def _error_if_perfect(confidence: Floats, bins: int = CALIBRATION_BINS) -> float:
    """Return the mean ECE of truths drawn by the confidence itself.

    Photos whose confidence lies within a 64th of a bin are drawn together, as if all had its mean: one binomial draw
    then stands for many photos, and what the spread within a 960th adds to the variance is below a millionth.
    """
    place = bin_confidence(confidence, bins * _PARTS)
    photos = np.bincount(place, minlength=bins * _PARTS)
    said = np.bincount(place, weights=confidence, minlength=bins * _PARTS)
    mean = np.clip(said / np.maximum(photos, 1), 0, 1)
    right = np.random.default_rng(_SEED).binomial(photos, mean, size=(_DRAWS, bins * _PARTS))
    gaps = (right - said).reshape(_DRAWS, bins, _PARTS).sum(axis=2)
    return float(np.abs(gaps).sum(axis=1).mean() / len(confidence))


def _logits(scores: Floats) -> Floats:
    logits: Floats = logit(np.clip(scores, _NEAREST, 1 - _NEAREST))
    return logits


def _slope(happened: Flags, logits: Floats) -> float:
    """Fit P(happened) = expit(a + b * logit) without penalty, by Newton's method; return b."""
    yes, no = logits[happened], logits[~happened]
    if not len(yes) or not len(no) or yes.min() >= no.max() or no.min() >= yes.max():
        return float("nan")  # one score parts them: the likelihood grows with the slope for ever
    design = np.stack([np.ones(len(logits)), logits], axis=1)
    signed = design * np.where(happened, -1.0, 1.0)[:, None]
    fit = np.array([logit(happened.mean()), 0.0])
    loss = _loss(signed, fit)
    for _ in range(_STEPS):
        chance = expit(design @ fit)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(bend, design.T @ (happened - chance))
        if np.abs(step).max() < _SETTLED:
            return float(fit[1])
        fit, loss = _downhill(signed, fit, step, loss)
    return float("nan")


def _downhill(signed: Floats, fit: Floats, step: Floats, loss: float) -> tuple[Floats, float]:
    """Take the step, or a half of it, or a half of that: the first that makes the loss no larger; return both."""
    for _ in range(_STEPS):
        after = _loss(signed, fit + step)
        if after <= loss * (1 + _ROUNDING):
            return fit + step, after
        step = step / 2
    return fit, loss


def _loss(signed: Floats, fit: Floats) -> float:
    """Return -ln of the likelihood of what happened; the rows of `signed` are negative where it did."""
    return float(np.logaddexp(0, signed @ fit).sum())


def _intercept(happened: Flags, logits: Floats) -> float:
    """Fit P(happened) = expit(a + logit): find the a for which the mean chance is the share of what happened."""
    share = float(happened.mean())
    if share in (0, 1):
        return float("nan")
    farthest = float(np.abs(logits).max()) + abs(float(logit(share)))
    return float(brentq(lambda a: float(expit(a + logits).mean()) - share, -farthest - 1, farthest + 1, xtol=_SETTLED))
