"""Recipes that were tried: trained experiments, the architecture of each, and the source of the photos in a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skinapp.datasets.table import read_table
from skinapp.models.card import TRAINING, NetworkFacts
from skinapp.runs.stored import StoredRun

Recipe = dict[str, Any]
"""A recipe as its TOML was read."""


def find_trained(experiments: Path) -> list[Path]:
    """Return the training record of each experiment that was trained, sorted by the experiment's name."""
    return sorted(experiments.glob(f"*/{TRAINING}"))


def name_architecture(recipe: Recipe, members: Sequence[NetworkFacts]) -> str:
    """Name the architecture of a recipe's network, or those of an average's members: "resnet18 + resnet50"."""
    if members:
        return " + ".join(member.architecture for member in members)
    name: str = recipe["network"].get("architecture", "resnet18")
    return name


def photo_sources(run: StoredRun, recipe: Recipe) -> tuple[str, ...]:
    """Name the cameras that took a run's photos, sorted; a photo without a known camera counts by its source.

    The run's photos are looked up in its image table, at the path that the recipe gives. Raises DatasetError where
    that table cannot be read.
    """
    photos = read_table(_find_table(run, recipe))
    photos = photos[photos["image_id"].isin(run.frame["image_id"])]
    return tuple(sorted(photos["camera"].fillna(photos["source"] + ", camera not named").unique()))


def _find_table(run: StoredRun, recipe: Recipe) -> Path:
    data = recipe.get("data", recipe)  # an average's recipe has its table at the top
    tables = [Path(each["table"]) for each in (data, *data.get("extra", ()))]
    # An average's recipe names only the table it was calibrated on; a run's other table lies beside it.
    return next((path for path in tables if path.stem == run.table), tables[0].with_stem(run.table))
