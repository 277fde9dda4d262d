"""Whose photos a run of a tried recipe was asked about: by the cameras and clinics that took them."""

from pathlib import Path
from typing import Any

import pandas as pd

from skinapp.datasets.table import read_table
from skinapp.evaluation.run import StoredRun


def whose(run: StoredRun, recipe: dict[str, Any]) -> tuple[str, ...]:
    """Name the cameras of a run's photos, sorted; of photos whose camera is not known their source.

    The photos are looked up in the image tables of the recipe, given as its TOML was read. Raises DatasetError where a
    table cannot be read.
    """
    data = recipe["data"]
    paths = dict.fromkeys([data["table"], *(extra["table"] for extra in data.get("extra", ()))])
    photos = pd.concat([read_table(Path(path)) for path in paths], ignore_index=True)
    asked = photos[photos["image_id"].isin(run.predictions["image_id"])]
    return tuple(sorted(asked["camera"].fillna(asked["source"] + ", camera not named").unique()))
