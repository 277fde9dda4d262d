"""Recipe -> stored runs: an experiment keeps what its network predicted and how it learned, not its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skinapp.errors import RecipeError
from skinapp.files import written_aside
from skinapp.inference.table import runs_of
from skinapp.models.card import TRAINING
from skinapp.models.folder import CURVES
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import Model
from skinapp.runs.intervals import headline_intervals, save_intervals
from skinapp.runs.stored import StoredRun, save_run
from skinapp.training.checkpoints import weights_sha256
from skinapp.training.fit import FinishedTraining, TrainingContext, fit
from skinapp.training.recipe import Recipe
from skinapp.training.sources import gathered, table_of
from skinapp.training.squeezed.recipe import read_any_recipe
from skinapp.training.squeezed.train import train_squeezed


@dataclass(frozen=True)
class Experiment:
    """What an experiment left behind: its folder and its stored runs."""

    folder: Path
    runs: tuple[StoredRun, ...]


def run_experiment(recipe_path: Path, workshop: TrainingContext) -> Experiment:
    """Train by a recipe of any kind, predict the splits it names, and store runs, intervals and curves beside it.

    The weights are not kept. Raises RecipeError where the recipe names no split to evaluate; else as `fit` and
    `train_squeezed` do.
    """
    recipe = read_any_recipe(recipe_path)
    if not recipe.evaluate:
        raise RecipeError(f'{recipe_path} names no split to evaluate. Add evaluate = ["validation", "showcase"].')
    if isinstance(recipe, Recipe):
        return _of_resnet(recipe_path, recipe, workshop)
    done = train_squeezed(recipe_path, recipe, workshop)
    texts = {CURVES: done.curves, TRAINING: done.record.model_dump_json(indent=2)}
    return _saved(recipe_path.parent, done.runs, texts)


def _of_resnet(recipe_path: Path, recipe: Recipe, workshop: TrainingContext) -> Experiment:
    photos = gathered(recipe)
    # Before hours of training: a split of several tables cannot be stored.
    tables = {split: table_of(photos, split, recipe) for split in recipe.evaluate}
    trained = fit(recipe_path, workshop)
    runs = tuple(run for split, table in tables.items() for run in _runs(trained, table, split, workshop))
    texts = {CURVES: trained.curves, TRAINING: trained.card.model_dump_json(indent=2)}
    return _saved(recipe_path.parent, runs, texts)


def _runs(trained: FinishedTraining, table: Path, split: str, workshop: TrainingContext) -> tuple[StoredRun, ...]:
    card = trained.card.model_copy(update={"weights_sha256": weights_sha256(trained.network)})
    model = Model(table.parent, card, trained.network.eval())
    classifier = Classifier(model, Device("cpu", "CPU"))
    return runs_of(
        classifier, trained.photos, table, split, workshop.data_root, split, workshop.progress, weights_kept=False
    )


def _saved(folder: Path, runs: tuple[StoredRun, ...], texts: Mapping[str, str]) -> Experiment:
    """Store runs with their intervals, and files by name with their text, in an experiment's folder."""
    for run in runs:
        place = folder / "runs" / run.name
        save_run(run, place)
        save_intervals(headline_intervals(run), place)
    for name, text in texts.items():
        with written_aside(folder / name) as aside:
            aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return Experiment(folder, runs)
