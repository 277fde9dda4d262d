"""What every command shares: messages on stderr, progress bars, where the photos are."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from skinapp.errors import DatasetError, SkinAppError
from skinapp.files import MODELS, written_aside

messages = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
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
    """Show a bar while something runs, if stderr is a terminal; yields a function to call with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def data_root(data: Path | None) -> Path:
    """Return the data root, or DatasetError that says how to name it."""
    if data is None:
        raise DatasetError("Where are the photos? Name their data root with --data DIR or SKINAPP_DATA.")
    if not data.is_dir():
        raise DatasetError(f"The data root {data} is not a folder. Correct --data or SKINAPP_DATA.")
    return data


def root_of(folder: Path, data: Path | None) -> Path:
    """Return the data root that a folder of photos lies in: as named, else the folder's parent."""
    if data is None:
        return folder.resolve().parent
    if not folder.resolve().is_relative_to(data.resolve()):
        raise DatasetError(f"{folder} does not lie in the data root {data}. Correct --data or SKINAPP_DATA.")
    return data.resolve()


def models_folder(models: Path | None) -> Path:
    """Return the folder of models: as named, else the one that ships."""
    return models or MODELS


def model_folder(model: str, models: Path | None) -> Path:
    """Return the folder of a model that is named by its path, or by its id among the models."""
    return Path(model) if Path(model).is_dir() else models_folder(models) / model


def printed(table: Table) -> str:
    """Draw a table as text, as wide as its cells need: what is piped must not be cut to a terminal's size."""
    # No markup: a file may be named [b].jpg.
    plain = partial(Console, file=io.StringIO(), highlight=False, markup=False, emoji=False)
    console = plain(width=max(80, plain(width=1000).measure(table).maximum))
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def write_answer(text: str, output: Path | None) -> None:
    """Print an answer to stdout, or write it to a file: aside first, then moved into place."""
    data = text.encode("utf-8", "surrogateescape")  # the name of a file is bytes, not always UTF-8
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with writing(output), written_aside(output) as aside:
        aside.write_bytes(data)
    say(f"Written to {output}")


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Turn a file that cannot be written into a sentence."""
    try:
        yield
    except OSError as error:
        raise SkinAppError(f"{output} cannot be written ({error.strerror or error}). Name another with -o.") from error


def check_output(output: Path | None) -> None:
    """Refuse a file that cannot be written before anything is computed for it."""
    if output and (output.is_dir() or not output.parent.is_dir()):
        raise SkinAppError(f"{output} cannot be written: its folder is missing, or it is one. Name another with -o.")
