"""skinapp train: from a recipe to a model folder."""

from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from skinapp.cli.console import DataOption, data_root, progress_bar, say


def train(
    recipe: Annotated[Path, typer.Argument(help="models/<id>/recipe.toml; card and weights are written beside it.")],
    data: DataOption = None,
    weights: Annotated[
        Path | None, typer.Option(envvar="SKINAPP_WEIGHTS", help="Folder of initial weights (safetensors).")
    ] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Where checkpoints are kept; a run that was killed resumes from there."),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare photos beside the training.")] = 1,
) -> None:
    """Train a model by a recipe; started again after an interruption, it goes on where it was."""
    # Lightning is an extra: only this command needs it.
    from skinapp.training.fit import Workshop, checkpoint_folder
    from skinapp.training.fit import train as fit

    root = checkpoints or platformdirs.user_cache_path("skinapp") / "checkpoints"
    folder = checkpoint_folder(recipe, root, weights)
    say(f"Checkpoints in {folder}")
    with progress_bar("Reading photos") as progress:
        workshop = Workshop(data_root(data), weights, folder, workers, progress, say)
        card = fit(recipe, workshop)
    facts = card.training
    best = f"{facts.monitor} {facts.best_value:.3f} on validation"
    say(f"{card.id}: best epoch {facts.best_epoch} of {facts.epochs}, {best}")


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(train)
