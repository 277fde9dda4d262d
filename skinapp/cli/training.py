"""skinapp train, calibrate, average, teach, experiment and arrays: make models, answers, experiments and arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer

from skinapp.cli.console import (
    DataOption,
    ModelArgument,
    ModelsOption,
    check_data_root,
    check_output,
    explain_write_errors,
    find_model_folder,
    print_message,
    progress_bar,
)

if TYPE_CHECKING:
    from skinapp.training.resume import Resume
    from skinapp.training.trainer import TrainingContext


class ResumeFrom(StrEnum):
    """The checkpoint that an interrupted training goes on from."""

    last = "last"
    best = "best"
    none = "none"


WeightsOption = Annotated[Path | None, typer.Option(envvar="SKINAPP_WEIGHTS", help="Folder of initial weights.")]
CheckpointsOption = Annotated[
    Path | None, typer.Option(help="Folder of checkpoints; an interrupted training resumes from there.")
]
ResumeOption = Annotated[
    ResumeFrom,
    typer.Option(
        "--resume",
        help="Where to go on: from the last epoch, from the best one (where the last is damaged), or anew (none), "
        "which deletes the checkpoints.",
    ),
]
WorkersOption = Annotated[int, typer.Option(min=0, help="Number of processes that prepare photos.")]


def train(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="models/<id>/recipe.toml; card and weights are written beside it.")
    ],
    data: DataOption = None,
    weights: WeightsOption = None,
    checkpoints: CheckpointsOption = None,
    workers: WorkersOption = 1,
    resume: ResumeOption = ResumeFrom.last,
) -> None:
    """Train a model by a recipe; after an interruption, run it again to resume."""
    # Lightning is an optional dependency that only this group of commands needs.
    from skinapp.training.fit import train as fit

    with _prepare_training(recipe, data, weights, checkpoints, workers, resume) as context:
        card = fit(recipe, context)
    (network,) = card.networks
    facts = network.training
    best = f"{facts.monitor} {facts.best_value:.3f} on validation"
    print_message(f"{card.id}: kept epoch {facts.best_epoch} of {facts.epochs}, {best}")


def calibrate(
    model: ModelArgument,
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Recalibrate a trained model by the calibration settings of its recipe; scores change, weights stay."""
    from skinapp.training.fit import recalibrate
    from skinapp.training.trainer import TrainingContext

    folder = find_model_folder(model, models)
    with progress_bar("Reading photos") as progress:
        card = recalibrate(
            folder, TrainingContext(check_data_root(data), None, folder, progress=progress, say=print_message)
        )
    for head in card.heads:
        print_message(f"{card.id}, {head.name}: temperature {head.temperature:.3f}")
    print_message("Its stored runs hold the old scores.")
    print_message(f"Make them again with `skinapp evaluate`, then `skinapp card {card.id}`.")


def average(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="models/<id>/recipe.toml; the card is written beside it.")
    ],
    data: DataOption = None,
) -> None:
    """Average the trained networks of a recipe and calibrate the average on validation photos."""
    from skinapp.training.average import average as averaged

    with progress_bar("Predicting") as progress:
        card = averaged(recipe, check_data_root(data), progress)
    for head in card.heads:
        print_message(f"{card.id}, {head.name}: temperature {head.temperature:.3f}")
    print_message("Stored runs of it may hold other scores.")
    print_message(f"Make them again with `skinapp evaluate`, then `skinapp card {card.id}`.")


def teach(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The teacher's id, or its folder.")],
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe whose training photos are answered.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file of answers (Parquet); it is added to where it is there.")
    ],
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Store a model's answers on the training photos of a recipe, to learn from; run it again to go on."""
    from skinapp.networks.classifier import Classifier
    from skinapp.networks.device import choose_device
    from skinapp.networks.folder import load_model
    from skinapp.training.answers import write_answers
    from skinapp.training.recipe import read_recipe
    from skinapp.training.sources import collect_photos

    check_output(output)
    root, photos = check_data_root(data), collect_photos(read_recipe(recipe))
    classifier = Classifier(load_model(find_model_folder(model, models)), choose_device())
    with explain_write_errors(output), progress_bar("Answering") as progress:
        answers = write_answers(classifier, photos[photos["split"] == "train"], output, root, progress)
    print_message(f"{output}: answers of {answers.teacher.name} on {len(answers.frame):,} photos")


def experiment(
    recipe: Annotated[
        Path,
        typer.Argument(metavar="RECIPE", help="experiments/<id>/recipe.toml; runs and curves are stored beside it."),
    ],
    data: DataOption = None,
    weights: WeightsOption = None,
    checkpoints: CheckpointsOption = None,
    workers: WorkersOption = 1,
    resume: ResumeOption = ResumeFrom.last,
) -> None:
    """Train by a recipe and store its predictions, without the weights, to compare with other runs."""
    from skinapp.runs.summary import compute_headline
    from skinapp.training.experiment import run_experiment

    with _prepare_training(recipe, data, weights, checkpoints, workers, resume) as context:
        result = run_experiment(recipe, context)
    for run in result.runs:
        line = compute_headline(run)
        figures = f"accuracy {line.accuracy:.3f}, macro F1 {line.macro_f1:.3f}"
        print_message(f"{run.model}, {run.split}: {line.photos:,} photos, {figures}")


def arrays(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Image table (Parquet) with diagnoses.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for X.npy, X_g.npy, y.npy and arrays.json.")],
    one_hot: Annotated[bool, typer.Option(help="Write y as seven columns of 0 and 1, not as 0 to 6.")] = False,
    data: DataOption = None,
) -> None:
    """Squeeze the photos of a table to 75 x 100 px (height x width) and write them as NumPy arrays."""
    from skinapp.training.squeezed.arrays import write_arrays

    with explain_write_errors(output), progress_bar("Squeezing photos") as progress:
        photos = write_arrays(table, output, check_data_root(data), progress, one_hot)
    print_message(f"{photos:,} photos written to {output}")


@contextmanager
def _prepare_training(
    recipe: Path, data: Path | None, weights: Path | None, checkpoints: Path | None, workers: int, resume: ResumeFrom
) -> "Iterator[TrainingContext]":
    from skinapp.training.checkpoints import name_checkpoint_folder
    from skinapp.training.resume import discard_checkpoints
    from skinapp.training.trainer import TrainingContext

    data_root = check_data_root(data)
    root = checkpoints or platformdirs.user_cache_path("skinapp") / "checkpoints"
    folder = name_checkpoint_folder(recipe, root, weights)
    print_message(f"Checkpoints in {folder}")
    if resume is ResumeFrom.none:
        discard_checkpoints(folder)
    start: Resume = "best" if resume is ResumeFrom.best else "last"
    with progress_bar("Reading photos") as progress:
        yield TrainingContext(data_root, weights, folder, workers, start, progress, print_message)


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(train)
    app.command()(calibrate)
    app.command()(average)
    app.command()(teach)
    app.command()(experiment)
    app.command()(arrays)
