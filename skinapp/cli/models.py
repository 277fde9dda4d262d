"""skinapp models, evaluate: which models there are, and how good they are."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table

from skinapp.cli.console import (
    DataOption,
    ModelsOption,
    data_root,
    model_folder,
    models_folder,
    printed,
    progress_bar,
    say,
    write_answer,
)
from skinapp.cli.shown import SHOWN, Format, as_object, figures_table
from skinapp.cli.stored import readable_runs
from skinapp.datasets.table import read_table
from skinapp.runs.intervals import figure, headline_intervals, load_intervals, save_intervals
from skinapp.runs.stored import StoredRun, save_run
from skinapp.runs.summary import headline

if TYPE_CHECKING:
    from skinapp.models.card import Card, Task


def models(
    format: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.table,
    models: ModelsOption = None,
) -> None:
    """List the heads of the installed models with the figures of their test runs."""
    # Here and below, torch is imported by the commands that need it: the others start in a third of the time.
    from skinapp.cards.networks import licence, networks_in_words
    from skinapp.models.card import read_card
    from skinapp.models.folder import find_models

    root = models_folder(models)
    found = [(folder, read_card(folder)) for folder in find_models(root)]
    heads = [(card, head.name, _test_run(folder, card, head.name)) for folder, card in found for head in card.heads]
    if format is Format.json:
        objects = [
            {
                "id": card.id,
                "role": card.role,
                "head": head,
                "network": networks_in_words(card),
                "weights": card.weights_sha256,
                "licence": licence(card),
                "test": _objects(*run) if run else None,
            }
            for card, head, run in heads
        ]
        write_answer(json.dumps(objects, indent=2) + "\n", None)
        return
    table = Table("model", "head", "network", "test photos", "balanced accuracy", "malignant AUROC", box=None)
    for card, head, run in heads:
        shown = ["–"] * 3
        if run:
            stored, intervals = run
            picked = [figure(intervals, name) for name in ("balanced_accuracy", "malignant_auroc")]
            shown = [f"{len(stored.predictions):,}", *(found.in_words() for found in picked)]
        table.add_row(card.id, head, networks_in_words(card), *shown)
    write_answer(printed(table), None)
    if not found:
        say(f"{root} holds no model. Train one with `skinapp train`.")


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's id, or its folder.")],
    table: Annotated[
        Path, typer.Argument(help="Image table with a split, or a recipe (TOML) that draws one, as of photos outside.")
    ],
    split: Annotated[str, typer.Option(help="Which photos to predict.")] = "test",
    name: Annotated[str | None, typer.Option(help="Name of the run; by default TABLE-SPLIT.")] = None,
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Predict every photo of a split, store a run for each head, and print their figures with 95% intervals."""
    from skinapp.inference.table import runs_of
    from skinapp.networks.classifier import Classifier
    from skinapp.networks.device import choose_device
    from skinapp.networks.folder import load_model

    folder = model_folder(model, models)
    classifier = Classifier(load_model(folder), choose_device())
    source, photos = _photos(table, split)
    run_name = name or f"{source.stem}-{split}"
    with progress_bar("Predicting") as progress:
        runs = runs_of(classifier, photos, source, split, data_root(data), run_name, progress)
    for run in runs:
        destination = folder / "runs" / run.name
        intervals = headline_intervals(run)
        save_run(run, destination)
        save_intervals(intervals, destination)
        first = headline(run)
        title = f"{run.model} on {run.table}, {run.split}: {first.photos:,} photos of {first.lesions:,} lesions"
        write_answer(printed(figures_table(intervals, SHOWN, title)), None)
        say(f"Stored in {destination}")


def _photos(table: Path, split: str) -> tuple[Path, pd.DataFrame]:
    """Return the image table that photos are of, and its rows, with the split that a recipe draws where one is named.

    DatasetError where a recipe's split holds photos of several tables.
    """
    if table.suffix != ".toml":
        return table, read_table(table)
    # Reading a recipe brings torch.
    from skinapp.training.recipe import read_recipe
    from skinapp.training.sources import gathered, table_of

    recipe = read_recipe(table)
    photos = gathered(recipe)
    return table_of(photos, split, recipe), photos


def _test_run(folder: Path, card: "Card", task: "Task") -> tuple[StoredRun, pd.DataFrame] | None:
    """Return a head's run on the model's own test split, if it was stored and belongs to these weights."""
    from skinapp.cards.provenance import is_own_test

    for path, run in readable_runs(folder):
        if is_own_test(run, card, task) and (intervals := load_intervals(path)) is not None:
            return run, intervals
    return None


def _objects(run: StoredRun, intervals: pd.DataFrame) -> dict[str, object]:
    first = headline(run)
    counts: dict[str, object] = {"photos": first.photos, "lesions": first.lesions}
    return counts | {name: as_object(figure(intervals, name)) for name in SHOWN}


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(models)
    app.command()(evaluate)
