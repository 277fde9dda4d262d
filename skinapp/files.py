"""Files: what ships and where, their fingerprint, a recipe's keys, and writing them whole or not at all."""

import hashlib
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import skinapp
from skinapp.errors import RecipeError

MODELS = Path(skinapp.__file__).parents[1] / "models"
"""The model folders that ship with the app."""

EXPERIMENTS = MODELS.with_name("experiments")
"""The stored runs of experiments, whose weights were not kept, that ship with the app."""

SEARCH = MODELS.with_name("search")
"""The recipes that were tried for the shipped models, with what they predicted of validation photos."""


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_toml(path: Path) -> dict[str, Any]:
    """Read a recipe's keys unchecked; RecipeError where there is no file or it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"There is no recipe at {path}. Name the file, as models/<id>/recipe.toml.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}. Mend that line.") from error


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of `path` at the end, or goes if anything failed before."""
    # Two writers of one file must not meet in one place aside.
    aside = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
