"""skinapp index, merge: from photos and what is written about them to image tables."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from skinapp.cli.console import DataOption, progress_bar, root_of, say, writing
from skinapp.datasets.files import Finding, Indexed, Progress
from skinapp.datasets.merge import merge as merge_tables
from skinapp.datasets.readers.csv import read_csv_photos
from skinapp.datasets.readers.folders import read_folders
from skinapp.datasets.readers.ham10000 import read_ham10000
from skinapp.datasets.readers.isic2019 import read_isic2019
from skinapp.datasets.table import read_table, some_of, write_table
from skinapp.errors import SkinAppError

index = typer.Typer(
    no_args_is_help=True,
    help="Make an image table from photos. A run that was broken off goes on when it is started again.",
)

OutputOption = Annotated[Path, typer.Option("-o", "--output", help="The image table to write (Parquet).")]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        help="A CSV of two columns that maps own label names to ours; names without a match stay as they are."
    ),
]


@index.command("ham10000")
def index_ham10000(
    folder: Annotated[Path, typer.Argument(help="The folder that HAM10000 was unpacked in.")],
    output: OutputOption,
    isic2019_labels: Annotated[
        Path | None,
        typer.Option(help="ISIC 2019's label CSV: tells actinic keratosis from squamous cell carcinoma."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Index HAM10000: its photos and metadata, and with ISIC 2019's labels eight diagnoses in place of seven."""
    root = root_of(folder, data)
    _make(output, lambda progress, kept: read_ham10000(folder.resolve(), root, isic2019_labels, progress, kept))


@index.command("isic2019")
def index_isic2019(
    folder: Annotated[Path, typer.Argument(help="The folder that ISIC 2019's training set was unpacked in.")],
    output: OutputOption,
    data: DataOption = None,
) -> None:
    """Index ISIC 2019's own photos, those of BCN20000 and MSK; HAM10000's have a table of their own."""
    root = root_of(folder, data)
    _make(output, lambda progress, kept: read_isic2019(folder.resolve(), root, progress, kept))


@index.command("folders")
def index_folders(
    folder: Annotated[Path, typer.Argument(help="A folder of photos, sorted into folders by class, split, or not.")],
    output: OutputOption,
    labels: LabelsOption = None,
    data: DataOption = None,
) -> None:
    """Index photos in folders of any depth: the deepest is their label, but for train, val and test."""
    root = root_of(folder, data)
    _make(output, lambda progress, kept: read_folders(folder.resolve(), root, labels, progress, kept))


@index.command("csv")
def index_csv(
    csv: Annotated[
        Path, typer.Argument(help="A CSV of photos, a row a photo, with at least a column path, image or file.")
    ],
    output: OutputOption,
    labels: LabelsOption = None,
    data: DataOption = None,
) -> None:
    """Index the photos that a CSV lists, paths relative to its folder, with what it says of them."""
    root = root_of(csv, data)
    _make(output, lambda progress, kept: read_csv_photos(csv.resolve(), root, labels, progress, kept))


def merge(
    tables: Annotated[list[Path], typer.Argument(help="Image tables, made with one data root.")],
    output: OutputOption,
) -> None:
    """Put the rows of several image tables into one; ids that stand in several get their table's name before them."""
    merged = merge_tables([(path.stem, read_table(path)) for path in tables])
    with writing(output):
        write_table(merged.table, output)
    _told(merged, output)


def _make(output: Path, read: Callable[[Progress, Path], Indexed]) -> None:
    """Read a data set, write its table and say what was noticed; what is measured is kept beside it until then."""
    kept = output.with_name(f"{output.name}.facts.partial")
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
    if output.is_dir() or not os.access(output.parent, os.W_OK):
        raise SkinAppError(f"{output} cannot be written: it is a folder, or its own may not be. Name another with -o.")
    if kept.exists():
        say(f"An earlier run was broken off; this one goes on with what it left in {kept}.")
    with progress_bar("Measuring photos") as progress:
        indexed = read(progress, kept)
    with writing(output):
        write_table(indexed.table, output)
    kept.unlink(missing_ok=True)
    _told(indexed, output)


def _told(indexed: Indexed, output: Path) -> None:
    report(indexed.findings)
    lesions, diagnoses = indexed.table["lesion_id"].nunique(), indexed.table["diagnosis"].nunique()
    say(f"{output}: {len(indexed.table):,} photos of {lesions:,} lesions, {diagnoses} diagnoses")


def report(findings: tuple[Finding, ...], most: int = 10) -> None:
    """Print what was noticed: how many, and the first of them by name."""
    for finding in findings:
        say(f"{len(finding.names):,} {finding.what}: {some_of(finding.names, most)}")


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.add_typer(index, name="index")
    app.command()(merge)
