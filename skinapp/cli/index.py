"""skinapp index, merge: from photos and their metadata to image tables."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from skinapp.cli.console import (
    DataOption,
    check_table_output,
    explain_write_errors,
    find_data_root,
    print_message,
    progress_bar,
)
from skinapp.datasets.files import Progress
from skinapp.datasets.merge import merge_tables
from skinapp.datasets.readers.common import IndexedTable, IndexNote
from skinapp.datasets.readers.csv import read_csv_photos
from skinapp.datasets.readers.folders import read_folders
from skinapp.datasets.readers.ham10000 import read_ham10000
from skinapp.datasets.readers.isic2019 import read_isic2019
from skinapp.datasets.readers.isic2020 import read_isic2020
from skinapp.datasets.table import read_table, write_table
from skinapp.files import is_stdout
from skinapp.formatting import shorten_list

index = typer.Typer(
    no_args_is_help=True,
    help="Make an image table from photos. An interrupted run continues when it is started again.",
)

OutputOption = Annotated[Path, typer.Option("-o", "--output", help="The image table to write (Parquet).")]
LabelsOption = Annotated[
    Path | None,
    typer.Option(help="A CSV of two columns that maps your label names to known labels; other names stay as they are."),
]


@index.command("ham10000")
def index_ham10000(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that HAM10000 was unpacked in.")],
    output: OutputOption,
    isic2019_labels: Annotated[
        Path | None,
        typer.Option(help="ISIC 2019's label CSV, to separate actinic keratosis from squamous cell carcinoma."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Index HAM10000 from its photos and metadata: seven diagnoses, or eight with ISIC 2019's labels."""
    root = find_data_root(folder, data)
    _index(output, lambda progress, cache: read_ham10000(folder.resolve(), root, isic2019_labels, progress, cache))


@index.command("isic2019")
def index_isic2019(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder that ISIC 2019's training set was unpacked in.")
    ],
    output: OutputOption,
    sharper: Annotated[
        bool, typer.Option("--sharper", help="Take the copies in the folder sharper in place of photos of their name.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Index ISIC 2019's photos of BCN20000 and MSK, without HAM10000's, which have their own table."""
    root = find_data_root(folder, data)
    _index(output, lambda progress, cache: read_isic2019(folder.resolve(), root, progress, cache, sharper))


@index.command("isic2020")
def index_isic2020(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that holds photos.csv and its photos.")],
    output: OutputOption,
    data: DataOption = None,
) -> None:
    """Index ISIC 2020's photos under other names: melanoma or benign, and no type for the benign ones."""
    root = find_data_root(folder, data)
    _index(output, lambda progress, cache: read_isic2020(folder.resolve(), root, progress, cache))


@index.command("folders")
def index_folders(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A folder of photos, with or without subfolders for classes and splits."),
    ],
    output: OutputOption,
    labels: LabelsOption = None,
    data: DataOption = None,
) -> None:
    """Index photos in folders of any depth: the deepest folder is the label, except train, val and test."""
    root = find_data_root(folder, data)
    _index(output, lambda progress, cache: read_folders(folder.resolve(), root, labels, progress, cache))


@index.command("csv")
def index_csv(
    csv: Annotated[
        Path, typer.Argument(metavar="CSV", help="A CSV with one row per photo and a column path, image or file.")
    ],
    output: OutputOption,
    labels: LabelsOption = None,
    data: DataOption = None,
) -> None:
    """Index the photos that a CSV lists, with its metadata; paths start from the CSV's folder."""
    root = find_data_root(csv, data)
    _index(output, lambda progress, cache: read_csv_photos(csv.resolve(), root, labels, progress, cache))


def merge(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE", help="Image tables, made with one data root.")],
    output: OutputOption,
) -> None:
    """Put the rows of several image tables into one; ids in more than one table get the table's name as a prefix."""
    check_table_output(output)
    merged = merge_tables([(path.stem, read_table(path)) for path in tables])
    with explain_write_errors(output):
        write_table(merged.table, output)
    _print_summary(merged, output)


def _index(output: Path, read: Callable[[Progress, Path | None], IndexedTable]) -> None:
    """Read a data set, write its table and print its notes; a cache beside it holds the measured facts until then."""
    with explain_write_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
    check_table_output(output)
    cache = None if is_stdout(output) else output.with_name(f"{output.name}.facts.partial")
    if cache and cache.exists():
        print_message(f"An earlier run was interrupted; this one continues with the facts in {cache}.")
    with progress_bar("Measuring photos") as progress:
        indexed = read(progress, cache)
    with explain_write_errors(output):
        write_table(indexed.table, output)
    if cache:
        cache.unlink(missing_ok=True)
    _print_summary(indexed, output)


def _print_summary(indexed: IndexedTable, output: Path) -> None:
    print_notes(indexed.notes)
    lesions, diagnoses = indexed.table["lesion_id"].nunique(), indexed.table["diagnosis"].nunique()
    print_message(f"{output}: {len(indexed.table):,} photos of {lesions:,} lesions, {diagnoses} diagnoses")
    print_message(_count_labels(indexed.table))


def _count_labels(table: pd.DataFrame) -> str:
    """Say how many photos have a label, and of how many it is not known whether they are malignant."""
    labelled = table["diagnosis"].notna() | table["malignant"].notna()
    malignant, benign = (int(table["malignant"].eq(value).sum()) for value in (True, False))
    open_ = int((labelled & table["malignant"].isna()).sum())
    return (
        f"{labelled.sum():,} photos are labelled ({malignant:,} malignant, {benign:,} benign, {open_:,} not said or "
        f"undecided), {(~labelled).sum():,} are not."
    )


def print_notes(notes: tuple[IndexNote, ...], most: int = 10) -> None:
    """Print each note: how many it concerns, and the first `most` by name."""
    for note in notes:
        print_message(f"{len(note.names):,} {note.what}: {shorten_list(note.names, most)}")


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.add_typer(index, name="index")
    app.command()(merge)
