"""Two readings of one score: the likeliest type at the shares of the data, and at shares that are more equal."""

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize_scalar

from skinapp.runs.predictions import Predictions
from skinapp.runs.prevalence import restate_run_for_equal_shares

TOLERANCE = 1e-3
"""How exactly the exponent is found."""


def choose_reading_exponent(validation: Predictions, shares: Mapping[str, float]) -> float:
    """Return the exponent, 0 to 1, of the second reading: that with the lowest log loss where each class weighs alike.

    Scores are divided by `shares`, by label, to this power (see `restate_for_equal_shares`): 0 reads them at the shares
    of the data, 1 as if all classes were equally frequent. The loss decides, not balanced accuracy, which the few
    photos of the rarest class move by chance. Choose by validation photos, never by test photos. Raises ValueError
    where a class has no share above 0.
    """

    def loss(exponent: float) -> float:
        return compute_balanced_loss(validation, shares, exponent)

    found = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": TOLERANCE})
    return min((0.0, float(found.x), 1.0), key=loss)  # the search ends just inside its bounds


def compute_balanced_loss(run: Predictions, shares: Mapping[str, float], exponent: float) -> float:
    """Return the log loss of a run restated with an exponent, each class that has photos weighing alike."""
    restated, truth = restate_run_for_equal_shares(run, shares, exponent), run.truth_index()
    of_truth = restated.probabilities()[np.arange(len(truth)), truth]
    losses = -np.log(np.maximum(of_truth, np.finfo(np.float64).tiny))
    return float(np.mean([losses[truth == place].mean() for place in np.unique(truth)]))
