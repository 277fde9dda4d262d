"""Recipe -> model folder: trains, resumes what was interrupted, keeps the best epoch, calibrates, saves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import lightning as L
import pandas as pd
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    ModelCheckpoint,
    RichProgressBar,
)
from torch.utils.data import DataLoader

from skinapp.datasets.files import Progress, no_progress
from skinapp.errors import ModelError, RecipeError
from skinapp.files import file_sha256
from skinapp.models.card import RECIPE, Card, TrainingFacts, write_card
from skinapp.networks.device import choose_device, training_precision, versions
from skinapp.networks.folder import load_model, save_model
from skinapp.networks.resnet import HeadedResNet
from skinapp.training.batches import (
    EpochSampler,
    class_shares,
    photo_weights,
    training_batches,
    validation_batches,
)
from skinapp.training.calibrate import Shares, calibrated_heads, check_shares
from skinapp.training.checkpoints import Clock, EpochReport, WholeCheckpoints
from skinapp.training.distillation import teacher_facts, teachers_of
from skinapp.training.facts import INTENDED_USE, LICENCE, NOT_FOR, data_facts
from skinapp.training.initial import initial_network
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import Recipe, read_recipe
from skinapp.training.sources import gathered, own


@dataclass(frozen=True)
class TrainingContext:
    """Where a training finds and keeps its things: photos, initial weights, checkpoints; and how it reports."""

    data_root: Path
    weights_folder: Path | None
    checkpoints: Path
    workers: int = 1
    progress: Progress = no_progress
    say: Callable[[str], None] = lambda sentence: None


@dataclass(frozen=True, eq=False)
class FinishedTraining:
    """A finished training: its photos with their split, its network, its card (weights not yet hashed), its curves."""

    photos: pd.DataFrame
    network: HeadedResNet
    card: Card
    curves: str


def train(recipe_path: Path, workshop: TrainingContext) -> Card:
    """Train by a recipe and write card, weights and curves beside it; resume where checkpoints of it lie.

    Returns the card as written. Raises RecipeError, DatasetError, PhotoError or ModelError where something
    it needs is not right.
    """
    trained = fit(recipe_path, workshop)
    return save_model(recipe_path.parent, trained.card, trained.network.state_dict(), trained.curves)


def fit(recipe_path: Path, workshop: TrainingContext) -> FinishedTraining:
    """Train by a recipe and write nothing but checkpoints; raises as `train` does."""
    recipe = read_recipe(recipe_path)
    chosen = _chosen(recipe)
    parts = chosen.parts
    network, initial = initial_network(recipe, recipe_path.parent, workshop.weights_folder)
    teachers = teachers_of(recipe, recipe_path.parent)
    L.seed_everything(recipe.seed, verbose=False)
    workshop.say(f"Reading {len(parts['train']) + len(parts['validation']):,} photos")
    training = training_batches(parts["train"], workshop.data_root, recipe, workshop.workers, workshop.progress)
    validation = validation_batches(parts["validation"], workshop.data_root, recipe, workshop.progress)
    module = TrainedNetwork(network, recipe, len(training), chosen.drawn, teachers)
    module = module.to(memory_format=torch.channels_last)
    facts = _fit(module, training, validation, recipe_path, workshop)
    heads, rounding = calibrated_heads(module, validation, chosen.natural, chosen.drawn)
    card = Card(
        id=recipe_path.resolve().parent.name,
        role=recipe.role,
        architecture=recipe.network.architecture,
        heads=heads,
        preprocessing=recipe.input,
        weights_sha256="",
        weights_dtype="float16",
        rounding=rounding,
        data=data_facts(Path(recipe.data.table), chosen.photos, parts, recipe.borrowed_tables),
        initial=initial,
        teachers=teacher_facts(teachers),
        training=facts,
        licence=LICENCE,
        intended_use=INTENDED_USE,
        not_for=NOT_FOR,
    )
    curves = pd.DataFrame(module.curves).astype({"epoch": int}).to_csv(index=False, float_format="%.5f")
    return FinishedTraining(chosen.photos, module.network, card, curves)


def recalibrate(folder: Path, workshop: TrainingContext) -> Card:
    """Calibrate a trained model anew, by the [calibration] of the recipe beside it, and write its card; weights stay.

    Operating points and figures leave the card: they were those of the old scores. Returns the card as written. Raises
    RecipeError where the recipe is not the one that the model was trained by, but for its calibration, as far as the
    card tells; else as `train` does.
    """
    model = load_model(folder)
    if model.card.members:
        raise ModelError(f"{model.card.id} is an average. Calibrate it with `skinapp average {folder / RECIPE}`.")
    recipe = read_recipe(folder / RECIPE)
    _check_trained_by(recipe, model.card)
    chosen = _chosen(recipe)
    validation = validation_batches(chosen.parts["validation"], workshop.data_root, recipe, workshop.progress)
    module = TrainedNetwork(cast(HeadedResNet, model.network), recipe, 1, chosen.drawn)
    heads, _ = calibrated_heads(module, validation, chosen.natural, chosen.drawn)
    training = model.card.training.model_copy(update={"recipe_sha256": file_sha256(folder / RECIPE)})
    renewed: dict[str, object] = {"heads": heads, "training": training, "operating_points": (), "figures": ()}
    card = model.card.model_copy(update=renewed)
    write_card(folder, card)
    return card


def _check_trained_by(recipe: Recipe, card: Card) -> None:
    (network,) = card.networks
    facts = {
        "role": (recipe.role, card.role),
        "network.architecture": (recipe.network.architecture, card.architecture),
        "network.initial_weights": (recipe.network.initial_weights, network.initial.name),
        "input": (recipe.input, card.preprocessing),
        "data.classes": (recipe.heads, {head.name: head.classes for head in card.heads}),
        "data.table": (file_sha256(Path(recipe.data.table)), card.data.table_sha256),
        "schedule.monitor": (recipe.schedule.monitor, network.training.monitor),
    }
    if others := [key for key, (asked, known) in facts.items() if asked != known]:
        raise RecipeError(
            f"The recipe beside {card.id} is not the one it was trained by: {', '.join(others)} differ from its card. "
            "Put that recipe back, or train the model anew."
        )


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The photos of a recipe, those of each part, and the shares of the classes in the data and as they are drawn."""

    photos: pd.DataFrame
    parts: Mapping[str, pd.DataFrame]
    natural: Shares
    drawn: Shares


def _chosen(recipe: Recipe) -> _Chosen:
    photos = gathered(recipe)
    parts = {name: photos[photos["split"] == name].reset_index(drop=True) for name in ("train", "validation")}
    natural = class_shares(own(parts["train"]), recipe)
    drawn = class_shares(parts["train"], recipe, photo_weights(parts["train"], recipe))
    check_shares(recipe, natural, drawn)
    return _Chosen(photos, parts, natural, drawn)


def _fit(
    module: TrainedNetwork,
    training: DataLoader[Any],
    validation: DataLoader[Any],
    recipe_path: Path,
    workshop: TrainingContext,
) -> TrainingFacts:
    """Train, or go on from the last checkpoint, and leave the weights of the epoch to keep in the module."""
    recipe_sha256 = file_sha256(recipe_path)
    trainer, best, clock = _trainer(module.recipe, workshop)
    last = workshop.checkpoints / "last.ckpt"
    resumed = last if last.is_file() else None
    if resumed:
        _go_on_drawing(training, resumed)
    trainer.fit(module, training, validation, ckpt_path=resumed, weights_only=True)
    kept = best.best_model_path if module.recipe.schedule.keep == "best" else last
    checkpoint = torch.load(kept, map_location="cpu", weights_only=True)
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
        versions=versions(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _go_on_drawing(training: DataLoader[Any], resumed: Path) -> None:
    """Set the sampler to the epoch after a checkpoint's: workers begin to draw before Lightning names the epoch."""
    assert isinstance(training.sampler, EpochSampler)
    training.sampler.set_epoch(torch.load(resumed, map_location="cpu", weights_only=True)["epoch"] + 1)


def _trainer(recipe: Recipe, workshop: TrainingContext) -> tuple[L.Trainer, ModelCheckpoint, Clock]:
    monitor = f"validation_{recipe.schedule.monitor}"
    mode = "min" if recipe.schedule.monitor == "loss" else "max"
    best = ModelCheckpoint(workshop.checkpoints, "best", monitor=monitor, mode=mode, enable_version_counter=False)
    last = ModelCheckpoint(workshop.checkpoints, "last", every_n_epochs=1, enable_version_counter=False)
    clock = Clock()
    decay = recipe.schedule.average_decay
    averaging: list[Callback] = [EMAWeightAveraging(decay=decay)] if decay else []
    device = choose_device()
    trainer = L.Trainer(
        accelerator={"cuda": "gpu"}.get(device.name, device.name),
        devices=1,
        precision=training_precision(device),  # type: ignore[arg-type]
        max_epochs=recipe.schedule.epochs,
        callbacks=[
            *averaging,
            clock,
            best,
            last,
            EarlyStopping(monitor, mode=mode, patience=recipe.schedule.patience),
            EpochReport(workshop.say),
            RichProgressBar(),
        ],
        plugins=[WholeCheckpoints()],
        logger=False,
        num_sanity_val_steps=0,
        enable_model_summary=False,
    )
    return trainer, best, clock
