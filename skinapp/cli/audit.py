"""skinapp audit, probe: what is wrong with image tables, and how well facts without the lesion predict labels."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table

from skinapp.cli.console import (
    DataOption,
    check_data_root,
    check_output,
    explain_write_errors,
    print_message,
    progress_bar,
    render_table,
    write_answer,
)
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError, SkinAppError
from skinapp.files import EXPERIMENTS, replace_file
from skinapp.runs.intervals import compute_intervals, get_figure, save_intervals
from skinapp.runs.probe.stored import FEATURES_FILE
from skinapp.runs.stored import save_run
from skinapp.taxonomy import CODES, get_class_name
from skinapp.text_tables.write import encode_csv

if TYPE_CHECKING:
    from skinapp.runs.probe.fit import Probe

PROBES = EXPERIMENTS / "shortcut-probe" / "runs"
"""Folder of the probes of the shipped tables."""

_SUFFIXES = (".csv", ".parquet")


def audit(
    tables: Annotated[
        list[Path],
        typer.Argument(
            metavar="TABLE",
            help="Image tables to check. Findings refer to them by file name, so names must differ.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the findings to this file, .csv or .parquet.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if a lesion or a copy is in two splits.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Find copies, leaks across splits, label conflicts, unreadable files and gaps, in tables and between them.

    With --data the photos are compared. Without it only their perceptual hashes are compared, which does not find
    cropped copies.
    """
    # scikit-learn is imported only by the commands that need it, so that the others start faster.
    from skinapp.datasets.audit.checks import audit_tables, stack_tables
    from skinapp.datasets.audit.copies import find_copies_by_photo
    from skinapp.datasets.audit.findings import crosses_split

    check_output(output, *tables)
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise SkinAppError(f"{output} is neither {' nor '.join(_SUFFIXES)}. Name a file that ends in one of them.")
    named = _read_tables(tables)
    if data is None:
        print_message(
            "Without --data perceptual hashes are compared instead of photos, so cropped copies are not found."
        )
        hashes = pd.concat([rows["perceptual_hash"] for rows in named.values()])
        if hashes.isna().any():
            print_message(f"{hashes.isna().sum():,} of {len(hashes):,} photos have no hash and were not compared.")
        findings = audit_tables(named)
    else:
        with progress_bar("Comparing photos") as progress:
            comparison = find_copies_by_photo(stack_tables(named), check_data_root(data), progress)
        compared, photos = int(comparison.readable.sum()), len(comparison.readable)
        print_message(f"Copies were found by comparing the photos: {compared:,} of {photos:,}.")
        if compared < photos:
            print_message(f"{photos - compared:,} are missing below {data} or not readable; they are findings too.")
        findings = audit_tables(named, comparison.pairs, comparison.readable)
    if output is not None:
        _write(findings, output)
    write_answer(render_table(_draw_summary(findings)), None)
    leaks = int(crosses_split(findings).sum())
    is_split = any(rows["split"].notna().any() for rows in named.values())
    none = "Nothing crosses a split." if is_split else "No photo has a split, so there is none to cross."
    print_message(f"Leaks, findings that cross a split: {leaks:,}." if leaks else none)
    if strict and leaks:
        raise typer.Exit(1)


class Task(StrEnum):
    """What the probe predicts."""

    diagnosis = "diagnosis"
    malignancy = "malignancy"


def probe(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Image table with labels.")],
    task: Annotated[
        Task | None, typer.Option(help="What to predict; by default the diagnosis, or malignancy where none is known.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the run; by default one in experiments/shortcut-probe/runs."),
    ] = None,
) -> None:
    """Measure how well facts that ignore the lesion predict its label: colour, sharpness, size, camera, source.

    Prints AUROC with 95% intervals by class, and stores the predictions as a run with features.csv beside it.
    """
    from skinapp.runs.probe.fit import probe_table

    rows = read_table(table)
    has_codes = bool(rows["diagnosis"].isin(CODES).any())
    chosen = task or (Task.diagnosis if has_codes or rows["malignant"].isna().all() else Task.malignancy)
    name = f"{table.stem}-{chosen}" if has_codes and chosen is Task.malignancy else table.stem
    folder = output or PROBES / name
    with progress_bar("Training small models") as progress:
        result = probe_table(rows, table, chosen, name, progress)
    intervals = compute_intervals(result.run)
    with explain_write_errors(folder):
        save_run(result.run, folder)
        save_intervals(intervals, folder)
        with replace_file(folder / FEATURES_FILE) as aside:
            aside.write_bytes(encode_csv(result.features.round(4)))
    write_answer(render_table(_draw_probe(result, intervals)), None)
    print_message(f"Stored in {folder}")


def _draw_probe(result: "Probe", intervals: pd.DataFrame) -> Table:
    """Draw one row per class: its AUROC with its interval, and the facts that contribute most."""
    run = result.run
    title = f"Facts other than the lesion, alone, on {run.table}: {len(run.frame):,} photos"
    table = Table(
        "class",
        "AUROC (95% interval, by lesion)",
        "most important facts (AUROC lost without them)",
        "best alone",
        title=title,
        box=None,
    )
    for label in run.classes:
        features = result.features[result.features["class"] == label]
        most = features.nlargest(3, "auroc_drop")
        carried = ", ".join(f"{row.feature} {row.auroc_drop:.3f}" for row in most.itertuples())
        alone = features.nlargest(1, "auroc_alone").iloc[0]
        best = f"{alone['feature']} {alone['auroc_alone']:.3f}"
        table.add_row(get_class_name(label), get_figure(intervals, "auroc", label).format(), carried, best)
    return table


def _read_tables(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    names = [path.stem for path in paths]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DatasetError(
            f"Two tables are named {', '.join(repeated)}; findings refer to tables by file name. Rename one of them."
        )
    return {name: read_table(path) for name, path in zip(names, paths, strict=True)}


def _write(findings: pd.DataFrame, output: Path) -> None:
    with explain_write_errors(output), replace_file(output) as aside:
        if output.suffix.lower() == ".csv":
            aside.write_bytes(encode_csv(findings))
        else:
            findings.to_parquet(aside, index=False, compression="zstd")
    print_message(f"{output}: {len(findings):,} findings")


def _draw_summary(findings: pd.DataFrame) -> Table:
    from skinapp.datasets.audit.findings import count_findings

    table = Table("finding", box=None)
    for heading in ("found", "across splits", "labels disagree"):
        table.add_column(heading, justify="right")
    for row in count_findings(findings).itertuples(index=False):
        table.add_row(str(row.finding), f"{row.found:,}", f"{row.across_splits:,}", f"{row.labels_disagree:,}")
    return table


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(audit)
    app.command()(probe)
