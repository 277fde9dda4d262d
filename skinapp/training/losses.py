"""Losses beside the cross entropy: for photos of which less than the type is known, and distances from a teacher."""

import torch
from torch import Tensor


def compute_kind_loss(logits: Tensor, malignant_types: Tensor, malignant: Tensor) -> Tensor:
    """Return minus the log of the summed probability of the types that a photo can have, (n,).

    `logits` (n, k) are those of the lesion types, `malignant_types`, bool (k,), says which of them are malignant, and
    `malignant`, bool (n,), whether each photo is. It is the log loss of a label that names a set of classes.
    """
    possible = malignant[:, None] == malignant_types[None, :]
    return logits.logsumexp(1) - logits.masked_fill(~possible, -torch.inf).logsumexp(1)


def soften(probabilities: Tensor, temperature: float) -> Tensor:
    """Return probabilities (n, k) as a temperature softens them: their logarithms divided by it, then a softmax."""
    smallest = torch.finfo(probabilities.dtype).tiny
    return (probabilities.clamp(min=smallest).log() / temperature).softmax(1)


def compute_distance(answer: Tensor, logits: Tensor, temperature: float) -> Tensor:
    """Return the distance (n,) of a student's logits (n, k) from the teachers' softened probabilities (n, k).

    It is their Kullback-Leibler divergence at the temperature, times the temperature squared, so that the gradient
    has the same size at any temperature (Hinton et al. 2015, arXiv 1503.02531).
    """
    student = (logits.float() / temperature).log_softmax(1)
    return torch.nn.functional.kl_div(student, answer, reduction="none").sum(1) * temperature**2
