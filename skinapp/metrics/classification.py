"""How good predictions are: pure functions over arrays.

Shapes: n photos, k classes. `truth` is (n,) class places, `probabilities` (n, k) float64, `positive` (n,)
bool, `scores` (n,). `weights` says how often each photo counts: None (once), (n,), or (r, n) for r bootstrap
replicates at once. A result written (..., k) is (k,) or, for replicates, (r, k). What is undefined (nothing
to divide by) is NaN, never 0 or 1.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from skinapp.taxonomy import MALIGNANT, MALIGNANT_CODES

Floats = npt.NDArray[np.float64]
ClassIndex = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

CALIBRATION_BINS = 15
"""Equal bins of the confidence, as in Guo et al. (2017), "On calibration of modern neural networks"."""


def confusion_counts(truth: ClassIndex, predicted: ClassIndex, k: int, weights: Floats | None = None) -> Floats:
    """Return how often each truth (rows) was given each prediction (columns), (..., k, k)."""
    cells = _sums_by_group(np.ones(len(truth)), truth * k + predicted, k * k, _weights(len(truth), weights))
    return cells.reshape(*cells.shape[:-1], k, k)


def support(confusion: Floats) -> Floats:
    """Return the photos of each class, (..., k), from confusion counts (..., k, k)."""
    return np.asarray(confusion.sum(axis=-1))


def precision(confusion: Floats) -> Floats:
    """Return the share of each class's predictions that are right, (..., k); NaN where there is none."""
    return _ratio(_hits(confusion), confusion.sum(axis=-2))


def recall(confusion: Floats) -> Floats:
    """Return the share of each class's photos that were recognised, (..., k); NaN where it has no photo."""
    return _ratio(_hits(confusion), support(confusion))


def f1(confusion: Floats) -> Floats:
    """Return 2 TP / (2 TP + FP + FN) per class, (..., k); NaN where it has neither photos nor predictions."""
    return _ratio(2 * _hits(confusion), confusion.sum(axis=-2) + support(confusion))


def accuracy(confusion: Floats) -> Floats:
    """Return the share of photos whose prediction is right, (...)."""
    return _ratio(_hits(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def balanced_accuracy(confusion: Floats) -> Floats:
    """Return the mean recall over the classes that have photos, (...)."""
    return mean_of_defined(recall(confusion))


def macro_f1(confusion: Floats) -> Floats:
    """Return the mean F1 over the classes that have photos, (...).

    scikit-learn's also averages over a class that was predicted but has no photo, with an F1 of 0.
    """
    return mean_of_defined(np.where(support(confusion) > 0, f1(confusion), np.nan))


def mean_of_defined(values: Floats) -> Floats:
    """Return the mean over the last axis without its NaNs; NaN where nothing else is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def top_k_accuracy(truth: ClassIndex, probabilities: Floats, top: int, weights: Floats | None = None) -> Floats:
    """Return the share of photos whose truth is among the `top` most probable classes, (...).

    Of equal probabilities the earlier class counts as the more probable, as in the prediction itself.
    """
    return _mean(among_top(truth, probabilities, top), weights)


def among_top(truth: ClassIndex, probabilities: Floats, top: int) -> Flags:
    """Tell whether each photo's truth is among its `top` most probable classes, (n,), ties as in `top_k_accuracy`."""
    of_truth = probabilities[np.arange(len(truth)), truth]
    ahead = np.zeros(len(truth), dtype=np.intp)
    for place, scores in enumerate(probabilities.T):
        ahead += (scores > of_truth) | ((scores == of_truth) & (place < truth))
    return ahead < top


def log_loss(truth: ClassIndex, probabilities: Floats, weights: Floats | None = None) -> Floats:
    """Return the mean of -ln(probability of the truth), (...), in nats; a probability of 0 as 2e-16."""
    return _mean(losses(truth, probabilities), weights)


def losses(truth: ClassIndex, probabilities: Floats) -> Floats:
    """Return -ln(probability of the truth) of each photo, (n,), in nats; a probability of 0 as 2e-16."""
    smallest = np.finfo(np.float64).eps
    of_truth = probabilities[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.clip(of_truth, smallest, 1 - smallest)))


def brier(truth: ClassIndex, probabilities: Floats, weights: Floats | None = None) -> Floats:
    """Return the mean squared distance of the probabilities from the truth, (...), in 0 to 2 (Brier, 1950).

    For two classes half of it, in 0 to 1, as is usual there and in scikit-learn.
    """
    k = probabilities.shape[1]
    squared = (probabilities - np.eye(k)[truth]) ** 2
    return _mean(squared.sum(axis=1) / (2 if k == 2 else 1), weights)


def auroc(positive: Flags, scores: Floats, weights: Floats | None = None) -> Floats:
    """Return the area under the ROC curve, (...); NaN where there is no positive or no negative.

    It is how often a positive outscores a negative, ties counted half (Hanley and McNeil, 1982).
    """
    if weights is None:
        return np.asarray(auroc_of_sorted(np.sort(scores[positive]), np.sort(scores[~positive])))
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))  # where each run of equal scores begins
    ordered = _weights(len(scores), weights)[..., order]
    positives = np.add.reduceat(ordered * positive[order], starts, axis=-1)
    negatives = np.add.reduceat(ordered * ~positive[order], starts, axis=-1)
    outscored = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    return _ratio((positives * outscored).sum(axis=-1), pairs)


def auroc_of_sorted(positives: Floats, negatives: Floats) -> float:
    """Return the AUROC of scores of positives and of negatives, each the lowest first; NaN where there are none.

    To sort the two apart takes a tenth of the time of ranking all together: it tells for 400,000 photos.
    """
    if not len(positives) or not len(negatives):
        return float("nan")
    few, many = sorted((positives, negatives), key=len)
    below = (np.searchsorted(many, few, "left") + np.searchsorted(many, few, "right")).sum() / 2
    share = float(below) / (len(few) * len(many))
    return share if few is positives else 1 - share


def auroc_per_class(truth: ClassIndex, probabilities: Floats, weights: Floats | None = None) -> Floats:
    """Return the AUROC of each class against all others, (..., k)."""
    each = [auroc(truth == place, scores, weights) for place, scores in enumerate(probabilities.T)]
    return np.stack(each, axis=-1)


def sensitivity(positive: Flags, scores: Floats, threshold: float, weights: Floats | None = None) -> Floats:
    """Return the share of positives that score at least the threshold, (...)."""
    counted = _weights(len(scores), weights)
    return _ratio(counted @ (positive & (scores >= threshold)), counted @ positive)


def specificity(positive: Flags, scores: Floats, threshold: float, weights: Floats | None = None) -> Floats:
    """Return the share of negatives that score below the threshold, (...)."""
    counted = _weights(len(scores), weights)
    return _ratio(counted @ (~positive & (scores < threshold)), counted @ ~positive)


def calibration_error(
    truth: ClassIndex, probabilities: Floats, weights: Floats | None = None, bins: int = CALIBRATION_BINS
) -> Floats:
    """Return the expected calibration error of the top label, (...), in 0 to 1.

    The gap between mean confidence and accuracy in each of `bins` equal bins (lower end open, upper closed),
    averaged by the photos in the bin: Naeini et al. (2015), Guo et al. (2017).
    """
    confidence = probabilities.max(axis=1)
    surplus = confidence - (probabilities.argmax(axis=1) == truth)
    counted = _weights(len(truth), weights)
    gaps = np.abs(_sums_by_group(surplus, confidence_bin(confidence, bins), bins, counted))
    return _ratio(gaps.sum(axis=-1), counted.sum(axis=-1))


def confidence_bin(confidence: Floats, bins: int = CALIBRATION_BINS) -> ClassIndex:
    """Return which of `bins` equal bins each confidence (0 to 1) lies in, its lower end open and its upper closed."""
    return np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)


def malignant_mask(classes: tuple[str, ...]) -> Flags:
    """Tell which classes count as malignant, (k,) bool: "malignant" itself, or the malignant diagnoses."""
    return np.array([label == MALIGNANT or label in MALIGNANT_CODES for label in classes])


def _weights(n: int, weights: Floats | None) -> Floats:
    return np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)


def _mean(values: Floats | Flags, weights: Floats | None) -> Floats:
    counted = _weights(len(values), weights)
    return _ratio(counted @ values, counted.sum(axis=-1))


def _sums_by_group(values: Floats, group: ClassIndex, groups: int, weights: Floats) -> Floats:
    # One non-zero a photo: a sparse product costs n a replicate where a dense one would cost n times groups.
    n = len(values)
    return np.asarray(weights @ csr_array((values, (np.arange(n), group)), shape=(n, groups)))


def _hits(confusion: Floats) -> Floats:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    over, under = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    quotient: Floats = np.full(over.shape, np.nan)
    np.divide(over, under, out=quotient, where=under > 0)
    return quotient
