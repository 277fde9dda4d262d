"""skinapp card: compute a model's operating points and figures from its stored runs and write them into its card."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from skinapp.cli.console import (
    ModelArgument,
    ModelsOption,
    find_model_folder,
    print_message,
    render_table,
    write_answer,
)
from skinapp.cli.read_runs import read_own_runs
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import DatasetError, RunError
from skinapp.files import EXPERIMENTS, compute_sha256
from skinapp.formatting import format_estimate
from skinapp.runs.measured import MeasuredRun, measure_run
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.operating_points import choose_operating_points, get_shown_point

if TYPE_CHECKING:
    from skinapp.models.card import Card, Head, OperatingPoint, Task

SPLITS = ("validation", "test")

Stored = tuple[Path, StoredRun]
"""A run and the folder it lies in."""

Runs = Mapping[tuple["Task", str], MeasuredRun]
"""A model's own runs by head and split."""


def card(
    model: ModelArgument,
    table: Annotated[
        Path | None,
        typer.Option(help="The image table it was trained on; by default the shipped table of that name."),
    ] = None,
    experiments: Annotated[
        Path | None,
        typer.Option(help="Folder of experiments; by default experiments, beside the folder of models."),
    ] = None,
    models: ModelsOption = None,
) -> None:
    """Choose operating points on validation, and write them and the figures of the stored runs into a model's card."""
    # Torch is imported by the commands that need it: the others start in a third of the time.
    from skinapp.cards.figures import compute_card_figures
    from skinapp.cards.seeds import read_seed_figures
    from skinapp.cards.unseen_cameras import measure_unseen_cameras
    from skinapp.models.card import CARD, read_card, write_card

    folder = find_model_folder(model, models)
    old = read_card(folder)
    table = find_own_table(old, table)
    stored = list(read_own_runs(folder))
    runs = {(head.name, s): _find_own_run(stored, folder, old, head, s, table) for head in old.heads for s in SPLITS}
    chosen_on = runs.get(("malignancy", SPLITS[0]))
    points = choose_operating_points(chosen_on.run) if chosen_on else ()
    measured = [*runs.values(), *_find_outside_runs(stored, old)]
    reading = _choose_reading(runs, old)
    figures = compute_card_figures(measured, read_table(table), points, old.heads, reading)
    experiments = experiments or folder.resolve().parent.parent / EXPERIMENTS.name
    changes = {
        "operating_points": points,
        "figures": figures,
        "reading_exponent": reading,
        **_measure_uncertainty(runs, points),
        "left_out": measure_unseen_cameras(experiments),
        "seeds": read_seed_figures(folder, old, experiments),
    }
    card = old.model_copy(update=changes)
    write_card(folder, card)
    if points:
        write_answer(render_table(_build_points_table(card)), None)
    print_message(f"{len(points)} operating points and {len(figures)} figures written to {folder / CARD}")


def _measure_uncertainty(runs: Runs, points: "Sequence[OperatingPoint]") -> dict[str, object]:
    """Fit on validation and measure on test how sure answers are; None for what the model has no head for."""
    from skinapp.cards.uncertainty import measure_conformal, measure_repeats

    found: dict[str, object] = {"conformal": None, "repeats": None}
    types = _pair_splits(runs, "lesion_type")
    if types:
        found["conformal"] = measure_conformal(*types)
    if malignancy := _pair_splits(runs, "malignancy"):
        found["repeats"] = measure_repeats(*malignancy, types[1] if types else None, get_shown_point(points))
    return found


def _choose_reading(runs: Runs, card: "Card") -> float | None:
    """Choose on validation how far the second reading of lesion types goes; None without that head or its shares."""
    from skinapp.runs.reading import choose_reading_exponent

    validation = runs.get(("lesion_type", SPLITS[0]))
    if validation is None or not (shares := card.head("lesion_type").shares_by_class):
        return None
    return choose_reading_exponent(validation.run, shares)


def _pair_splits(runs: Runs, head: "Task") -> tuple[StoredRun, StoredRun] | None:
    """Return the validation and the test run of a head; None where the model lacks it."""
    validation, test = SPLITS
    return (runs[head, validation].run, runs[head, test].run) if (head, test) in runs else None


def find_own_table(card: "Card", table: Path | None) -> Path:
    """Return the path of the image table that a model was trained on; DatasetError if the file is another."""
    path = table or TABLES / f"{card.data.table}.parquet"
    if not path.is_file():
        raise DatasetError(f"There is no image table at {path}. Name the one {card.id} was trained on with --table.")
    if compute_sha256(path) != card.data.table_sha256:
        raise DatasetError(
            f"{path} is not the table that {card.id} was trained on (sha256 differs). Name that one with --table."
        )
    return path


def _find_own_run(
    stored: Sequence[Stored], folder: Path, card: "Card", head: "Head", split: str, table: Path
) -> MeasuredRun:
    """Find the run of a head of exactly these weights on a split; RunError, with the command to make it, if none."""
    from skinapp.cards.provenance import is_own_run

    for path, run in stored:
        if is_own_run(run, card, split, head.name):
            return measure_run(run, path)
    raise RunError(
        f"{folder} holds no stored run of these weights on {split} by the head {head.name}. "
        f"Make it with `skinapp evaluate {card.id} {table} --split {split}`."
    )


def _find_outside_runs(stored: Sequence[Stored], card: "Card") -> list[MeasuredRun]:
    """Find the runs of exactly these weights on photos of other clinics or cameras."""
    from skinapp.cards.provenance import is_outside_run

    return [measure_run(run, path) for path, run in stored if is_outside_run(run, card)]


def _build_points_table(card: "Card") -> Table:
    from skinapp.cards.selection import list_points_on_test

    table = Table("sensitivity on validation", "threshold", "sensitivity on test", "specificity on test", box=None)
    for row in list_points_on_test(card):
        rates = (format_estimate(row.sensitivity), format_estimate(row.specificity))
        table.add_row(f"{row.point.sensitivity:.0%}", f"{row.point.threshold:.6f}", *rates)
    return table


def add_commands(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(card)
