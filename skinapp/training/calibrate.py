"""Logits -> probabilities that mean what they say: the sampling's shares undone, then one temperature.

Temperature scaling is that of Guo et al. 2017 (arXiv 1706.04599): one number, fitted on validation.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch.utils.data import DataLoader

from skinapp.errors import DatasetError
from skinapp.models.card import Head, Task
from skinapp.networks.classifier import calibrated
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import Recipe

Shares = Mapping[Task, np.ndarray]
"""For each head the share of its classes, float64 (k,), summing to 1."""

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


def check_shares(recipe: Recipe, natural: Shares, drawn: Shares) -> None:
    """Raise DatasetError where a recipe adjusts or undoes the share of a class that it has no training photo of."""
    asked = [natural] if recipe.calibration.undo_sampling else []
    asked += [drawn] if recipe.sampling.logit_adjustment else []
    for shares in asked:
        for task, classes in recipe.heads.items():
            absent = [name for name, share in zip(classes, shares[task], strict=True) if share == 0]
            if absent:
                raise DatasetError(
                    f"{recipe.data.table} has no training photo of {', '.join(absent)}, whose share cannot be adjusted "
                    "or undone. Take it out of the recipe's classes."
                )


def calibrated_heads(
    module: TrainedNetwork, validation: DataLoader[Any], natural: Shares, drawn: Shares
) -> tuple[tuple[Head, ...], float]:
    """Round the weights to fp16, as they ship, and calibrate each head on them, computed in float32 on the CPU.

    Returns the heads, and how far the rounding moved a probability at most. The module keeps the rounded weights.
    """
    exact = _validation_logits(module.cpu().float().eval(), validation)
    rounded = _validation_logits(module.half().float(), validation)
    heads, moved = [], 0.0
    for task, (logits, classes) in rounded.items():
        head = _calibrated_head(module.recipe, task, logits, classes, natural[task], drawn[task])
        change = calibrated(exact[task][0], head) - calibrated(logits, head)
        moved = max(moved, float(np.abs(change).max()))
        heads.append(head)
    return tuple(heads), moved


def _validation_logits(
    module: TrainedNetwork, validation: DataLoader[Any]
) -> dict[Task, tuple[np.ndarray, np.ndarray]]:
    with torch.inference_mode():
        for batch in validation:
            module.validation_step(batch)
    return module.validation_logits()


def _calibrated_head(
    recipe: Recipe, task: Task, logits: np.ndarray, classes: np.ndarray, natural: np.ndarray, drawn: np.ndarray
) -> Head:
    undo, adjustment = recipe.calibration.undo_sampling, recipe.sampling.logit_adjustment
    offsets = prior_offsets(natural, drawn, undo, adjustment) if undo or adjustment else np.zeros(0)
    return Head(
        name=task,
        classes=recipe.heads[task],
        temperature=fit_temperature(logits, classes, offsets if len(offsets) else 0.0),
        offsets=tuple(offsets.tolist()),
        shares=tuple(natural.tolist()),
    )
