"""Recipe -> its photos: those of its table, parted, with what it takes from other tables and what it keeps outside."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.datasets.splits import group_ids
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError
from skinapp.training.parts import parted, read_twins
from skinapp.training.recipe import Extra, Recipe

OUTSIDE = "outside"
"""The split of photos that are neither trained on nor chosen by: another camera's, another clinic's."""


def gathered(recipe: Recipe) -> pd.DataFrame:
    """Return the photos of a recipe: an image table whose split also knows OUTSIDE, and a flag, borrowed, of the extra.

    Raises DatasetError where a table cannot be read, where training or validation would hold fewer than two classes,
    or where nobody has the camera that is to be left out.
    """
    twins = read_twins(recipe.split.twins)
    core = _camera_outside(parted(read_table(Path(recipe.data.table)), recipe, twins), recipe.split.outside)
    borrowed = [_extra_photos(extra, recipe, core, twins) for extra in recipe.data.extra]
    return pd.concat([core.assign(borrowed=False), *(photos.assign(borrowed=True) for photos in borrowed)]).reset_index(
        drop=True
    )


def own(photos: pd.DataFrame) -> pd.DataFrame:
    """Keep the photos of the recipe's own table: their shares of classes are those that scores should hold for."""
    return photos[~photos["borrowed"]]


def _camera_outside(photos: pd.DataFrame, camera: str | None) -> pd.DataFrame:
    if camera is None:
        return photos
    taken = ((photos["camera"] == camera) & photos["split"].isin(("train", "validation"))).fillna(False)
    if not taken.any():
        known = ", ".join(sorted(photos["camera"].dropna().unique())) or "none"
        raise DatasetError(f"No photo was taken by the camera {camera}; the table's cameras: {known}.")
    return photos.assign(split=photos["split"].mask(taken, OUTSIDE))


def _extra_photos(extra: Extra, recipe: Recipe, core: pd.DataFrame, twins: pd.DataFrame | None) -> pd.DataFrame:
    photos = read_table(Path(extra.table))
    shortest = photos[["stored_width", "stored_height"]].min(axis=1)
    used = photos["diagnosis"].isin(recipe.data.classes) & (shortest >= extra.smallest_px)
    if extra.cameras:
        used &= photos["camera"].isin(extra.cameras)
    photos = photos[used.fillna(False)].assign(split=extra.use)
    # What is learned from must be new to the photos that judge; what judges must be new to all.
    judges = core if extra.use == OUTSIDE else core[core["split"] != "train"]
    return photos[~_seen_among(photos, judges, twins)]


def _seen_among(photos: pd.DataFrame, others: pd.DataFrame, twins: pd.DataFrame | None) -> np.ndarray:
    """Mark the photos, bool (n,), that are of a lesion, a file or a picture of the others."""
    groups = group_ids(pd.concat([photos, others], ignore_index=True), twins)
    of_photos, of_others = groups[: len(photos)], groups[len(photos) :]
    return np.isin(of_photos, of_others)
