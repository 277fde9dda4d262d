"""Classification metrics: pure functions over arrays.

Shapes: n photos, k classes. `truth` holds class indices, (n,), `probabilities` are (n, k) float64, `positive` is (n,)
bool and `scores` (n,). `sample_weight` is how often each photo counts: None (once), (n,), or (r, n) for r bootstrap
replicates at once. A result written (..., k) is (k,) or, for replicates, (r, k). An undefined metric (division by
zero) is NaN, never 0 or 1.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT, MALIGNANT_CODES

Floats = npt.NDArray[np.float64]
ClassIndex = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

CALIBRATION_BINS = 15
"""Bins of equal width of the confidence, as in Guo et al. (2017), "On calibration of modern neural networks"."""

NOTHING_STATED: Mapping[str, bool] = MappingProxyType({})
"""No statement of which classes are malignant, beyond those that are known."""


def confusion_matrix(
    truth: ClassIndex, predicted: ClassIndex, n_classes: int, sample_weight: Floats | None = None
) -> Floats:
    """Return the number of photos by truth (rows) and prediction (columns), (..., k, k)."""
    weights = _as_weights(len(truth), sample_weight)
    cells = _sum_by_group(np.ones(len(truth)), truth * n_classes + predicted, n_classes**2, weights)
    return cells.reshape(*cells.shape[:-1], n_classes, n_classes)


def support(confusion: Floats) -> Floats:
    """Return the number of photos of each class, (..., k), from a confusion matrix, (..., k, k)."""
    return np.asarray(confusion.sum(axis=-1))


def precision(confusion: Floats) -> Floats:
    """Return TP / (TP + FP) per class, (..., k); NaN for a class that was never predicted."""
    return _divide(_true_positives(confusion), confusion.sum(axis=-2))


def recall(confusion: Floats) -> Floats:
    """Return TP / (TP + FN) per class, (..., k); NaN for a class without photos."""
    return _divide(_true_positives(confusion), support(confusion))


def f1(confusion: Floats) -> Floats:
    """Return 2 TP / (2 TP + FP + FN) per class, (..., k); NaN for a class with neither photos nor predictions."""
    return _divide(2 * _true_positives(confusion), confusion.sum(axis=-2) + support(confusion))


def accuracy(confusion: Floats) -> Floats:
    """Return the share of correct predictions, (...)."""
    return _divide(_true_positives(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def balanced_accuracy(confusion: Floats) -> Floats:
    """Return the mean recall over the classes that have photos, (...)."""
    return mean_ignoring_nan(recall(confusion))


def macro_f1(confusion: Floats) -> Floats:
    """Return the mean F1 over the classes that have photos, (...).

    scikit-learn also counts a class that was predicted but has no photo, with an F1 of 0.
    """
    return mean_ignoring_nan(np.where(support(confusion) > 0, f1(confusion), np.nan))


def mean_ignoring_nan(values: Floats) -> Floats:
    """Return the mean over the last axis, NaNs left out; NaN where all values are NaN."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def top_k_accuracy(truth: ClassIndex, probabilities: Floats, k: int, sample_weight: Floats | None = None) -> Floats:
    """Return the share of photos with the true class among the k most probable, (...).

    With equal probabilities the earlier class comes first, as in the prediction itself (argmax).
    """
    return _mean(is_in_top_k(truth, probabilities, k), sample_weight)


def is_in_top_k(truth: ClassIndex, probabilities: Floats, k: int) -> Flags:
    """Tell for each photo whether the true class is among the k most probable, (n,); ties as in `top_k_accuracy`."""
    true_probability = probabilities[np.arange(len(truth)), truth]
    rank = np.zeros(len(truth), dtype=np.intp)
    for index, probability in enumerate(probabilities.T):
        rank += (probability > true_probability) | ((probability == true_probability) & (index < truth))
    return rank < k


def log_loss(truth: ClassIndex, probabilities: Floats, sample_weight: Floats | None = None) -> Floats:
    """Return the mean of -ln(probability of the true class), (...), in nats; a probability of 0 counts as 2e-16."""
    return _mean(log_loss_per_photo(truth, probabilities), sample_weight)


def log_loss_per_photo(truth: ClassIndex, probabilities: Floats) -> Floats:
    """Return -ln(probability of the true class) per photo, (n,), in nats; a probability of 0 counts as 2e-16."""
    smallest = np.finfo(np.float64).eps
    true_probability = probabilities[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.clip(true_probability, smallest, 1 - smallest)))


def brier(truth: ClassIndex, probabilities: Floats, sample_weight: Floats | None = None) -> Floats:
    """Return the Brier score, (...): squared errors summed over the classes, mean of the photos, 0 to 2.

    Source: Brier (1950). With two classes it is halved, 0 to 1, as in scikit-learn.
    """
    k = probabilities.shape[1]
    squared = (probabilities - np.eye(k)[truth]) ** 2
    return _mean(squared.sum(axis=1) / (2 if k == 2 else 1), sample_weight)


def auroc(positive: Flags, scores: Floats, sample_weight: Floats | None = None) -> Floats:
    """Return the area under the ROC curve, (...); NaN without a positive or without a negative.

    It is the share of pairs in which the positive scores higher than the negative; ties count half (Hanley and
    McNeil, 1982).
    """
    if sample_weight is None:
        return np.asarray(auroc_from_sorted(np.sort(scores[positive]), np.sort(scores[~positive])))
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))  # the first of each group of equal scores
    ordered = _as_weights(len(scores), sample_weight)[..., order]
    positives = np.add.reduceat(ordered * positive[order], starts, axis=-1)
    negatives = np.add.reduceat(ordered * ~positive[order], starts, axis=-1)
    outscored = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    return _divide((positives * outscored).sum(axis=-1), pairs)


def auroc_from_sorted(positives: Floats, negatives: Floats) -> float:
    """Return the AUROC from the scores of positives and of negatives, each sorted upwards; NaN if either is empty.

    Sorting the two apart takes a tenth of the time of ranking all scores together, which matters for 400,000 photos.
    """
    if not len(positives) or not len(negatives):
        return float("nan")
    few, many = sorted((positives, negatives), key=len)
    below = (np.searchsorted(many, few, "left") + np.searchsorted(many, few, "right")).sum() / 2
    share = float(below) / (len(few) * len(many))
    return share if few is positives else 1 - share


def auroc_per_class(truth: ClassIndex, probabilities: Floats, sample_weight: Floats | None = None) -> Floats:
    """Return the one-vs-rest AUROC of each class, (..., k)."""
    areas = [auroc(truth == index, scores, sample_weight) for index, scores in enumerate(probabilities.T)]
    return np.stack(areas, axis=-1)


def sensitivity(positive: Flags, scores: Floats, threshold: float, sample_weight: Floats | None = None) -> Floats:
    """Return TP / (TP + FN), (...): the share of positives with a score of at least the threshold."""
    weights = _as_weights(len(scores), sample_weight)
    return _divide(weights @ (positive & (scores >= threshold)), weights @ positive)


def specificity(positive: Flags, scores: Floats, threshold: float, sample_weight: Floats | None = None) -> Floats:
    """Return TN / (TN + FP), (...): the share of negatives with a score below the threshold."""
    weights = _as_weights(len(scores), sample_weight)
    return _divide(weights @ (~positive & (scores < threshold)), weights @ ~positive)


def expected_calibration_error(
    truth: ClassIndex, probabilities: Floats, sample_weight: Floats | None = None, n_bins: int = CALIBRATION_BINS
) -> Floats:
    """Return the expected calibration error (ECE) of the top label, (...), 0 to 1.

    It is the gap between mean confidence and accuracy in each of `n_bins` bins, averaged over the photos (Naeini et
    al., 2015; Guo et al., 2017). A bin includes its upper end, not its lower.
    """
    confidence = probabilities.max(axis=1)
    surplus = confidence - (probabilities.argmax(axis=1) == truth)
    weights = _as_weights(len(truth), sample_weight)
    gaps = np.abs(_sum_by_group(surplus, bin_confidence(confidence, n_bins), n_bins, weights))
    return _divide(gaps.sum(axis=-1), weights.sum(axis=-1))


def bin_confidence(confidence: Floats, n_bins: int = CALIBRATION_BINS) -> ClassIndex:
    """Return the index of the bin of each confidence (0 to 1), (n,); a bin includes its upper end, not its lower."""
    return np.clip(np.ceil(confidence * n_bins).astype(np.intp) - 1, 0, n_bins - 1)


def malignant_mask(classes: tuple[str, ...], stated: Mapping[str, bool] = NOTHING_STATED) -> Flags | None:
    """Tell which classes are malignant, (k,) bool; None where that is not known for one of them.

    Known are "malignant" and "benign", the diagnoses of the taxonomy, and the classes in `stated`.
    """
    known = {label: label in (MALIGNANT, *MALIGNANT_CODES) for label in (*CODES, *MALIGNANCY_CLASSES)} | dict(stated)
    return np.array([known[label] for label in classes]) if known.keys() >= set(classes) else None


def _as_weights(n: int, sample_weight: Floats | None) -> Floats:
    return np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)


def _mean(values: Floats | Flags, sample_weight: Floats | None) -> Floats:
    weights = _as_weights(len(values), sample_weight)
    return _divide(weights @ values, weights.sum(axis=-1))


def _sum_by_group(values: Floats, group: ClassIndex, groups: int, weights: Floats) -> Floats:
    # One non-zero per photo: a sparse product costs n per replicate, a dense one n times groups.
    n = len(values)
    return np.asarray(weights @ csr_array((values, (np.arange(n), group)), shape=(n, groups)))


def _true_positives(confusion: Floats) -> Floats:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _divide(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    quotient: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient
