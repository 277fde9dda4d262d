"""What every command shares: messages on stderr, progress bars, where the photos are."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from skinapp.errors import DatasetError, SkinAppError
from skinapp.networks.folder import MODELS
from skinapp.storage import written_aside

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

ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", envvar="SKINAPP_MODELS", help="Folder of models; by default those that ship."),
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


def models_folder(models: Path | None) -> Path:
    """Return the folder of models: as named, else the one that ships."""
    return models or MODELS


def printed(table: Table) -> str:
    """Draw a table as text, as wide as its cells need: what is piped must not be cut to a terminal's size."""
    width = Console(width=1000).measure(table).maximum
    console = Console(file=io.StringIO(), width=max(80, width), highlight=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def write_answer(text: str, output: Path | None) -> None:
    """Print an answer to stdout, or write it to a file: aside first, then moved into place."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with written_aside(output) as aside:
            aside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SkinAppError(f"{output} cannot be written ({error.strerror}). Name another file with -o.") from error
    say(f"Written to {output}")
