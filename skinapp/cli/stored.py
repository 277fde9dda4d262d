"""Stored runs as commands read them: of a damaged one it is said what is wrong, and the others go on."""

from collections.abc import Iterator
from pathlib import Path

from skinapp.cli.console import say
from skinapp.errors import RunError
from skinapp.runs.stored import StoredRun, find_own_runs, load_run


def read_or_report(folder: Path) -> StoredRun | None:
    """Read a stored run; None, after saying why, where it does not hold together."""
    try:
        return load_run(folder)
    except RunError as error:
        say(str(error))
        return None


def read_own_runs(model: Path) -> Iterator[tuple[Path, StoredRun]]:
    """Read the runs of a model one by one, each with its folder."""
    for folder in find_own_runs(model):
        if (run := read_or_report(folder)) is not None:
            yield folder, run
