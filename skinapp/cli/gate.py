"""skinapp gate and scope: fit the gate that tells dermoscopy from other pictures, and measure it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer
from rich.table import Table

from skinapp.cli.console import (
    DataOption,
    ModelArgument,
    ModelsOption,
    check_data_root,
    find_model_folder,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.cli.print_figures import Format
from skinapp.errors import ModelError
from skinapp.formatting import format_estimate

if TYPE_CHECKING:
    from skinapp.models.scope import Refusals

CacheOption = Annotated[
    Path | None, typer.Option(help="Folder for what the network saw already; an interrupted run goes on from there.")
]


def gate(
    model: ModelArgument,
    evidence: Annotated[
        str | None,
        typer.Option(help="Member of an average whose maps and features are the evidence; by default the card's."),
    ] = None,
    data: DataOption = None,
    cache: CacheOption = None,
    models: ModelsOption = None,
) -> None:
    """Fit a model's scope gate and reference bank on photos of the data root; the weights stay as they are."""
    from skinapp.training.gate.make import make_gate

    folder = find_model_folder(model, models)
    with progress_bar("Looking at photos") as progress:
        card = make_gate(folder, check_data_root(data), evidence, _choose_cache(cache), progress)
    assert card.scope
    write_answer(render_table(_build_table(card.scope.refusals)), None)
    print_message(f"Gate, reference bank and card written to {folder}")


def scope(
    model: ModelArgument,
    format: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.table,
    data: DataOption = None,
    cache: CacheOption = None,
    models: ModelsOption = None,
) -> None:
    """Measure how many pictures of each kind a model's scope gate refuses, inside its scope and outside."""
    from skinapp.training.gate.make import measure_gate

    folder = find_model_folder(model, models)
    with progress_bar("Looking at photos") as progress:
        refusals = measure_gate(folder, check_data_root(data), _choose_cache(cache), progress)
    if not refusals:
        raise ModelError(f"{folder.name} has no scope gate. Fit one with `skinapp gate {folder.name}`.")
    if format is Format.json:
        write_answer(json.dumps([kind.model_dump() for kind in refusals], indent=2) + "\n", None)
    else:
        write_answer(render_table(_build_table(refusals)), None)


def _choose_cache(cache: Path | None) -> Path:
    return cache or platformdirs.user_cache_path("skinapp") / "gate"


def _build_table(refusals: "Sequence[Refusals]") -> Table:
    table = Table("kind", "scope", "pictures", "refused", "share (95% interval)", box=None)
    for kind in refusals:
        place, share = "inside" if kind.inside else "outside", format_estimate(kind, ".1%")
        table.add_row(kind.kind, place, f"{kind.photos:,}", f"{kind.refused:,}", share)
    return table


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(gate)
    app.command()(scope)
