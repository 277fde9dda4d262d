"""What a training says in a log, where a progress bar leaves nothing: figures of each epoch, pace and time left."""

import time
from collections.abc import Callable
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from skinapp.training.network import TrainedNetwork

PACE_S = 600
"""Seconds between two sentences on the pace."""


class EpochReport(Callback):
    """Prints one line of figures per epoch, because a progress bar leaves nothing in a log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Print the last row of the curves."""
        assert isinstance(pl_module, TrainedNetwork)
        row = pl_module.curves[-1]
        self._say(", ".join(f"{name} {value:.4g}" for name, value in row.items()))


class PaceReport(Callback):
    """Says every ten minutes how many photos a second are trained on, and how long the rest takes at that pace."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Take `say`, which is given each sentence, and a clock that counts seconds."""
        self._say, self._clock, self._batches = say, clock, 0
        self._since = self._said = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start to count anew: crops of another size have another pace."""
        self._since, self._batches = self._clock(), 0
        self._said = self._said or self._since

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch, and speak where the last sentence is long ago."""
        now = self._clock()
        self._batches += 1
        if now - self._said < PACE_S:
            return
        assert isinstance(pl_module, TrainedNetwork)
        self._said = now
        schedule, each_s = pl_module.recipe.schedule, (now - self._since) / self._batches
        in_all = pl_module.steps_per_epoch
        left = (schedule.epochs - trainer.current_epoch) * in_all - (batch_idx + 1)
        self._say(
            f"Epoch {trainer.current_epoch + 1} of {schedule.epochs}, batch {batch_idx + 1} of {in_all}: "
            f"{schedule.batch_size / each_s:.1f} photos/s, about {left * each_s / 3600:.1f} h left"
        )
