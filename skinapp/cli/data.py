"""skinapp showcase, split: from an image table to what is trained on, tested on and shown."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from skinapp.cli.console import DataOption, data_root, progress_bar, say, writing
from skinapp.datasets.summary import split_counts
from skinapp.datasets.table import read_table, write_table
from skinapp.errors import DatasetError
from skinapp.files import written_aside

SEED = 2026


def showcase(
    table: Annotated[Path, typer.Argument(help="Image table with diagnoses.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The CSV to write.")],
    seed: Annotated[int, typer.Option(help="The same seed draws the same photos.")] = SEED,
) -> None:
    """Draw four photos of each diagnosis that will never be trained on: the examples of the app."""
    # scikit-learn is imported by the commands that need it: the others start in less time.
    from skinapp.datasets.splits import draw_showcase

    drawn = draw_showcase(read_table(table), seed)
    with writing(output), written_aside(output) as aside:
        drawn.to_csv(aside, index=False)
    say(f"{output}: {len(drawn)} photos of {drawn['diagnosis'].nunique()} diagnoses")


def split(
    table: Annotated[Path, typer.Argument(help="Image table with diagnoses, or with malignant filled.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image table to write, with its split.")],
    showcase: Annotated[
        Path | None, typer.Option(help="The showcase CSV, whose lesions stay out of every split.")
    ] = None,
    group: Annotated[
        str, typer.Option(metavar="COLUMN", help="Photos that share its value stay whole; image_id splits by photo.")
    ] = "lesion_id",
    cap: Annotated[
        int | None, typer.Option(min=1, help="Keep at most so many photos a class; the others leave the table.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = SEED,
    data: DataOption = None,
) -> None:
    """Split a table 70/10/20 into train, validation and test: lesions and twins whole, diagnoses in proportion.

    With --data twins are found by looking at the photos, else by their perceptual hashes.
    """
    from skinapp.datasets.splits import (
        LEAST_GROUPS,
        cap_classes,
        group_ids,
        small_classes,
        split_by_lesion,
        split_labels,
    )

    rows = read_table(table)
    aside = rows.head(0) if showcase is None else _read_showcase(showcase)
    if cap is not None:
        kept = cap_classes(rows, cap, seed, aside["image_id"])
        say(f"At most {cap:,} photos a class: {len(rows) - len(kept):,} of {len(rows):,} photos left out.")
        rows = kept
    twins = _twins(rows, data)
    done = split_by_lesion(rows, aside, seed, twins, group)
    with writing(output):
        write_table(done, output)
    for row in split_counts(done).itertuples(index=False):
        say(f"{row.split}: {row.photos:,} photos of {row.lesions:,} lesions, {row.malignant:,} photos malignant")
    for label, groups in small_classes(split_labels(done), group_ids(done, twins, group)).items():
        say(f"{label} has too few groups to be in every part: {groups}, where {LEAST_GROUPS} are needed.")
    if group != "lesion_id":
        say(f"Split by {group}: photos of one lesion may be on both sides.")
    say("Patients are not recorded: one patient's lesions may be on both sides.")


def _twins(rows: pd.DataFrame, data: Path | None) -> pd.DataFrame:
    """Find the twins of a table by looking where there are photos, else by hash, and say which."""
    from skinapp.datasets.audit.copies import hash_twin_ids
    from skinapp.datasets.audit.twins import twin_ids

    if data is None:
        twins, how = hash_twin_ids(rows), "by perceptual hash; with --data the photos themselves are compared"
        if rows["perceptual_hash"].isna().any():
            how += f"; {rows['perceptual_hash'].isna().sum():,} photos have none and were not compared"
    else:
        with progress_bar("Looking for twins") as progress:
            twins, how = twin_ids(rows, data_root(data), progress), "found by looking at the photos"
    say(f"{len(twins):,} pairs of photos show the same picture ({how}); they stay on one side.")
    return twins


def _read_showcase(path: Path) -> pd.DataFrame:
    # Not examples.read_showcase: a data set of one's own may have other ids and diagnoses.
    try:
        return pd.read_csv(path, usecols=["image_id"], dtype=str)
    except (OSError, ValueError) as error:  # pandas' ParserError and UnicodeDecodeError are ValueErrors
        raise DatasetError(f"{path} is no showcase CSV ({error}). Make it with `skinapp showcase`.") from error


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(showcase)
    app.command()(split)
