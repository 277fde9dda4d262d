"""skinapp audit, probe: what is wrong with image tables, and what could be learned from them without a lesion."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table

from skinapp.cli.console import DataOption, check_output, data_root, printed, progress_bar, say, write_answer, writing
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError, SkinAppError
from skinapp.files import EXPERIMENTS, written_aside
from skinapp.runs.intervals import figure, headline_intervals, save_intervals
from skinapp.runs.probe.stored import FEATURES_FILE
from skinapp.runs.stored import save_run
from skinapp.taxonomy import CODES, class_name

if TYPE_CHECKING:
    from skinapp.runs.probe.fit import Probe

PROBES = EXPERIMENTS / "shortcut-probe" / "runs"
"""Where the probes of the tables that ship lie."""

_SUFFIXES = (".csv", ".parquet")


def audit(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Image tables; findings name them.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the findings to this file, .csv or .parquet.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where something crosses a split.")] = False,
    data: DataOption = None,
) -> None:
    """Find copies, leaks across splits, labels that disagree, unreadable files, and gaps, in tables and between them.

    With --data the photos are looked at; else their perceptual hashes are compared, which misses cropped copies.
    """
    # scikit-learn is imported by the commands that need it: the others start in less time.
    from skinapp.datasets.audit.copies import alike_by_looking
    from skinapp.datasets.audit.table import audit as audit_tables
    from skinapp.datasets.audit.table import crosses, stacked

    check_output(output)
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise SkinAppError(f"{output} is neither {' nor '.join(_SUFFIXES)}. Name a file that ends in one of them.")
    named = _read_tables(tables)
    if data is None:
        say("Without --data perceptual hashes are compared, not photos: cropped copies are not found.")
        findings = audit_tables(named)
    else:
        with progress_bar("Looking at photos") as progress:
            looked = alike_by_looking(stacked(named), data_root(data), progress)
        say("Copies were found by looking at the photos.")
        findings = audit_tables(named, looked.pairs, looked.readable)
    if output is not None:
        _write(findings, output)
    write_answer(printed(_summary(findings)), None)
    leaks = int(crosses(findings).sum())
    say(f"Leaks, findings that cross a split: {leaks:,}." if leaks else "Nothing crosses a split.")
    if strict and leaks:
        raise typer.Exit(1)


class Task(StrEnum):
    """What the probe is asked for."""

    diagnosis = "diagnosis"
    malignancy = "malignancy"


def probe(
    table: Annotated[Path, typer.Argument(help="Image table with labels.")],
    task: Annotated[
        Task | None, typer.Option(help="What to predict; by default the diagnosis, or malignancy where none is known.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the run; by default one in experiments/shortcut-probe/runs."),
    ] = None,
) -> None:
    """Ask how well facts that say nothing of the lesion predict its label: colour, sharpness, size, camera, source.

    Prints AUROC with 95% intervals by class, and stores the predictions as a run with features.csv beside it.
    """
    from skinapp.runs.probe.fit import probe_table

    rows = read_table(table)
    coded = bool(rows["diagnosis"].isin(CODES).any())
    asked = task or (Task.diagnosis if coded or rows["malignant"].isna().all() else Task.malignancy)
    name = f"{table.stem}-{asked}" if coded and asked is Task.malignancy else table.stem
    folder = output or PROBES / name
    with progress_bar("Training small models") as progress:
        found = probe_table(rows, table, asked, name, progress)
    intervals = headline_intervals(found.run)
    with writing(folder):
        save_run(found.run, folder)
        save_intervals(intervals, folder)
        with written_aside(folder / FEATURES_FILE) as aside:
            found.features.round(4).to_csv(aside, index=False)
    write_answer(printed(_probe_table(found, intervals)), None)
    say(f"Stored in {folder}")


def _probe_table(found: "Probe", intervals: pd.DataFrame) -> Table:
    """Draw a row a class: its AUROC with its interval, and the facts that carry most of it."""
    run = found.run
    title = f"Trivial facts alone on {run.table}: {len(run.predictions):,} photos"
    table = Table("class", "AUROC (95% interval, by lesion)", "carried by (fall)", "best alone", title=title, box=None)
    for label in run.classes:
        of_class = found.features[found.features["class"] == label]
        most = of_class.nlargest(3, "auroc_drop")
        carried = ", ".join(f"{row.feature} {row.auroc_drop:.3f}" for row in most.itertuples())
        alone = of_class.nlargest(1, "auroc_alone").iloc[0]
        best = f"{alone['feature']} {alone['auroc_alone']:.3f}"
        table.add_row(class_name(label), figure(intervals, "auroc", label).in_words(), carried, best)
    return table


def _read_tables(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    names = [path.stem for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"Two tables are named {', '.join(twice)}; findings name tables. Rename one of them.")
    return {name: read_table(path) for name, path in zip(names, paths, strict=True)}


def _write(findings: pd.DataFrame, output: Path) -> None:
    with writing(output), written_aside(output) as aside:
        if output.suffix.lower() == ".csv":
            findings.to_csv(aside, index=False)
        else:
            findings.to_parquet(aside, index=False, compression="zstd")
    say(f"{output}: {len(findings):,} findings")


def _summary(findings: pd.DataFrame) -> Table:
    from skinapp.datasets.audit.table import summarize

    table = Table("finding", box=None)
    for heading in ("found", "across splits", "labels disagree"):
        table.add_column(heading, justify="right")
    for row in summarize(findings).itertuples(index=False):
        table.add_row(str(row.finding), f"{row.found:,}", f"{row.across_splits:,}", f"{row.labels_disagree:,}")
    return table


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(audit)
    app.command()(probe)
