"""Train a model by a recipe: resume, keep the best epoch, calibrate and save."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import lightning as L
import numpy as np
import pandas as pd
import torch

from skinapp.errors import ModelError, RecipeError
from skinapp.files import compute_sha256
from skinapp.models.bounds import find_unknown_types
from skinapp.models.card import NOT_YET_MEASURED, RECIPE, Card, write_card
from skinapp.models.folder import check_model_id
from skinapp.networks.folder import load_model, save_model
from skinapp.networks.resnet import HeadedResNet
from skinapp.networks.weights import check_fits_half
from skinapp.taxonomy import CODES
from skinapp.training.answers import StoredAnswers, arrange_answers
from skinapp.training.batches import (
    compute_class_shares,
    compute_photo_weights,
    load_training_batches,
    load_validation_batches,
)
from skinapp.training.calibrate import Shares, calibrate_heads, check_shares
from skinapp.training.distillation import describe_teachers, load_stored_answers, load_teachers
from skinapp.training.facts import INTENDED_USE, LICENCE, NOT_FOR, describe_data
from skinapp.training.initial import build_network
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import Recipe, read_recipe
from skinapp.training.resume import check_room, count_checkpoint_bytes
from skinapp.training.sources import collect_photos, select_own
from skinapp.training.trainer import TrainingContext, run_trainer


@dataclass(frozen=True, eq=False)
class FinishedTraining:
    """A finished training: photos with their split, network, card (without the weights' hash) and curves (CSV)."""

    photos: pd.DataFrame
    network: HeadedResNet
    card: Card
    curves: str


def train(recipe_path: Path, context: TrainingContext) -> Card:
    """Train by a recipe and write card, weights and curves beside it; resume from its checkpoints if there are any.

    Returns the card as written. Raises RecipeError, DatasetError, PhotoError or ModelError where the recipe, the table,
    a photo or the initial weights are wrong.
    """
    _check_can_ship(read_recipe(recipe_path), recipe_path)
    trained = fit(recipe_path, context)
    try:
        return save_model(recipe_path.parent, trained.card, trained.network.state_dict(), trained.curves)
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to {recipe_path.parent} ({error.strerror or error}). The training is kept in "
            f"{context.checkpoints}: make room, then run the same command to save it."
        ) from error


def _check_can_ship(recipe: Recipe, recipe_path: Path) -> None:
    """Raise RecipeError where a recipe's classes are not those that models answer with; experiments may have others."""
    if "lesion_type" in recipe.heads and (unknown := find_unknown_types(recipe.data.classes)):
        raise RecipeError(
            f"{recipe_path}: data.classes has {', '.join(unknown)}, but a model's lesion types are {', '.join(CODES)}. "
            "Correct them, or measure this recipe with `skinapp experiment`."
        )


def fit(recipe_path: Path, context: TrainingContext) -> FinishedTraining:
    """Train by a recipe and write only checkpoints; raises what `train` raises."""
    recipe = read_recipe(recipe_path)
    check_model_id(recipe_path.resolve().parent.name)
    data = _load_data(recipe)
    parts = data.parts
    network, initial = build_network(recipe, recipe_path.parent, context.weights_folder)
    check_room(recipe_path.parent)
    check_room(context.checkpoints, count_checkpoint_bytes(context.checkpoints, network.state_dict()))
    teachers, answers = load_teachers(recipe, recipe_path.parent), load_stored_answers(recipe, recipe_path.parent)
    stored = _arrange(answers, parts["train"], recipe, context) if answers else None
    L.seed_everything(recipe.seed, verbose=False)
    context.say(f"Reading {len(parts['train']) + len(parts['validation']):,} photos")
    training = load_training_batches(
        parts["train"], context.data_root, recipe, context.workers, context.progress, stored
    )
    validation = load_validation_batches(parts["validation"], context.data_root, recipe, context.progress)
    module = TrainedNetwork(network, recipe, len(training), data.drawn, teachers)
    module = module.to(memory_format=torch.channels_last)
    facts = run_trainer(module, training, validation, recipe_path, context)
    check_fits_half(module.state_dict(), "The trained weights")
    heads, rounding = calibrate_heads(module, validation, data.natural, data.drawn)
    card = Card(
        id=recipe_path.resolve().parent.name,
        role=recipe.role,
        architecture=recipe.network.architecture,
        heads=heads,
        preprocessing=recipe.input,
        weights_sha256="",
        weights_dtype="float16",
        rounding=rounding,
        data=describe_data(Path(recipe.data.table), data.photos, parts, recipe.extra_tables),
        initial=initial,
        teachers=describe_teachers(teachers, answers),
        training=facts,
        licence=LICENCE,
        intended_use=INTENDED_USE,
        not_for=NOT_FOR,
    )
    curves = pd.DataFrame(module.curves).astype({"epoch": int}).to_csv(index=False, float_format="%.5f")
    return FinishedTraining(data.photos, module.network, card, curves)


def _arrange(answers: StoredAnswers, photos: pd.DataFrame, recipe: Recipe, context: TrainingContext) -> np.ndarray:
    """Return the stored answers on the training photos, NaN where there is none; RecipeError where there is not one."""
    stored = arrange_answers(answers, photos, recipe.heads)
    answered = int(np.isfinite(stored).all(axis=1).sum())
    context.say(f"{answers.teacher.name} answered {answered:,} of {len(photos):,} training photos")
    if not answered:
        raise RecipeError("distillation.answers has none of the training photos. Make it with `skinapp teach`.")
    return stored


def recalibrate(folder: Path, context: TrainingContext) -> Card:
    """Recalibrate a trained model by the [calibration] of the recipe beside it, and write its card; the weights stay.

    What holds for the old scores is removed from the card: operating points, figures, conformal sets and the spread of
    repeated photos. Returns the card as written. Raises RecipeError where other keys of the recipe differ from the
    card; else what `train` raises.
    """
    # The seal is not asked for: the recipe says all that it protects, and the rest is computed anew.
    model = load_model(folder, sealed=False)
    if model.card.members:
        raise ModelError(f"{model.card.id} is an average. Calibrate it with `skinapp average {folder / RECIPE}`.")
    recipe = read_recipe(folder / RECIPE)
    data = _load_data(recipe)
    _check_trained_by(recipe, model.card)
    validation = load_validation_batches(data.parts["validation"], context.data_root, recipe, context.progress)
    module = TrainedNetwork(cast(HeadedResNet, model.network), recipe, 1, data.drawn)
    heads, _ = calibrate_heads(module, validation, data.natural, data.drawn)
    training = model.card.training.model_copy(update={"recipe_sha256": compute_sha256(folder / RECIPE)})
    card = model.card.model_copy(update={"heads": heads, "training": training, **NOT_YET_MEASURED})
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
        "data.table": (compute_sha256(Path(recipe.data.table)), card.data.table_sha256),
        "schedule.monitor": (recipe.schedule.monitor, network.training.monitor),
    }
    if others := [key for key, (wanted, trained) in facts.items() if wanted != trained]:
        raise RecipeError(
            f"The recipe beside {card.id} differs from its card in {', '.join(others)}. "
            "Restore the recipe that it was trained by, or train the model again."
        )


@dataclass(frozen=True, eq=False)
class _TrainingData:
    """The photos of a recipe, also by split, and the class shares in the data and as sampled."""

    photos: pd.DataFrame
    parts: Mapping[str, pd.DataFrame]
    natural: Shares
    drawn: Shares


def _load_data(recipe: Recipe) -> _TrainingData:
    photos = collect_photos(recipe)
    parts = {name: photos[photos["split"] == name].reset_index(drop=True) for name in ("train", "validation")}
    natural = compute_class_shares(select_own(parts["train"]), recipe)
    drawn = compute_class_shares(parts["train"], recipe, compute_photo_weights(parts["train"], recipe))
    check_shares(recipe, natural, drawn)
    return _TrainingData(photos, parts, natural, drawn)
