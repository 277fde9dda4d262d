"""Read stored runs for a command: a damaged run is reported, and the others are still read."""

from collections.abc import Iterator
from pathlib import Path

from skinapp.cli.console import print_message
from skinapp.errors import RunError
from skinapp.runs.stored import StoredRun, find_own_runs, load_run


def read_or_report(folder: Path) -> StoredRun | None:
    """Read a stored run; print why and return None where it is damaged."""
    try:
        return load_run(folder)
    except RunError as error:
        print_message(str(error))
        return None


def read_own_runs(model: Path) -> Iterator[tuple[Path, StoredRun]]:
    """Yield each run of a model with its folder; damaged runs are reported and left out."""
    for folder in find_own_runs(model):
        if (run := read_or_report(folder)) is not None:
            yield folder, run
