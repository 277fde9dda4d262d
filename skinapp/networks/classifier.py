"""A model made ready to answer: on its device, warmed up, safe to call from several threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from skinapp.models.card import Head
from skinapp.networks.device import Device
from skinapp.networks.folder import Model
from skinapp.taxonomy import MALIGNANT, is_malignant

BATCH_PHOTOS = 32

Item = TypeVar("Item")
Result = TypeVar("Result")


class Classifier:
    """One model on one device; its network is never changed after this, so threads can share it."""

    def __init__(self, model: Model, device: Device) -> None:
        """Move the model to the device and run one empty photo through it, so that the first answer is not slow."""
        self.card, self.device = model.card, device
        self._network = model.network.to(device.torch)
        self._warm_up()

    def _warm_up(self) -> None:
        side = self.card.preprocessing.input_px
        self.probabilities(torch.zeros(1, 3, side, side))

    def probabilities(self, batch: Tensor) -> list[np.ndarray]:
        """Return calibrated probabilities, float64 (n, classes), for each head of the card, in its order.

        `batch` is float32 (n, 3, s, s), as skinapp.networks.preprocess.to_tensor makes it.
        """
        with torch.inference_mode():
            logits = self._network(batch.to(self.device.torch, memory_format=torch.channels_last))
        # Apple's MPS knows no float64
        answers = [calibrated(logits[head.name].cpu().double().numpy(), head) for head in self.card.heads]
        return reconcile_types(answers, self.card.heads) if self.card.role == "both" else answers


def calibrated(logits: np.ndarray, head: Head) -> np.ndarray:
    """Return a head's probabilities, (n, k), of its logits, (n, k): softmax(logits / temperature + offsets)."""
    scores: np.ndarray = softmax(logits / head.temperature + np.array(head.offsets or 0.0), axis=1)
    return scores


def reconcile_types(answers: Sequence[np.ndarray], heads: Sequence[Head]) -> list[np.ndarray]:
    """Scale a pair's lesion types so that the malignant ones together weigh what its malignancy head says.

    `answers` are probabilities (n, k), one array a head; so are those returned. Within the malignant and within the
    benign types the shares stay, so that the two answers cannot contradict each other.
    """
    place = {head.name: number for number, head in enumerate(heads)}
    classes = heads[place["malignancy"]].classes
    malignant = answers[place["malignancy"]][:, classes.index(MALIGNANT)]
    types = answers[place["lesion_type"]]
    of_malignant = np.array([is_malignant(code) for code in heads[place["lesion_type"]].classes])
    scaled = np.empty_like(types)
    for group, weight in ((of_malignant, malignant), (~of_malignant, 1 - malignant)):
        scaled[:, group] = _shares(types[:, group]) * weight[:, None]
    return [scaled if head.name == "lesion_type" else answer for head, answer in zip(heads, answers, strict=True)]


def _shares(scores: np.ndarray) -> np.ndarray:
    """Scale rows of scores, (n, k), to add up to 1; where softmax underflowed to all 0, classes share alike."""
    shares = np.full_like(scores, 1 / scores.shape[1])
    total = scores.sum(axis=1, keepdims=True)
    np.divide(scores, total, out=shares, where=total > 0)
    return shares


def prefetched(
    function: Callable[[Item], Result], items: Iterable[Item], ahead: int = 2 * BATCH_PHOTOS
) -> Iterator[Result]:
    """Apply a function in threads, in order, at most `ahead` results before they are asked for.

    Photos are decoded while the network computes, and a long list never fills the memory.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items, the last one shorter (itertools.batched needs Python 3.12)."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
