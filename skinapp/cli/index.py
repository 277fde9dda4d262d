"""skinapp index: from photos and what is written about them to image tables."""

from pathlib import Path
from typing import Annotated

import typer

from skinapp.cli.console import DataOption, progress_bar, root_of, say, writing
from skinapp.datasets.files import Finding
from skinapp.datasets.ham10000 import read_ham10000
from skinapp.datasets.table import write_table

index = typer.Typer(no_args_is_help=True, help="Make an image table from a folder of photos.")


@index.command("ham10000")
def index_ham10000(
    folder: Annotated[Path, typer.Argument(help="The folder that HAM10000 was unpacked in.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image table to write (Parquet).")],
    isic2019_labels: Annotated[
        Path | None,
        typer.Option(help="ISIC 2019's label CSV: tells actinic keratosis from squamous cell carcinoma."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Index HAM10000: its photos and metadata, and with ISIC 2019's labels eight diagnoses in place of seven."""
    root = root_of(folder, data)
    with progress_bar("Measuring photos") as progress:
        indexed = read_ham10000(folder.resolve(), root, isic2019_labels, progress)
    with writing(output):
        write_table(indexed.table, output)
    report(indexed.findings)
    diagnoses = indexed.table["diagnosis"].nunique()
    lesions = indexed.table["lesion_id"].nunique()
    say(f"{output}: {len(indexed.table):,} photos of {lesions:,} lesions, {diagnoses} diagnoses")


def report(findings: tuple[Finding, ...], most: int = 10) -> None:
    """Print what was noticed: how many, and the first of them by name."""
    for finding in findings:
        more = f" and {len(finding.names) - most:,} more" if len(finding.names) > most else ""
        say(f"{len(finding.names):,} {finding.what}: {', '.join(finding.names[:most])}{more}")


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.add_typer(index, name="index")
