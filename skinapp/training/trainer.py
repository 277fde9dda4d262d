"""Run a training with Lightning: resume it, report on it, and load the weights of the epoch to keep."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging, RichProgressBar
from torch.utils.data import DataLoader

from skinapp.datasets.files import Progress, ignore_progress
from skinapp.files import compute_sha256
from skinapp.models.card import TrainingFacts
from skinapp.networks.device import choose_device, choose_precision, read_versions
from skinapp.training.batches import EpochSampler
from skinapp.training.checkpoints import Clock, MovableCheckpoint, WholeCheckpoints
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import Recipe
from skinapp.training.reports import EpochReport, PaceReport
from skinapp.training.resume import LAST, Resume, find_checkpoint, load_checkpoint


@dataclass(frozen=True)
class TrainingContext:
    """The folders of a training (photos, initial weights, checkpoints), its workers, where it resumes, its reports."""

    data_root: Path
    weights_folder: Path | None
    checkpoints: Path
    workers: int = 1
    resume: Resume = "last"
    progress: Progress = ignore_progress
    say: Callable[[str], None] = lambda sentence: None


def run_trainer(
    module: TrainedNetwork,
    training: DataLoader[Any],
    validation: DataLoader[Any],
    recipe_path: Path,
    context: TrainingContext,
) -> TrainingFacts:
    """Train, or resume from the last checkpoint, and load the weights of the epoch to keep into the module."""
    recipe_sha256 = compute_sha256(recipe_path)
    trainer, best, clock = _make_trainer(module.recipe, context)
    keys = [one.state_key for one in (best, clock)]
    found = find_checkpoint(context.checkpoints, context.resume, module.state_dict(), keys)
    resumed, done = found or (None, -1)
    assert isinstance(training.sampler, EpochSampler)
    training.sampler.set_epoch(done + 1)  # workers start to draw before Lightning sets it
    trainer.fit(module, training, validation, ckpt_path=resumed, weights_only=True)
    _warn_if_diverged(module, context)
    kept = Path(best.best_model_path) if module.recipe.schedule.keep == "best" else context.checkpoints / LAST
    checkpoint = load_checkpoint(kept)
    module.load_state_dict(checkpoint["state_dict"])
    epoch = int(checkpoint["epoch"])
    return TrainingFacts(
        recipe_sha256=recipe_sha256,
        best_epoch=epoch + 1,
        epochs=len(module.curves),
        monitor=module.recipe.schedule.monitor,
        best_value=module.curves[epoch][f"validation_{module.recipe.schedule.monitor}"],
        elapsed_s=round(clock.elapsed_s, 1),
        device=choose_device().label,
        versions=read_versions(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _warn_if_diverged(module: TrainedNetwork, context: TrainingContext) -> None:
    if not math.isfinite(module.curves[-1]["validation_loss"]):
        context.say(
            f"The training diverged: its loss is no number after epoch {len(module.curves)}. Lower learning_rate."
        )


def _make_trainer(recipe: Recipe, context: TrainingContext) -> tuple[L.Trainer, MovableCheckpoint, Clock]:
    monitor = f"validation_{recipe.schedule.monitor}"
    mode = "min" if recipe.schedule.monitor == "loss" else "max"
    best = MovableCheckpoint(context.checkpoints, "best", monitor=monitor, mode=mode, enable_version_counter=False)
    last = MovableCheckpoint(context.checkpoints, "last", every_n_epochs=1, enable_version_counter=False)
    clock = Clock()
    decay = recipe.schedule.average_decay
    averaging: list[Callback] = [EMAWeightAveraging(decay=decay)] if decay else []
    device = choose_device()
    trainer = L.Trainer(
        accelerator={"cuda": "gpu"}.get(device.name, device.name),
        devices=1,
        precision=choose_precision(device),  # type: ignore[arg-type]
        max_epochs=recipe.schedule.epochs,
        callbacks=[
            *averaging,
            clock,
            best,
            last,
            EarlyStopping(monitor, mode=mode, patience=recipe.schedule.patience),
            EpochReport(context.say),
            PaceReport(context.say),
            RichProgressBar(),
        ],
        plugins=[WholeCheckpoints()],
        logger=False,
        num_sanity_val_steps=0,
        enable_model_summary=False,
    )
    return trainer, best, clock
