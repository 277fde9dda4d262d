"""Sorted scores of positives and negatives: the counts at any threshold are then a binary search.

Sorting the two apart takes a tenth of the time of ranking all scores together, which matters for 400,000 photos and
eight classes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skinapp.metrics.classification import Flags, Floats, auroc_from_sorted


@dataclass(frozen=True, eq=False)
class SortedScores:
    """The scores of the positives, (p,), and of the negatives, (n - p,), float64, each sorted upwards."""

    positives: Floats
    negatives: Floats

    def count_true_positives(self, thresholds: Floats) -> Floats:
        """Return the number of positives with a score of at least each threshold."""
        return _count_at_least(self.positives, thresholds)

    def count_false_positives(self, thresholds: Floats) -> Floats:
        """Return the number of negatives with a score of at least each threshold."""
        return _count_at_least(self.negatives, thresholds)

    def sensitivity(self, thresholds: Floats) -> Floats:
        """Return the share of positives with a score of at least each threshold; NaN without a positive."""
        return _divide(self.count_true_positives(thresholds), len(self.positives))

    def false_positive_rate(self, thresholds: Floats) -> Floats:
        """Return the share of negatives with a score of at least each threshold; NaN without a negative."""
        return _divide(self.count_false_positives(thresholds), len(self.negatives))

    def pick_thresholds(self, most: int) -> Floats:
        """Return the thresholds of a curve, highest first: all different scores, or a selection of at most `most`.

        The selection is even by rank, half from the positives and half from the negatives. So a curve has as
        many points where it is steep as where it is flat.
        """
        distinct = _drop_duplicates(self.positives), _drop_duplicates(self.negatives)
        if sum(map(len, distinct)) > most:
            distinct = _pick_evenly(self.positives, most // 2), _pick_evenly(self.negatives, most - most // 2)
        return np.unique(np.concatenate(distinct))[::-1]

    def auroc(self) -> float:
        """Return the area under the ROC curve, as `classification.auroc` does; NaN if undefined."""
        return auroc_from_sorted(self.positives, self.negatives)

    def average_precision(self) -> float:
        """Return the average precision: precision at each score, weighted by the recall it adds; NaN if undefined."""
        if not len(self.positives):
            return float("nan")
        true_positives = self.count_true_positives(self.positives)
        false_positives = self.count_false_positives(self.positives)
        return float(np.mean(true_positives / (true_positives + false_positives)))


def sort_scores(positive: Flags, scores: Floats) -> SortedScores:
    """Sort the scores of positives and of negatives; `positive` (n,) bool, `scores` (n,)."""
    return SortedScores(np.sort(scores[positive]), np.sort(scores[~positive]))


def _count_at_least(ordered: Floats, thresholds: Floats) -> Floats:
    return (len(ordered) - np.searchsorted(ordered, thresholds, "left")).astype(np.float64)


def _divide(counts: Floats, of: int) -> Floats:
    return counts / of if of else np.full(len(counts), np.nan)


def _drop_duplicates(ordered: Floats) -> Floats:
    new: npt.NDArray[np.bool_] = np.diff(ordered, prepend=-np.inf) > 0
    return ordered[new]


def _pick_evenly(ordered: Floats, most: int) -> Floats:
    if len(ordered) <= most:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, most).round().astype(np.intp)]
