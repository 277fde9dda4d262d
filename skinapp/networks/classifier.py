"""A loaded model on its device: warmed up and safe to call from several threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.models.card import Head
from skinapp.networks.average import AveragedNetworks
from skinapp.networks.device import Device
from skinapp.networks.folder import Model
from skinapp.taxonomy import MALIGNANT, is_malignant

BATCH_PHOTOS = 32

_BATCH_PX = BATCH_PHOTOS * 512**2
"""Most input pixels at once: networks with an input above 512 px get fewer photos."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Observed:
    """Answers to n photos and what the network saw in them, as arrays.

    `probabilities` is what `predict` returns; `maps`, float32 (n, d, h, w), and `early`, float32 (n, m), are described
    at networks.resnet.Observation.
    """

    probabilities: tuple[np.ndarray, ...]
    maps: np.ndarray
    early: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """The means of the maps, float32 (n, d): what the linear heads of the evidence network read."""
        means: np.ndarray = self.maps.mean((2, 3))
        return means


class Classifier:
    """One model on one device; its network never changes, so threads can share it."""

    def __init__(self, model: Model, device: Device) -> None:
        """Move the model to the device and run one blank photo, because the first prediction is slow."""
        self.card, self.device = model.card, device
        self._network = model.network.to(device.torch)
        self._warm_up()

    def _warm_up(self) -> None:
        side = self.card.preprocessing.input_px
        answers = self.predict(torch.zeros(1, 3, side, side))
        if not find_assessable(answers).all():
            raise ModelError(
                f"The model {self.card.id} answers a blank photo with no number. Restore its folder, or train it again."
            )

    def predict(self, batch: Tensor) -> list[np.ndarray]:
        """Return the calibrated probabilities of each head, float64 (n, classes), in the card's order of heads.

        `batch` is float32 (n, 3, s, s), from skinapp.networks.preprocess.to_tensor. A model with both heads gives
        lesion types that agree with its malignancy (see `reconcile_types`). A photo whose logits are no finite numbers
        has NaN; `find_assessable` finds it.
        """
        with torch.inference_mode():
            logits = self._network(self._place(batch))
        return self._calibrate(logits)

    def observe(self, batch: Tensor) -> Observed:
        """Return the answers that `predict` gives with the maps and features they come from, in one forward pass.

        Of an average these are of its evidence network (see models.card.find_evidence_network).
        """
        with torch.inference_mode():
            seen = self._network.observe(self._place(batch))
        return Observed(tuple(self._calibrate(seen.logits)), seen.maps.cpu().numpy(), seen.early.cpu().numpy())

    def extract(self, batch: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return the features (n, d) and early statistics (n, m), float32, that `observe` gives, without answers."""
        network, photos = self._network, self._place(batch)
        with torch.inference_mode():
            seen = network.observe_alone(photos) if isinstance(network, AveragedNetworks) else network.observe(photos)
        return seen.features.cpu().numpy(), seen.early.cpu().numpy()

    def evidence_head(self, task: str) -> tuple[np.ndarray, np.ndarray]:
        """Return copies of the weights (k, d) and the bias (k,), float32, of a head of the evidence network.

        For each class, weights @ features + bias is the network's logit before calibration. ModelError where the
        evidence network lacks that head.
        """
        network = self._network.evidence_network if isinstance(self._network, AveragedNetworks) else self._network
        if task not in network.heads:
            raise ModelError(
                f"The evidence network of {self.card.id} has no {task} head; it has {', '.join(network.heads)}. "
                "Name another member as evidence with `skinapp gate`."
            )
        weight, bias = (values.detach().cpu().numpy().copy() for values in network.heads[task].parameters())
        return weight, bias

    def _place(self, batch: Tensor) -> Tensor:
        return batch.to(self.device.torch, memory_format=torch.channels_last)

    def _calibrate(self, logits: dict[str, Tensor]) -> list[np.ndarray]:
        # Apple's MPS has no float64.
        probabilities = [calibrate_logits(logits[head.name].cpu().double().numpy(), head) for head in self.card.heads]
        return reconcile_types(probabilities, self.card.heads) if self.card.role == "both" else probabilities


def find_assessable(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return which photos, bool (n,), have a finite probability for each class of each head; others have no answer."""
    assessable: np.ndarray = np.logical_and.reduce([np.isfinite(of_head).all(axis=1) for of_head in probabilities])
    return assessable


def calibrate_logits(logits: np.ndarray, head: Head) -> np.ndarray:
    """Return softmax(logits / temperature + offsets): probabilities (n, k) from a head's logits (n, k).

    A row with a logit that is no finite number becomes NaN in all classes: an infinite one would give a sure answer.
    """
    finite = np.where(np.isfinite(logits).all(axis=1, keepdims=True), logits, np.nan)
    scores: np.ndarray = softmax(finite / head.temperature + np.array(head.offsets or 0.0), axis=1)
    return scores


def reconcile_types(probabilities: Sequence[np.ndarray], heads: Sequence[Head]) -> list[np.ndarray]:
    """Scale the lesion types so that the malignant ones add up to the malignancy head's score.

    `probabilities` holds one array (n, k) per head, and so does the result. The ratios among the malignant types and
    among the benign types stay. So the two heads cannot contradict each other.
    """
    position = {head.name: number for number, head in enumerate(heads)}
    malignancy_classes = heads[position["malignancy"]].classes
    malignant = probabilities[position["malignancy"]][:, malignancy_classes.index(MALIGNANT)]
    types = probabilities[position["lesion_type"]]
    is_malignant_type = np.array([is_malignant(code) for code in heads[position["lesion_type"]].classes])
    scaled = np.empty_like(types)
    for group, total in ((is_malignant_type, malignant), (~is_malignant_type, 1 - malignant)):
        scaled[:, group] = _normalise_rows(types[:, group]) * total[:, None]
    return [scaled if head.name == "lesion_type" else p for head, p in zip(heads, probabilities, strict=True)]


def _normalise_rows(scores: np.ndarray) -> np.ndarray:
    """Scale rows of scores (n, k) to add up to 1; a row of zeros, where softmax underflowed, becomes 1 / k each.

    A row with NaN stays NaN.
    """
    normalised = np.full_like(scores, 1 / scores.shape[1])
    total = scores.sum(axis=1, keepdims=True)
    np.divide(scores, total, out=normalised, where=total != 0)
    return normalised


def choose_batch_photos(input_px: int) -> int:
    """Return how many photos of an input size in px go through a network at once: 32, or fewer large ones."""
    return max(1, min(BATCH_PHOTOS, _BATCH_PX // input_px**2))


def prefetch(
    function: Callable[[Item], Result], items: Iterable[Item], ahead: int = 2 * BATCH_PHOTOS
) -> Iterator[Result]:
    """Apply a function in threads and yield the results in order, computing at most `ahead` results in advance.

    So photos are decoded while the network computes, and a long list does not fill the memory.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items; the last may be shorter. (itertools.batched needs Python 3.12.)"""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
