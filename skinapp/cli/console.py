"""What every command shares: messages on stderr, progress bars, where the photos are."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skinapp.errors import DatasetError

messages = Console(stderr=True, highlight=False, soft_wrap=True)
"""All but the answer itself goes here, so that an answer can be piped."""

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="SKINAPP_DATA",
        help="Data root: the folder that the paths of image tables start from.",
    ),
]


def say(sentence: str) -> None:
    """Tell the reader something on stderr."""
    messages.print(sentence, markup=False)


def fail(sentence: str) -> None:
    """Tell the reader on stderr what went wrong."""
    messages.print("Error: ", style="bold red", end="")
    messages.print(sentence, markup=False)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while something runs; yields a function to call with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def data_root(data: Path | None) -> Path:
    """Return the data root, or DatasetError that says how to name it."""
    if data is None:
        raise DatasetError("Where are the photos? Name their data root with --data DIR or SKINAPP_DATA.")
    if not data.is_dir():
        raise DatasetError(f"The data root {data} is not a folder. Correct --data or SKINAPP_DATA.")
    return data


def default_root(folder: Path) -> Path:
    """Return SKINAPP_DATA where the folder lies in it, else the folder's parent."""
    root = os.environ.get("SKINAPP_DATA")
    if root and folder.resolve().is_relative_to(Path(root).resolve()):
        return Path(root).resolve()
    return folder.resolve().parent
