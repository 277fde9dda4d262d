"""Calibrate logits: correct for the class shares of the sampling, then fit one temperature on validation photos.

Temperature scaling is that of Guo et al. 2017 (arXiv 1706.04599).
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
from skinapp.networks.classifier import calibrate_logits
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import Recipe

Shares = Mapping[Task, np.ndarray]
"""The class shares of each head, float64 (k,), summing to 1."""

BOUNDS = (0.05, 20.0)
"""Range of temperatures to search; a result at a bound means that something is wrong with the logits."""


def fit_temperature(logits: np.ndarray, classes: np.ndarray, offsets: np.ndarray | float = 0.0) -> float:
    """Return the temperature > 0 that minimises the log loss of softmax(logits / temperature + offsets).

    `logits` is (n, k), `classes` the true indices (n,), `offsets` (k,). The loss has one minimum in 1 / temperature.
    """

    def log_loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature) + offsets, axis=1)
        return float(-scores[np.arange(len(classes)), classes].mean())

    fit = minimize_scalar(log_loss, bounds=np.log(BOUNDS), method="bounded")
    return float(np.exp(fit.x))


def compute_prior_offsets(
    natural: np.ndarray, drawn: np.ndarray, undo: float, logit_adjustment: float = 0.0
) -> np.ndarray:
    """Return the offsets that correct logits to the natural class shares, float64 (k,).

    `natural` and `drawn` (k,) are the class shares in the data and as sampled in training. By Bayes' rule the offset is
    the difference of their logarithms (Saerens et al. 2002), times `undo` (0 to 1). A logit adjustment removed the
    sampled shares from the logits, so they are added back first.
    """
    offsets: np.ndarray = logit_adjustment * np.log(drawn) + undo * (np.log(natural) - np.log(drawn))
    offsets -= offsets.max()
    return offsets


def check_shares(recipe: Recipe, natural: Shares, drawn: Shares) -> None:
    """Raise DatasetError where a recipe needs the share of a class without training photos."""
    needed = [natural] if recipe.calibration.undo_sampling else []
    needed += [drawn] if recipe.sampling.logit_adjustment else []
    for shares in needed:
        for task, classes in recipe.heads.items():
            absent = [name for name, share in zip(classes, shares[task], strict=True) if share == 0]
            if absent:
                raise DatasetError(
                    f"{recipe.data.table} has no training photo of {', '.join(absent)}, so the sampling cannot be "
                    "corrected for it. Remove it from the recipe's classes."
                )


def calibrate_heads(
    module: TrainedNetwork, validation: DataLoader[Any], natural: Shares, drawn: Shares
) -> tuple[tuple[Head, ...], float]:
    """Round the weights to fp16, as they ship, and calibrate each head with them, in float32 on the CPU.

    Returns the heads and the largest change of a probability by the rounding. The module keeps the rounded weights.
    """
    exact = _predict_validation(module.cpu().float().eval(), validation)
    rounded = _predict_validation(module.half().float(), validation)
    heads, max_change = [], 0.0
    for task, (logits, classes) in rounded.items():
        head = _calibrate_head(module.recipe, task, logits, classes, natural[task], drawn[task])
        change = calibrate_logits(exact[task][0], head) - calibrate_logits(logits, head)
        max_change = max(max_change, float(np.abs(change).max()))
        heads.append(head)
    return tuple(heads), max_change


def _predict_validation(
    module: TrainedNetwork, validation: DataLoader[Any]
) -> dict[Task, tuple[np.ndarray, np.ndarray]]:
    with torch.inference_mode():
        for batch in validation:
            module.validation_step(batch)
    return module.take_validation_logits()


def _calibrate_head(
    recipe: Recipe, task: Task, logits: np.ndarray, classes: np.ndarray, natural: np.ndarray, drawn: np.ndarray
) -> Head:
    undo, adjustment = recipe.calibration.undo_sampling, recipe.sampling.logit_adjustment
    offsets = compute_prior_offsets(natural, drawn, undo, adjustment) if undo or adjustment else np.zeros(0)
    return Head(
        name=task,
        classes=recipe.heads[task],
        temperature=fit_temperature(logits, classes, offsets if len(offsets) else 0.0),
        offsets=tuple(offsets.tolist()),
        shares=tuple(natural.tolist()),
    )
