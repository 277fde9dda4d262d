"""skinapp models and evaluate: list the models, and measure one on stored photos."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table

from skinapp.cli.console import (
    DataOption,
    ModelArgument,
    ModelsOption,
    check_data_root,
    choose_models_folder,
    find_model_folder,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.cli.print_figures import Format, build_json_figure, draw_figures_table
from skinapp.cli.read_runs import read_own_runs
from skinapp.datasets.table import read_table
from skinapp.formatting import DASH, format_estimate
from skinapp.metrics.labels import get_inline_name
from skinapp.metrics.summary import OVERALL
from skinapp.runs.intervals import compute_intervals, get_figure, load_intervals, save_intervals
from skinapp.runs.stored import StoredRun, save_run
from skinapp.runs.summary import compute_headline

if TYPE_CHECKING:
    from skinapp.models.card import Card, Task

IN_TABLE = ("balanced_accuracy", "malignant_auroc")
"""Figures in the table; the JSON has all."""

TestRun = tuple[StoredRun, pd.DataFrame]
"""A run on the test split and the frame of its intervals."""


def models(
    format: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.table,
    models: ModelsOption = None,
) -> None:
    """List the heads of the installed models with the figures of their test runs."""
    # Here and below, torch is imported by the commands that need it: the others start in a third of the time.
    from skinapp.models.card import read_card
    from skinapp.models.folder import describe_no_model, find_models

    root = choose_models_folder(models)
    cards = [(folder, read_card(folder)) for folder in find_models(root)]
    heads = [
        (card, head.name, _find_test_run(folder, card, head.name)) for folder, card in cards for head in card.heads
    ]
    if format is Format.json:
        write_answer(json.dumps([_build_object(*row) for row in heads], indent=2) + "\n", None)
    else:
        write_answer(render_table(_build_table(heads)), None)
    if not cards:
        print_message(describe_no_model(root))


def _build_object(card: "Card", head: "Task", test: "TestRun | None") -> dict[str, object]:
    from skinapp.cards.network_facts import describe_licence, name_networks

    return {
        "id": card.id,
        "role": card.role,
        "head": head,
        "network": name_networks(card),
        "weights": card.weights_sha256,
        "licence": describe_licence(card),
        "test": _build_test_object(*test) if test else None,
    }


def _build_test_object(run: StoredRun, intervals: pd.DataFrame) -> dict[str, object]:
    first = compute_headline(run)
    counts: dict[str, object] = {"photos": first.photos, "lesions": first.lesions}
    return counts | {name: build_json_figure(get_figure(intervals, name)) for name in OVERALL}


def _build_table(heads: Sequence[tuple["Card", "Task", "TestRun | None"]]) -> Table:
    from skinapp.cards.network_facts import name_networks

    table = Table("model", "head", "network", "test photos", *map(get_inline_name, IN_TABLE), box=None)
    for card, head, test in heads:
        cells = [DASH] * 3
        if test:
            run, intervals = test
            cells = [f"{len(run.frame):,}", *(format_estimate(get_figure(intervals, name)) for name in IN_TABLE)]
        table.add_row(card.id, head, name_networks(card), *cells)
    return table


def evaluate(
    model: ModelArgument,
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Image table with a split, or a recipe (TOML) that defines the split, for example of the photos it "
            "keeps out of training (`--split outside`).",
        ),
    ],
    split: Annotated[str, typer.Option(help="Which photos to predict.")] = "test",
    name: Annotated[str | None, typer.Option(help="Name of the run; by default TABLE-SPLIT.")] = None,
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Predict every photo of a split, store a run for each head, and print their figures with 95% intervals."""
    from skinapp.inference.table import make_runs
    from skinapp.networks.classifier import Classifier
    from skinapp.networks.device import choose_device
    from skinapp.networks.folder import load_model

    folder = find_model_folder(model, models)
    classifier = Classifier(load_model(folder), choose_device())
    source, photos = _photos(table, split)
    run_name = name or f"{source.stem}-{split}"
    with progress_bar("Predicting") as progress:
        runs = make_runs(classifier, photos, source, split, check_data_root(data), run_name, progress)
    for run in runs:
        destination = folder / "runs" / run.name
        intervals = compute_intervals(run)
        save_run(run, destination)
        save_intervals(intervals, destination)
        first = compute_headline(run)
        title = f"{run.model} on {run.table}, {run.split}: {first.photos:,} photos of {first.lesions:,} lesions"
        write_answer(render_table(draw_figures_table(intervals, OVERALL, title)), None)
        print_message(f"Stored in {destination}")


def _photos(table: Path, split: str) -> tuple[Path, pd.DataFrame]:
    """Return the image table that photos are of, and its rows, with the split that a recipe draws where one is named.

    DatasetError where a recipe's split holds photos of several tables.
    """
    if table.suffix != ".toml":
        return table, read_table(table)
    # Reading a recipe brings torch.
    from skinapp.training.recipe import read_recipe
    from skinapp.training.sources import collect_photos, find_table

    recipe = read_recipe(table)
    photos = collect_photos(recipe)
    return find_table(photos, split, recipe), photos


def _find_test_run(folder: Path, card: "Card", task: "Task") -> TestRun | None:
    """Return a head's run on the model's own test split, if it was stored and belongs to these weights."""
    from skinapp.cards.provenance import is_own_test

    for path, run in read_own_runs(folder):
        if is_own_test(run, card, task) and (intervals := load_intervals(path)) is not None:
            return run, intervals
    return None


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(models)
    app.command()(evaluate)
