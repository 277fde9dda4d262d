"""Whose photos a run of a tried recipe was asked about: by the cameras and clinics that took them."""

from pathlib import Path
from typing import Any

from skinapp.datasets.table import read_table
from skinapp.runs.stored import StoredRun


def photo_sources(run: StoredRun, recipe: dict[str, Any]) -> tuple[str, ...]:
    """Name the cameras of a run's photos, sorted; of photos whose camera is not known their source.

    The photos are looked up in the run's image table, which the recipe, given as its TOML was read, names; that of an
    average names only its own, beside which the other lies. Raises DatasetError where the table cannot be read.
    """
    photos = read_table(_table_of(run, recipe))
    asked = photos[photos["image_id"].isin(run.predictions["image_id"])]
    return tuple(sorted(asked["camera"].fillna(asked["source"] + ", camera not named").unique()))


def _table_of(run: StoredRun, recipe: dict[str, Any]) -> Path:
    data = recipe.get("data", recipe)  # an average's recipe has its table at the top
    named = [Path(table["table"]) for table in (data, *data.get("extra", ()))]
    return next((path for path in named if path.stem == run.table), named[0].with_stem(run.table))
