"""A model made ready to answer: on its device, warmed up, safe to call from several threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from skinapp.networks.device import Device
from skinapp.networks.folder import Model

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
        answers = []
        for head in self.card.heads:
            scaled = logits[head.name].cpu().double() / head.temperature  # Apple's MPS knows no float64
            answers.append(scaled.softmax(dim=1).numpy())
        return answers


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
