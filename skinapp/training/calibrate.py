"""Logits -> probabilities that mean what they say: the sampling's shares undone, then one temperature.

Temperature scaling is that of Guo et al. 2017 (arXiv 1706.04599): one number, fitted on validation.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BOUNDS = (0.05, 20.0)
"""Temperatures that are looked at; a fit at a bound would say that something is wrong with the logits."""


def fit_temperature(logits: np.ndarray, classes: np.ndarray, offsets: np.ndarray | float = 0.0) -> float:
    """Return the temperature > 0 that makes the log loss of softmax(logits / temperature + offsets) least.

    `logits` is (n, k), `classes` the true indices (n,), `offsets` (k,). The loss has one minimum in 1 / temperature.
    """

    def log_loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature) + offsets, axis=1)
        return float(-scores[np.arange(len(classes)), classes].mean())

    found = minimize_scalar(log_loss, bounds=np.log(BOUNDS), method="bounded")
    return float(np.exp(found.x))


def prior_offsets(natural: np.ndarray, drawn: np.ndarray, undo: float, logit_adjustment: float = 0.0) -> np.ndarray:
    """Return what to add to logits so that they hold for the natural shares of the classes, float64 (k,).

    `natural` and `drawn` (k,) are the shares of the classes in the data and as drawn while training; by Bayes' rule
    the difference of their logarithms leads from one to the other (Saerens et al. 2002). `undo` (0 to 1) says how
    much of the way is gone; a logit adjustment left the shares as drawn out of the logits, so they come back first.
    """
    offsets: np.ndarray = logit_adjustment * np.log(drawn) + undo * (np.log(natural) - np.log(drawn))
    offsets -= offsets.max()
    return offsets
