"""skinapp showcase, split: choose the photos of a table for training, testing and the examples."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from skinapp.cli.console import (
    DataOption,
    check_data_root,
    check_output,
    check_table_output,
    explain_write_errors,
    print_message,
    progress_bar,
)
from skinapp.datasets.summary import count_splits
from skinapp.datasets.table import read_table, write_table
from skinapp.errors import DatasetError
from skinapp.files import replace_file
from skinapp.text_tables.read import read_text_table
from skinapp.text_tables.write import encode_csv

SEED = 2026

SeedOption = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="The same seed draws the same photos, or gives the same split.")
]


def showcase(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Image table with diagnoses.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The CSV to write.")],
    seed: SeedOption = SEED,
) -> None:
    """Draw four photos of each diagnosis as the examples of the app; they are never used for training."""
    # scikit-learn is imported only by the commands that need it, so that the others start faster.
    from skinapp.datasets.splits import draw_showcase

    check_output(output, table)
    drawn = draw_showcase(read_table(table), seed)
    with explain_write_errors(output), replace_file(output) as aside:
        aside.write_bytes(encode_csv(drawn))
    print_message(f"{output}: {len(drawn)} photos of {drawn['diagnosis'].nunique()} diagnoses")


def split(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Image table with diagnoses, or with malignant filled.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image table to write, with its split.")],
    showcase: Annotated[
        Path | None, typer.Option(help="The showcase CSV; its lesions stay out of training, validation and test.")
    ] = None,
    group: Annotated[
        str, typer.Option(metavar="COLUMN", help="Photos with the same value stay together; image_id splits by photo.")
    ] = "lesion_id",
    cap: Annotated[
        int | None, typer.Option(min=1, help="Keep at most this many photos per class; the others are removed.")
    ] = None,
    seed: SeedOption = SEED,
    data: DataOption = None,
) -> None:
    """Split a table 70/10/20 into train, validation and test; lesions and twins stay together, in proportion by class.

    With --data the photos are compared. Without it only their perceptual hashes are compared, which does not find
    cropped copies.
    """
    from skinapp.datasets.splits import (
        MIN_GROUPS,
        assign_groups,
        cap_classes,
        find_small_classes,
        get_split_labels,
        split_by_lesion,
    )

    check_table_output(output)
    rows = read_table(table)
    examples = rows.head(0) if showcase is None else _read_showcase(showcase)
    if cap is not None:
        capped = cap_classes(rows, cap, seed, examples["image_id"])
        print_message(
            f"At most {cap:,} photos per class: {len(rows) - len(capped):,} of {len(rows):,} photos left out."
        )
        rows = capped
    twins = _find_twins(rows, data)
    split_rows = split_by_lesion(rows, examples, seed, twins, group)
    with explain_write_errors(output):
        write_table(split_rows, output)
    for row in count_splits(split_rows).itertuples(index=False):
        print_message(
            f"{row.split}: {row.photos:,} photos of {row.lesions:,} lesions, {row.malignant:,} photos malignant"
        )
    for label, groups in find_small_classes(
        get_split_labels(split_rows), assign_groups(split_rows, twins, group)
    ).items():
        print_message(f"{label} has too few groups for every part: {groups} of at least {MIN_GROUPS}.")
    if group != "lesion_id":
        print_message(f"Split by {group}: photos of one lesion may be in several splits.")
    print_message(_describe_patients(split_rows, group))


def _describe_patients(rows: pd.DataFrame, group: str) -> str:
    """Say whether photos of one patient are together."""
    unknown = int(rows["patient_id"].isna().sum())
    if unknown == len(rows) or group not in ("lesion_id", "patient_id"):
        reason = "Patients are not recorded" if unknown == len(rows) else "Patients were not kept together"
        return f"{reason}, so one patient's lesions may be in several splits."
    known = f"All photos of one patient are in one split ({rows['patient_id'].nunique():,} patients)."
    return f"{known} {unknown:,} photos name no patient." if unknown else known


def _find_twins(rows: pd.DataFrame, data: Path | None) -> pd.DataFrame:
    """Find the twins of a table by comparing photos if there is a data root, else by hash, and say how."""
    from skinapp.datasets.audit.copies import find_twin_ids_by_hash
    from skinapp.datasets.audit.twins import find_twin_ids

    if data is None:
        twins, how = find_twin_ids_by_hash(rows), "by perceptual hash; use --data to compare the photos themselves"
        if rows["perceptual_hash"].isna().any():
            how += f"; {rows['perceptual_hash'].isna().sum():,} photos have none and were not compared"
    else:
        with progress_bar("Looking for twins") as progress:
            twins, unread = find_twin_ids(rows, check_data_root(data), progress)
        how = f"by comparing {len(rows) - unread:,} of {len(rows):,} photos"
        if unread:
            print_message(
                f"{unread:,} of {len(rows):,} photos are missing below {data} or not readable and were not compared."
            )
    print_message(f"{len(twins):,} pairs of photos show the same picture ({how}); they stay together.")
    return twins


def _read_showcase(path: Path) -> pd.DataFrame:
    # Not showcase.read_showcase: another data set may have other ids and diagnoses.
    try:
        return read_text_table(path.read_bytes(), str(path)).frame(["image_id"])
    except (OSError, KeyError) as error:
        fault = error.strerror if isinstance(error, OSError) else "it lacks the column image_id"
        raise DatasetError(f"{path} is not a showcase CSV ({fault}). Make it with `skinapp showcase`.") from error


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(showcase)
    app.command()(split)
