"""skinapp train, calibrate, average, experiment, arrays: a recipe -> a model, or its runs alone; photos as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer

from skinapp.cli.console import DataOption, ModelsOption, data_root, model_folder, progress_bar, say, writing
from skinapp.runs.summary import headline

if TYPE_CHECKING:
    from skinapp.training.fit import TrainingContext


WeightsOption = Annotated[
    Path | None, typer.Option(envvar="SKINAPP_WEIGHTS", help="Folder of initial weights (safetensors).")
]
CheckpointsOption = Annotated[
    Path | None, typer.Option(help="Where checkpoints are kept; a run that was killed resumes from there.")
]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that prepare photos beside the training.")]


def train(
    recipe: Annotated[Path, typer.Argument(help="models/<id>/recipe.toml; card and weights are written beside it.")],
    data: DataOption = None,
    weights: WeightsOption = None,
    checkpoints: CheckpointsOption = None,
    workers: WorkersOption = 1,
) -> None:
    """Train a model by a recipe; started again after an interruption, it goes on where it was."""
    # Lightning is an extra: only the commands of this group need it.
    from skinapp.training.fit import train as fit

    with _workshop(recipe, data, weights, checkpoints, workers) as workshop:
        card = fit(recipe, workshop)
    (network,) = card.networks
    facts = network.training
    best = f"{facts.monitor} {facts.best_value:.3f} on validation"
    say(f"{card.id}: kept epoch {facts.best_epoch} of {facts.epochs}, {best}")


def calibrate(
    model: Annotated[str, typer.Argument(help="A model's id, or its folder.")],
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Calibrate a trained model anew, by the [calibration] of its recipe: its scores change, its weights do not."""
    from skinapp.training.fit import TrainingContext, recalibrate

    folder = model_folder(model, models)
    with progress_bar("Reading photos") as progress:
        card = recalibrate(folder, TrainingContext(data_root(data), None, folder, progress=progress, say=say))
    for head in card.heads:
        say(f"{card.id}, {head.name}: temperature {head.temperature:.3f}")
    say("Its stored runs are of the old scores.")
    say(f"Make them anew with `skinapp evaluate`, then `skinapp card {card.id}`.")


def average(
    recipe: Annotated[Path, typer.Argument(help="models/<id>/recipe.toml, naming members; the card goes beside it.")],
    data: DataOption = None,
) -> None:
    """Average trained networks by a recipe that names them; they are calibrated together, on validation photos."""
    from skinapp.training.average import average as averaged

    with progress_bar("Predicting") as progress:
        card = averaged(recipe, data_root(data), progress)
    for head in card.heads:
        say(f"{card.id}, {head.name}: temperature {head.temperature:.3f}")
    say("Its stored runs, if it has any, may be of other scores.")
    say(f"Make them with `skinapp evaluate`, then `skinapp card {card.id}`.")


def experiment(
    recipe: Annotated[Path, typer.Argument(help="experiments/<id>/recipe.toml; runs and curves are stored beside it.")],
    data: DataOption = None,
    weights: WeightsOption = None,
    checkpoints: CheckpointsOption = None,
    workers: WorkersOption = 1,
) -> None:
    """Train by a recipe and store what it predicts, without its weights: an experiment to compare, not a model."""
    from skinapp.training.experiment import run_experiment

    with _workshop(recipe, data, weights, checkpoints, workers) as workshop:
        done = run_experiment(recipe, workshop)
    for run in done.runs:
        line = headline(run)
        figures = f"accuracy {line.accuracy:.3f}, macro F1 {line.macro_f1:.3f}"
        say(f"{run.model}, {run.split}: {line.photos:,} photos, {figures}")


def arrays(
    table: Annotated[Path, typer.Argument(help="Image table (Parquet) that tells diagnoses.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for X.npy, X_g.npy, y.npy and arrays.json.")],
    one_hot: Annotated[bool, typer.Option(help="Write y as seven columns of 0 and 1, not as numbers 0 to 6.")] = False,
    data: DataOption = None,
) -> None:
    """Squeeze the photos of a table to 75 x 100 px (height x width) and write them as NumPy arrays."""
    from skinapp.training.squeezed.arrays import write_arrays

    with writing(output), progress_bar("Squeezing photos") as progress:
        photos = write_arrays(table, output, data_root(data), progress, one_hot)
    say(f"{photos:,} photos written to {output}")


@contextmanager
def _workshop(
    recipe: Path, data: Path | None, weights: Path | None, checkpoints: Path | None, workers: int
) -> "Iterator[TrainingContext]":
    from skinapp.training.checkpoints import checkpoint_folder
    from skinapp.training.fit import TrainingContext

    root = checkpoints or platformdirs.user_cache_path("skinapp") / "checkpoints"
    folder = checkpoint_folder(recipe, root, weights)
    say(f"Checkpoints in {folder}")
    with progress_bar("Reading photos") as progress:
        yield TrainingContext(data_root(data), weights, folder, workers, progress, say)


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(train)
    app.command()(calibrate)
    app.command()(average)
    app.command()(experiment)
    app.command()(arrays)
