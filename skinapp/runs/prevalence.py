"""Restate scores for other class shares than those they were calibrated for."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from skinapp.metrics.classification import Floats
from skinapp.runs.predictions import Predictions, probability_columns

P = TypeVar("P", bound=Predictions)


def restate_score(score: float, old: float, new: float) -> float:
    """Return a malignancy score, 0 to 1, restated from the share of malignant lesions `old` to the share `new`.

    By Bayes' rule, its odds are multiplied by the odds of the new share over those of the old (Saerens, Latinne and
    Decaestecker, 2002). This holds where malignant lesions look alike in both places, and benign ones too. The order of
    scores stays: a score above a threshold is also above the restated threshold.

    Raises ValueError for a score outside 0 to 1, and for a share that is not between 0 and 1.
    """
    if not 0 <= score <= 1:
        raise ValueError(f"A score lies in 0 to 1, not at {score}.")
    for share in (old, new):
        if not 0 < share < 1:
            raise ValueError(f"The share of malignant lesions lies between 0 and 1, not at {share}.")
    malignant, benign = score * new * (1 - old), (1 - score) * old * (1 - new)
    return malignant / (malignant + benign)


def restate_for_equal_shares(probabilities: Floats, shares: Floats, exponent: float = 1.0) -> Floats:
    """Return probabilities, (n, k), restated for classes that are equally frequent.

    `shares` (k,), 0 to 1, are the class shares they were calibrated for. By Bayes' rule each probability is divided by
    the share of its class, and each row then by its sum (Saerens et al., 2002). A class with share 0 is unknown to the
    model and keeps 0. The most likely class of the result is the best answer for balanced accuracy, which weights all
    classes equally. With an `exponent` between 0 and 1 they are divided by that power of the shares: 0 leaves them as
    they are.
    """
    weighed = np.divide(probabilities, shares**exponent, out=np.zeros_like(probabilities), where=shares > 0)
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))


def restate_run_for_equal_shares(run: P, shares: Mapping[str, float], exponent: float = 1.0) -> P:
    """Return a run restated by `restate_for_equal_shares`; `shares` are the class shares its scores hold for, by label.

    The run's temperature and offsets are dropped. Raises ValueError where a class has no share above 0.
    """
    held_for = np.array([shares.get(label, 0.0) for label in run.classes])
    if not (held_for > 0).all():
        raise ValueError(f"Each of {', '.join(run.classes)} needs a share above 0: {dict(shares)}.")
    frame = run.frame.copy()
    frame[probability_columns(run.classes)] = restate_for_equal_shares(run.probabilities(), held_for, exponent)
    return run.rescored(frame, run.classes)
