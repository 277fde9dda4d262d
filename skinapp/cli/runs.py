"""skinapp runs, score, submission: list stored runs, score own predictions, write predictions in the ISIC's format."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.table import Table

from skinapp.cli.console import (
    DataOption,
    ModelsOption,
    check_data_root,
    check_output,
    choose_models_folder,
    find_model_folder,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.cli.print_figures import Format, build_json_figure, draw_figures_table
from skinapp.cli.read_runs import read_or_report
from skinapp.datasets.photo_files import require_photos
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError, RunError
from skinapp.files import EXPERIMENTS
from skinapp.formatting import format_estimate
from skinapp.metrics.estimate import REPLICATES, Estimate
from skinapp.metrics.labels import get_inline_name
from skinapp.metrics.summary import OVERALL, PER_CLASS
from skinapp.runs.intervals import draw_intervals, get_figure, load_intervals
from skinapp.runs.isic_submission import check_classes, format_submission
from skinapp.runs.own.classes import describe_unknown_classes, parse_meaning
from skinapp.runs.own.read import MAX_BYTES, OwnPredictions, read_predictions
from skinapp.runs.predictions import Predictions
from skinapp.runs.stored import find_runs, load_run
from skinapp.runs.summary import Headline, compute_headline, compute_per_class
from skinapp.taxonomy import BENIGN, MALIGNANT
from skinapp.text_tables.write import encode_csv

LISTED = ("accuracy", "balanced_accuracy", "macro_f1", "macro_auroc", "malignant_auroc", "ece")
"""Figures of each run in the list."""

IN_TABLE = ("balanced_accuracy", "macro_f1", "malignant_auroc")
"""Those that fit on a line of a terminal."""

ALL = "all"

ExperimentsOption = Annotated[
    Path | None,
    typer.Option(
        "--experiments",
        envvar="SKINAPP_EXPERIMENTS",
        help="Folder of experiments. By default those that ship with skinapp.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]


@dataclass(frozen=True)
class _Listed:
    """A stored run in the list: its folder, some of its facts, and its figures by name."""

    folder: Path
    name: str
    model: str
    table: str
    split: str
    first: Headline
    figures: dict[str, Estimate]


def runs(
    format: FormatOption = Format.table, models: ModelsOption = None, experiments: ExperimentsOption = None
) -> None:
    """List every stored run, of the models and of the experiments, with its figures."""
    roots = (choose_models_folder(models), experiments or EXPERIMENTS)
    stored = [listed for root in roots for folder in find_runs(root) if (listed := _read_listed(folder))]
    names = _name_runs(stored)
    if format is Format.json:
        objects = [_build_run_object(name, listed) for name, listed in zip(names, stored, strict=True)]
        write_answer(json.dumps(objects, indent=2) + "\n", None)
    else:
        write_answer(render_table(_draw_runs_table(names, stored)), None)
    if not stored:
        print_message(f"No run is stored in {roots[0]} or {roots[1]}. Make one with `skinapp evaluate`.")


def score(
    csv: Annotated[
        Path, typer.Argument(metavar="CSV", help="Predictions, one row per photo; see docs/predictions-csv.md.")
    ],
    truth: Annotated[
        Path | None, typer.Option(help="A file with the truths of the photos, joined by their ids.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="CLASS=CODE",
            help="Count an unknown class as one of the eight, e.g. ACK=akiec. Repeatable.",
        ),
    ] = None,
    malignant: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="An unknown class that is malignant. Repeatable.")
    ] = None,
    benign: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="An unknown class that is benign. Repeatable.")
    ] = None,
    format: FormatOption = Format.table,
    replicates: Annotated[int, typer.Option(min=1, help="Bootstrap replicates for the 95% intervals.")] = REPLICATES,
) -> None:
    """Print the figures of predictions from any model, with 95% intervals, overall and by class.

    Where a class is unknown, whether it is malignant is not guessed: the figures of malignancy are left out until
    --map, --malignant or --benign says what it is.
    """
    meanings = _collect_meanings(mapped or [], malignant or [], benign or [])
    own = read_predictions(_read_bytes(csv), csv.name, None if truth is None else _read_bytes(truth), meanings)
    if unknown := describe_unknown_classes(own.predictions):
        how = "Say what each is with --map CLASS=CODE, --malignant CLASS or --benign CLASS."
        own = replace(own, notes=(*own.notes, f"{unknown} {how}"))
    with progress_bar("Drawing lesions") as progress:
        for drawn in draw_intervals(own.predictions, replicates):
            progress(drawn.replicates, replicates)
    intervals = drawn.frame()
    if format is Format.json:
        write_answer(json.dumps(_build_score_object(csv, own, intervals), indent=2) + "\n", None)
    else:
        write_answer(_format_score_table(csv, own.predictions, intervals), None)
    for note in own.notes:
        print_message(note)


def _collect_meanings(mapped: Sequence[str], malignant: Sequence[str], benign: Sequence[str]) -> dict[str, str]:
    """Return what each class means by its name in lower case; RunError where the options contradict each other."""
    pairs = [(word, MALIGNANT) for word in malignant] + [(word, BENIGN) for word in benign]
    for each in mapped:
        word, found, meaning = each.rpartition("=")
        if not found or not word.strip():
            raise RunError(f"--map {each} names no class and code. Write it as --map ACK=akiec.")
        pairs.append((word, parse_meaning(meaning)))
    meanings: dict[str, str] = {}
    for word, meaning in pairs:
        if meanings.setdefault(" ".join(word.split()).casefold(), meaning) != meaning:
            raise RunError(f"The class {word} is given two meanings. Keep one of --map, --malignant and --benign.")
    return meanings


def submission(
    model: Annotated[
        str, typer.Argument(metavar="MODEL|RUN", help="A model's id or folder, or a stored run's folder.")
    ],
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="TABLE",
            help="Image table of the photos to predict, with or without labels. Leave it out for a run.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The CSV to write. By default it is printed.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split of the table to predict.")] = ALL,
    equal_shares: Annotated[
        bool,
        typer.Option(
            "--equal-shares",
            help="Restate the scores for equally frequent types, which the challenge's balanced accuracy rewards. By "
            "default they assume the class shares in the model's card.",
        ),
    ] = False,
    data: DataOption = None,
    models: ModelsOption = None,
) -> None:
    """Write predictions in the format of ISIC 2018 task 3, for the challenge's scorer; scc counts as AKIEC."""
    check_output(output, table)
    if table is None:
        if equal_shares:
            raise RunError(
                f"A stored run has no class shares, so the scores of {model} cannot be restated. "
                "Name the model and the image table instead."
            )
        run = load_run(Path(model))
        frame = format_submission(run.frame["image_id"], run.probabilities(), run.classes)
    else:
        frame = _predict(find_model_folder(model, models), table, split, check_data_root(data), equal_shares)
    write_answer(encode_csv(frame).decode(), output)


def _read_listed(folder: Path) -> _Listed | None:
    """Read a stored run for the list; print why and return None where it is damaged."""
    intervals = None
    if (run := read_or_report(folder)) is None:
        return None
    try:
        intervals = load_intervals(folder)
    except RunError as error:
        print_message(str(error))
    first = compute_headline(run)
    figures = {name: Estimate(getattr(first, name), float("nan"), float("nan")) for name in LISTED}
    if intervals is not None:
        figures = {name: get_figure(intervals, name) for name in LISTED}
    return _Listed(folder, folder.name, run.model, run.table, run.split, first, figures)


def _name_runs(stored: Sequence[_Listed]) -> list[str]:
    """Name runs by their folder, or by its whole path where two runs share model and folder name."""
    times = Counter((listed.model, listed.name) for listed in stored)
    return [listed.name if times[listed.model, listed.name] == 1 else listed.folder.as_posix() for listed in stored]


def _build_run_object(name: str, listed: _Listed) -> dict[str, object]:
    facts = {"name": name, "model": listed.model, "table": listed.table, "split": listed.split}
    counts = {"photos": listed.first.photos, "lesions": listed.first.lesions}
    return (
        facts | counts | {figure_name: build_json_figure(estimate) for figure_name, estimate in listed.figures.items()}
    )


def _draw_runs_table(names: Sequence[str], stored: Sequence[_Listed]) -> Table:
    table = Table("model", "name", "table", "split", box=None)
    for heading in ("photos", "lesions"):
        table.add_column(heading, justify="right")
    for name in IN_TABLE:
        table.add_column(get_inline_name(name))
    for name, listed in zip(names, stored, strict=True):
        counts = (f"{listed.first.photos:,}", f"{listed.first.lesions:,}")
        figures = (format_estimate(listed.figures[figure_name]) for figure_name in IN_TABLE)
        table.add_row(listed.model, name, listed.table, listed.split, *counts, *figures)
    return table


def _read_bytes(file: Path) -> bytes:
    """Read a file, but only one byte more than MAX_BYTES where it is too large."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise RunError(f"{file} cannot be read ({error.strerror}). Check the path.") from error


def _build_score_object(csv: Path, own: OwnPredictions, intervals: pd.DataFrame) -> dict[str, object]:
    first = compute_headline(own.predictions)
    overall = {name: build_json_figure(get_figure(intervals, name)) for name in OVERALL}
    classes = [
        {"class": row["class"], "name": row["name"], "photos": row["support"], "lesions": row["lesions"]}
        | {name: build_json_figure(get_figure(intervals, name, row["class"])) for name in PER_CLASS}
        for row in compute_per_class(own.predictions).to_dict(orient="records")
    ]
    counts = {"file": csv.name, "photos": first.photos, "lesions": first.lesions}
    return counts | overall | {"classes": classes, "notes": list(own.notes)}


def _format_score_table(csv: Path, run: Predictions, intervals: pd.DataFrame) -> str:
    first = compute_headline(run)
    title = f"{csv.name}: {first.photos:,} photos of {first.lesions:,} lesions"
    table = Table("class", box=None)
    for heading in ("photos", "lesions"):
        table.add_column(heading, justify="right")
    for name in PER_CLASS:
        table.add_column(get_inline_name(name))
    for row in compute_per_class(run).to_dict(orient="records"):
        words = (format_estimate(get_figure(intervals, name, row["class"])) for name in PER_CLASS)
        table.add_row(row["name"], f"{row['support']:,}", f"{row['lesions']:,}", *words)
    return render_table(draw_figures_table(intervals, OVERALL, title)) + "\n" + render_table(table)


def _predict(folder: Path, table: Path, split: str, root: Path, equal_shares: bool) -> pd.DataFrame:
    # Torch is imported by the commands that need it: the others start in a third of the time.
    from skinapp.inference.table import predict_files
    from skinapp.models.card import read_card
    from skinapp.networks.classifier import Classifier
    from skinapp.networks.device import choose_device
    from skinapp.networks.folder import load_model

    head = (card := read_card(folder)).head("lesion_type")
    check_classes(head.classes)
    if equal_shares and not head.shares_by_class:
        raise RunError(
            f"The card of {card.id} has no class shares, so its scores cannot be restated. Leave out --equal-shares."
        )
    rows = read_table(table)
    photos = rows if split == ALL else rows[rows["split"] == split]
    if photos.empty:
        known = ", ".join(sorted(rows["split"].dropna().unique())) or "none"
        raise DatasetError(f"{table} has no photo in the split {split}; its splits: {known}.")
    require_photos(photos, root)
    classifier = Classifier(load_model(folder), choose_device())
    with progress_bar("Predicting") as progress:
        files = [root / path for path in photos["path"]]
        scores = predict_files(classifier, files, progress)[card.heads.index(head)]
    return format_submission(photos["image_id"], scores, head.classes, head.shares if equal_shares else ())


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(runs)
    app.command()(score)
    app.command()(submission)
