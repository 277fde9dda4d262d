"""Recipe -> stored runs: an experiment keeps what its network predicted and how it learned, not its weights."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from skinapp.errors import RecipeError
from skinapp.evaluation.intervals import headline_intervals, save_intervals
from skinapp.evaluation.predict import run_of
from skinapp.evaluation.run import StoredRun, save_run
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import CURVES, Model
from skinapp.storage import written_aside
from skinapp.training.fit import Trained, Workshop, fit
from skinapp.training.recipe import read_recipe

CARD_FILE = "training.json"
"""What a model's card says of its training; not named card.json, because nothing here can be loaded."""


@dataclass(frozen=True)
class Experiment:
    """What an experiment left behind: its folder and its stored runs."""

    folder: Path
    runs: tuple[StoredRun, ...]


def run_experiment(recipe_path: Path, workshop: Workshop) -> Experiment:
    """Train by a recipe, predict the splits it names, and store runs, intervals and curves beside it.

    The weights are not kept. Raises RecipeError where the recipe names no split to evaluate; else as `fit` does.
    """
    recipe = read_recipe(recipe_path)
    if not recipe.evaluate:
        raise RecipeError(f'{recipe_path} names no split to evaluate. Add evaluate = ["validation", "showcase"].')
    trained = fit(recipe_path, workshop)
    folder = recipe_path.parent
    runs = tuple(_run(trained, Path(recipe.data.table), split, workshop) for split in recipe.evaluate)
    for run in runs:
        place = folder / "runs" / run.name
        save_run(run, place)
        save_intervals(headline_intervals(run), place)
    for name, text in ((CURVES, trained.curves), (CARD_FILE, trained.card.model_dump_json(indent=2) + "\n")):
        with written_aside(folder / name) as aside:
            aside.write_text(text, encoding="utf-8")
    return Experiment(folder, runs)


def _run(trained: Trained, table: Path, split: str, workshop: Workshop) -> StoredRun:
    state = trained.network.state_dict()
    digest = hashlib.sha256(b"".join(state[name].cpu().numpy().tobytes() for name in sorted(state))).hexdigest()
    card = trained.card.model_copy(update={"weights_sha256": digest})
    model = Model(table.parent, card, trained.network.eval())
    classifier = Classifier(model, Device("cpu", "CPU"))
    return run_of(
        classifier, trained.photos, table, split, workshop.data_root, split, workshop.progress, weights_kept=False
    )
