"""Conformal sets of classes: a threshold for each class, so that the set holds the true class with a chosen frequency.

Each class has its own threshold (Mondrian or label-conditional conformal prediction: Vovk, Lindsay, Nouretdinov and
Gammerman 2003; Sadinle, Lei and Wasserman 2019, doi:10.1080/01621459.2017.1395341). With one threshold for all classes
the sets would hold the frequent ones more often than promised and the rare ones, melanoma among them, less often. These
are a few lines of NumPy; a library for conformal prediction (MAPIE) wraps estimators that predict anew, and here the
predictions are stored.
"""

from math import floor

import numpy as np

from skinapp.metrics.classification import ClassIndex, Flags, Floats

_ROUNDING = 1e-9


def fit_class_thresholds(scores: Floats, truth: ClassIndex, level: float) -> Floats:
    """Return the threshold of each class, (k,): 0 to 1; `scores` is (n, k), `truth` (n,), `level` 0 to 1.

    A new photo of a class, drawn like these, scores at least its threshold with a frequency of at least `level`. That
    is the floor((1 - level)(m + 1))-th smallest score of its m photos; with fewer photos than that needs, 0.
    """
    thresholds: Floats = np.zeros(scores.shape[1])
    for place in range(scores.shape[1]):
        own = np.sort(scores[truth == place, place])
        rank = floor((1 - level) * (len(own) + 1) + _ROUNDING)
        if rank > 0:
            thresholds[place] = own[rank - 1]
    return thresholds


def build_class_sets(scores: Floats, thresholds: Floats) -> Flags:
    """Return which classes are in the set of each photo, bool (n, k); `scores` is (n, k), `thresholds` (k,).

    The likeliest class is always in its set, also below its threshold: a set without it would contradict the answer.
    """
    inside: Flags = scores >= thresholds
    inside[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return inside
