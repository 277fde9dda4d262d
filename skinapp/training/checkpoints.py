"""What outlives a killed run: whole checkpoints, the seconds already spent, and a line an epoch for the log."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from skinapp.files import file_sha256, written_aside
from skinapp.training.distillation import teacher_files
from skinapp.training.initial import initial_file
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import Recipe
from skinapp.training.squeezed.recipe import read_any_recipe


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints aside and moves them into place, so that a kill never leaves half of one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write one checkpoint; Lightning calls this."""
        with written_aside(Path(path)) as aside:
            super().save_checkpoint(checkpoint, aside, storage_options)


class Clock(Callback):
    """Adds up the seconds of training over all the starts of a run; checkpoints carry `elapsed_s` on."""

    def __init__(self) -> None:
        self.elapsed_s, self._started = 0.0, time.monotonic()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start, or go on from the seconds of earlier starts."""
        self._started = time.monotonic() - self.elapsed_s

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Read the clock before the checkpoints of this epoch are written."""
        self.elapsed_s = time.monotonic() - self._started

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"elapsed_s": self.elapsed_s}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""
        self.elapsed_s = state_dict["elapsed_s"]


class EpochReport(Callback):
    """Says each epoch's figures in a line, because a progress bar leaves nothing in a log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say the newest row of the curves."""
        assert isinstance(pl_module, TrainedNetwork)
        row = pl_module.curves[-1]
        self._say(", ".join(f"{name} {value:.4g}" for name, value in row.items()))


def weights_sha256(network: nn.Module) -> str:
    """Return the fingerprint of a network's weights, hex: of their bytes, in the order of their names."""
    state = network.state_dict()
    return hashlib.sha256(b"".join(state[name].cpu().numpy().tobytes() for name in sorted(state))).hexdigest()


def checkpoint_folder(recipe_path: Path, root: Path, weights_folder: Path | None) -> Path:
    """Name the folder of a recipe's checkpoints, by its id and all that it starts from.

    What starts anew instead of going on with an old run: a changed recipe, image table, file of initial weights or of
    twins, or teacher.
    """
    recipe = read_any_recipe(recipe_path)
    initial = initial_file(recipe.network.initial_weights, recipe_path.parent, weights_folder)
    twins = [Path(recipe.split.twins)] if recipe.split.twins else []
    others: list[Path] = []
    if isinstance(recipe, Recipe):
        others = [*recipe.borrowed_tables, *teacher_files(recipe, recipe_path.parent)]
    files = [recipe_path, Path(recipe.data.table), *([initial] if initial else []), *twins, *others]
    content = "".join(map(file_sha256, files)).encode()
    return root / f"{recipe_path.resolve().parent.name}-{hashlib.sha256(content).hexdigest()[:12]}"
