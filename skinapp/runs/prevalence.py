"""What scores would be where lesions come in other shares than where they were calibrated."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from skinapp.metrics.classification import Floats
from skinapp.runs.predictions import Predictions, probability_columns

P = TypeVar("P", bound=Predictions)


def restated(score: float, old: float, new: float) -> float:
    """Return a malignancy score, 0 to 1, restated from the share of malignant lesions `old` to the share `new`.

    Bayes' rule on the odds (Saerens, Latinne and Decaestecker, 2002): they are multiplied by the odds of the new share
    over those of the old. It holds where the malignant lesions here and there look alike, and the benign ones too. No
    score overtakes another, so that what is above a threshold stays above the threshold restated likewise.

    Raises ValueError for a score outside 0 to 1, and for a share that is not between 0 and 1.
    """
    if not 0 <= score <= 1:
        raise ValueError(f"A score lies in 0 to 1, not at {score}.")
    for share in (old, new):
        if not 0 < share < 1:
            raise ValueError(f"The share of malignant lesions lies between 0 and 1, not at {share}.")
    malignant, benign = score * new * (1 - old), (1 - score) * old * (1 - new)
    return malignant / (malignant + benign)


def for_equal_shares(probabilities: Floats, shares: Floats) -> Floats:
    """Return probabilities, (n, k), restated for classes that are equally frequent.

    `shares` (k,), 0 to 1, are those that they hold for. By Bayes' rule each is divided by its class's share, and a row
    then by its sum (Saerens et al., 2002). A class without a share is one that the model does not know: it keeps 0. The
    likeliest class of the result is what balanced accuracy asks for: it weighs a rare class as much as a frequent one.
    """
    weighed = np.divide(probabilities, shares, out=np.zeros_like(probabilities), where=shares > 0)
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))


def run_for_equal_shares(run: P, shares: Mapping[str, float]) -> P:
    """Return a run restated by `for_equal_shares`; `shares` are those of its classes that its scores hold for.

    Of what temperature and offsets did nothing is kept. Raises ValueError where a class has no share above 0.
    """
    held_for = np.array([shares.get(label, 0.0) for label in run.classes])
    if not (held_for > 0).all():
        raise ValueError(f"Each of {', '.join(run.classes)} needs a share above 0: {dict(shares)}.")
    frame = run.frame.copy()
    frame[probability_columns(run.classes)] = for_equal_shares(run.probabilities(), held_for)
    return run.rescored(frame, run.classes)
