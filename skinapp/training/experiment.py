"""Run an experiment: train by a recipe and store the predictions and curves, but not the weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skinapp.errors import RecipeError
from skinapp.files import replace_file
from skinapp.inference.table import make_runs
from skinapp.models.card import TRAINING
from skinapp.models.folder import CURVES
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import Model
from skinapp.runs.intervals import compute_intervals, save_intervals
from skinapp.runs.stored import StoredRun, save_run
from skinapp.training.checkpoints import hash_weights
from skinapp.training.fit import FinishedTraining, fit
from skinapp.training.recipe import Recipe
from skinapp.training.resume import check_room
from skinapp.training.sources import collect_photos, find_table
from skinapp.training.squeezed.recipe import read_any_recipe
from skinapp.training.squeezed.train import train_squeezed
from skinapp.training.trainer import TrainingContext


@dataclass(frozen=True)
class Experiment:
    """A finished experiment: its folder and its stored runs."""

    folder: Path
    runs: tuple[StoredRun, ...]


def run_experiment(recipe_path: Path, context: TrainingContext) -> Experiment:
    """Train by a recipe of any kind, predict its splits, and store runs, intervals and curves beside the recipe.

    The weights are not kept. Raises RecipeError where the recipe names no split to evaluate, and what `fit` and
    `train_squeezed` raise.
    """
    recipe = read_any_recipe(recipe_path)
    check_room(recipe_path.parent)
    if not recipe.evaluate:
        raise RecipeError(f'{recipe_path} names no split to evaluate. Add evaluate = ["validation", "showcase"].')
    if isinstance(recipe, Recipe):
        return _run_resnet(recipe_path, recipe, context)
    done = train_squeezed(recipe_path, recipe, context)
    texts = {CURVES: done.curves, TRAINING: done.record.model_dump_json(indent=2)}
    return _save(recipe_path.parent, done.runs, texts)


def _run_resnet(recipe_path: Path, recipe: Recipe, context: TrainingContext) -> Experiment:
    photos = collect_photos(recipe)
    # Check before the training: a split with photos of several tables cannot be stored.
    tables = {split: find_table(photos, split, recipe) for split in recipe.evaluate}
    trained = fit(recipe_path, context)
    runs = tuple(run for split, table in tables.items() for run in _predict_split(trained, table, split, context))
    texts = {CURVES: trained.curves, TRAINING: trained.card.model_dump_json(indent=2)}
    return _save(recipe_path.parent, runs, texts)


def _predict_split(
    trained: FinishedTraining, table: Path, split: str, context: TrainingContext
) -> tuple[StoredRun, ...]:
    card = trained.card.model_copy(update={"weights_sha256": hash_weights(trained.network)})
    model = Model(table.parent, card, trained.network.eval())
    classifier = Classifier(model, Device("cpu", "CPU"))
    return make_runs(
        classifier, trained.photos, table, split, context.data_root, split, context.progress, weights_kept=False
    )


def _save(folder: Path, runs: tuple[StoredRun, ...], texts: Mapping[str, str]) -> Experiment:
    """Store runs with their intervals, and texts by file name, in an experiment's folder."""
    for run in runs:
        place = folder / "runs" / run.name
        save_run(run, place)
        save_intervals(compute_intervals(run), place)
    for name, text in texts.items():
        with replace_file(folder / name) as aside:
            aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return Experiment(folder, runs)
