"""Files: where those that ship lie, their sha256, reading a recipe, and replacing files whole or not at all."""

import codecs
import hashlib
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import skinapp
from skinapp.errors import RecipeError, SkinAppError

MODELS = Path(skinapp.__file__).parents[1] / "models"
"""The model folders that ship with the app."""

EXPERIMENTS = MODELS.with_name("experiments")
"""The stored runs of experiments, whose weights were not kept, that ship with the app."""

STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
"""Names of the standard output: a file written there is printed."""

COMPLETE = "complete.partial"
"""A folder of new files that are complete and must still be moved into place: see `finish_replacing`."""


def compute_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_toml(path: Path) -> dict[str, Any]:
    """Read a recipe's keys unchecked: UTF-8, or UTF-16 with its mark.

    RecipeError if the file is missing or is not TOML.
    """
    try:
        data = path.read_bytes()
        # Windows' Notepad begins a file with the mark of its encoding.
        encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        return tomllib.loads(data.decode(encoding))
    except FileNotFoundError as error:
        raise RecipeError(f"There is no recipe at {path}. Name the file, as models/<id>/recipe.toml.") from error
    except IsADirectoryError as error:
        raise RecipeError(f"{path} is a folder. Name the recipe in it, as {path / 'recipe.toml'}.") from error
    except OSError as error:
        raise RecipeError(f"The recipe {path} cannot be read ({error.strerror}). Check the path.") from error
    except RecursionError as error:
        raise RecipeError(f"{path} is nested too deeply for a recipe. Correct it.") from error
    except ValueError as error:  # not TOML, not text, or a number of thousands of digits
        raise RecipeError(f"{path} is not TOML: {error}. Correct that line.") from error


def is_stdout(path: Path) -> bool:
    """Tell whether a path is a name of the standard output."""
    return str(path) in STDOUT


def check_replaceable(path: Path) -> None:
    """Raise SkinAppError where a file cannot be written: it is a folder or a device, or its folder does not take it.

    A link is followed: the file that it points to is replaced, and the link stays.
    """
    if is_stdout(path):
        return
    target = _follow(path)
    fault = ""
    if target.is_dir():
        fault = "it is a folder"
    elif target.exists() and not target.is_file():
        fault = "it is a device or a pipe, not a file"
    elif not target.parent.is_dir():
        fault = "its folder is missing"
    elif not os.access(target.parent, os.W_OK | os.X_OK):
        fault = "its folder is read-only"
    if fault:
        raise SkinAppError(f"{path} cannot be written: {fault}. Choose another file.")


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a path to write a file to, which then replaces `path`; a kill at any moment leaves the old or the new.

    A link is followed and stays; /dev/stdout prints the file. Nothing is replaced where the block raises. SkinAppError
    for a folder, a device, or a folder that does not take the file.
    """
    check_replaceable(path)
    if is_stdout(path):
        with TemporaryDirectory() as folder:
            yield Path(folder) / "printed"
            print_bytes((Path(folder) / "printed").read_bytes())
        return
    target = _follow(path)
    # Each writer has a file of its own, so that two writers of one file do not mix.
    aside = target.with_name(f"{target.name}.{uuid4().hex}.partial")
    try:
        yield aside
        _sync(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def print_bytes(data: bytes) -> None:
    """Write bytes to stdout; OSError where it does not take them, as on a full disk."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError:
        discard_stdout()
        raise


def discard_stdout() -> None:
    """Drop what stdout did not take: Python would try again when it ends, with a traceback."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _follow(path: Path) -> Path:
    # Not Path.resolve(), which raises RuntimeError for links in a circle.
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextmanager
def replace_together(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write files to, which then replace those of the same names in `folder`, all together.

    A kill at any moment leaves the old files or the new ones, provided that readers call `finish_replacing` first.
    Other files stay. Nothing is replaced where the block raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{uuid4().hex}.partial"
    aside.mkdir()
    try:
        yield aside
        for file in aside.iterdir():
            _sync(file)
        finish_replacing(folder)
        aside.rename(folder / COMPLETE)  # From here on the new files count.
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    finish_replacing(folder)


def finish_replacing(folder: Path) -> None:
    """Move new files into place where a kill interrupted `replace_together` after they were complete."""
    complete = folder / COMPLETE
    if not complete.is_dir():
        return
    with suppress(FileNotFoundError):  # Another process may be moving the same files.
        for file in sorted(complete.iterdir()):
            with suppress(FileNotFoundError):
                file.replace(folder / file.name)
        complete.rmdir()


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
