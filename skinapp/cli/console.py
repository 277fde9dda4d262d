"""Shared by all commands: messages on stderr, progress bars, data and model folders, and output files."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from skinapp.errors import DatasetError, ModelError, SkinAppError
from skinapp.files import MODELS, check_replaceable, print_bytes, replace_file
from skinapp.formatting import escape_controls
from skinapp.models.folder import describe_no_model, find_models

messages = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
"""All messages go to stderr, so that the answer on stdout can be piped."""

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="SKINAPP_DATA",
        help="Data root: the folder that paths in image tables start from.",
    ),
]

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A model's id, or its folder.")]

ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", envvar="SKINAPP_MODELS", help="Folder of models; by default the installed ones."),
]


def print_message(sentence: str) -> None:
    """Print a sentence on stderr, without characters that a terminal would obey."""
    messages.print(escape_controls(sentence, keep="\n"), markup=False)


def print_error(sentence: str) -> None:
    """Print an error on stderr."""
    messages.print("Error: ", style="bold red", end="")
    print_message(sentence)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar if stderr is a terminal; yields a function to call with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def check_data_root(data: Path | None) -> Path:
    """Return the data root; DatasetError where it is not given or not a folder."""
    if data is None:
        raise DatasetError("Where are the photos? Name their data root with --data DIR or SKINAPP_DATA.")
    if not data.is_dir():
        raise DatasetError(f"The data root {data} is not a folder. Correct --data or SKINAPP_DATA.")
    return data


def find_data_root(folder: Path, data: Path | None) -> Path:
    """Return the data root of a folder of photos: `data` if given, else the folder's parent."""
    if data is None:
        return folder.resolve().parent
    if not folder.resolve().is_relative_to(data.resolve()):
        raise DatasetError(f"{folder} is not in the data root {data}. Correct --data or SKINAPP_DATA.")
    return data.resolve()


def choose_models_folder(models: Path | None) -> Path:
    """Return the folder of models: `models` if given, else the installed one."""
    return models or MODELS


def find_model_folder(model: str, models: Path | None) -> Path:
    """Return the folder of a model, given its path or its id; ModelError, with the models there are, if none."""
    named, root = Path(model), choose_models_folder(models)
    if named.is_file():
        raise ModelError(f"{model} is a file. Name its model's folder, or a model's id.")
    folder = named if named.is_dir() else root / model
    if folder.is_dir():
        return folder
    known = [folder.name for folder in find_models(root)]
    if not known:
        raise ModelError(f"There is no model {model}. {describe_no_model(root)}")
    raise ModelError(
        f"There is no model {model} in {root}, which has {', '.join(known)}. "
        "Name one of these, a model's folder, or another folder of models with --models or SKINAPP_MODELS."
    )


def render_table(table: Table) -> str:
    """Return a table as text, as wide as its cells need, so that nothing is cut when it is piped.

    Characters in its cells that a terminal would obey are escaped.
    """
    # No markup, because a file may be named [b].jpg.
    plain = partial(Console, file=io.StringIO(), highlight=False, markup=False, emoji=False)
    console = plain(width=max(80, plain(width=1000).measure(table).maximum))
    with console.capture() as captured:
        console.print(table)
    return escape_controls(captured.get(), keep="\n")


def write_answer(text: str, output: Path | None) -> None:
    """Print an answer to stdout, or write it to a file, which is replaced only when complete."""
    data = text.encode("utf-8", "surrogateescape")  # file names are bytes and not always UTF-8
    if output is None:
        with explain_write_errors(Path("The standard output")):
            print_bytes(data)
        return
    with explain_write_errors(output), replace_file(output) as aside:
        aside.write_bytes(data)
    print_message(f"Written to {output}")


@contextmanager
def explain_write_errors(output: Path) -> Iterator[None]:
    """Turn an OSError for a file that cannot be written into a SkinAppError; a reader that left (as `head`) is none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SkinAppError(
            f"{output} cannot be written ({error.strerror or error}). Choose another with -o."
        ) from error


def check_output(output: Path | None, *inputs: Path | None) -> None:
    """Raise SkinAppError, before any work, for a file that cannot be written or is one of the inputs."""
    if output is None:
        return
    check_replaceable(output)
    for file in filter(None, inputs):
        if output.exists() and file.exists() and output.samefile(file):
            raise SkinAppError(f"{output} is read by this command and would be lost. Choose another file with -o.")


def check_table_output(output: Path) -> None:
    """Raise SkinAppError, before any work, where an image table cannot be written, or would replace something else."""
    check_replaceable(output)
    if output.is_file() and output.stat().st_size:
        with explain_write_errors(output), output.open("rb") as file:
            is_table = file.read(4) == b"PAR1"
        if not is_table:
            raise SkinAppError(f"{output} is no image table (Parquet) and would be lost. Choose another file with -o.")
