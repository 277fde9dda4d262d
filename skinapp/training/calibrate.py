"""Temperature scaling (Guo et al. 2017, arXiv 1706.04599): one number, fitted on validation."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BOUNDS = (0.05, 20.0)
"""Temperatures that are looked at; a fit at a bound would say that something is wrong with the logits."""


def fit_temperature(logits: np.ndarray, classes: np.ndarray) -> float:
    """Return the temperature > 0 that makes the log loss of softmax(logits / temperature) least.

    `logits` is (n, k), `classes` the true indices (n,). The loss has one minimum in 1 / temperature.
    """

    def log_loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scores[np.arange(len(classes)), classes].mean())

    found = minimize_scalar(log_loss, bounds=np.log(BOUNDS), method="bounded")
    return float(np.exp(found.x))
