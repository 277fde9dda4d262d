"""What a resumed run needs: complete checkpoints, and the seconds spent so far."""

import hashlib
import time
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from skinapp.errors import ModelError, RecipeError
from skinapp.files import compute_sha256, replace_file
from skinapp.training.distillation import list_teacher_files
from skinapp.training.initial import find_initial_file
from skinapp.training.recipe import Recipe
from skinapp.training.squeezed.recipe import read_any_recipe


class WholeCheckpoints(TorchCheckpointIO):
    """Writes each checkpoint to a temporary file and moves it into place, so a kill leaves no partial one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write one checkpoint; called by Lightning. ModelError where it cannot be written, as on a full disk."""
        try:
            with replace_file(Path(path)) as aside:
                super().save_checkpoint(checkpoint, aside, storage_options)
        except (OSError, RuntimeError) as error:  # torch raises the latter for a full disk
            raise ModelError(
                f"The checkpoint {path} cannot be written ({str(error).splitlines()[0]}). Make room or mend the "
                "folder, then run the same command: the training goes on after its last whole checkpoint."
            ) from error


class MovableCheckpoint(ModelCheckpoint):
    """A ModelCheckpoint that knows its best epoch again after its folder was moved; Lightning's forgets it."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state of a checkpoint, with its paths in the folder of today."""
        assert self.dirpath is not None
        here = Path(self.dirpath)
        moved = dict(state_dict, dirpath=self.dirpath)
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            if moved.get(key):
                moved[key] = str(here / Path(moved[key]).name)
        scores = moved.get("best_k_models", {})
        moved["best_k_models"] = {str(here / Path(path).name): score for path, score in scores.items()}
        super().load_state_dict(moved)


class Clock(Callback):
    """Adds up the seconds of training over all starts of a run; checkpoints hold `elapsed_s`."""

    def __init__(self) -> None:
        self.elapsed_s, self._started = 0.0, time.monotonic()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock at the seconds of earlier starts."""
        self._started = time.monotonic() - self.elapsed_s

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Update `elapsed_s` before the checkpoints of this epoch are written."""
        self.elapsed_s = time.monotonic() - self._started

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"elapsed_s": self.elapsed_s}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.elapsed_s = state_dict["elapsed_s"]


def _hash_input(path: Path) -> str:
    try:
        return compute_sha256(path)
    except OSError as error:
        raise RecipeError(
            f"{path}, which the recipe needs, cannot be read ({error.strerror}). Correct the recipe: paths of tables "
            "start at the working directory."
        ) from error


def hash_weights(network: nn.Module) -> str:
    """Return the sha256, in hex, of a network's weights: their bytes, in the order of their names."""
    state = network.state_dict()
    return hashlib.sha256(b"".join(state[name].cpu().numpy().tobytes() for name in sorted(state))).hexdigest()


def name_checkpoint_folder(recipe_path: Path, root: Path, weights_folder: Path | None) -> Path:
    """Return the folder of a recipe's checkpoints, named by its id and a hash of everything it starts from.

    A change of the recipe, an image table, the initial weights, the twins or a teacher gives another folder, so the
    training starts afresh. Raises RecipeError or ModelError where the recipe or something it needs cannot be read.
    """
    recipe = read_any_recipe(recipe_path)
    initial = find_initial_file(recipe.network.initial_weights, recipe_path.parent, weights_folder)
    twins = [Path(recipe.split.twins)] if recipe.split.twins else []
    more: list[Path] = []
    if isinstance(recipe, Recipe):
        more = [*recipe.extra_tables, *list_teacher_files(recipe, recipe_path.parent)]
    files = [recipe_path, Path(recipe.data.table), *([initial] if initial else []), *twins, *more]
    content = "".join(map(_hash_input, files)).encode()
    return root / f"{recipe_path.resolve().parent.name}-{hashlib.sha256(content).hexdigest()[:12]}"
