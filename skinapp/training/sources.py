"""Recipe -> its photos: those of its table, parted, with what it takes from other tables and what it keeps outside."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.datasets.splits import OUTSIDE, group_ids, linked_to
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError
from skinapp.training.parts import check_parts, labelled, parted, read_twins
from skinapp.training.recipe import Extra, Recipe


def gathered(recipe: Recipe) -> pd.DataFrame:
    """Return the photos of a recipe: an image table whose split also knows OUTSIDE, with two more columns.

    `table` is the path of the table that each photo is of, `borrowed` says whether that is an extra one.

    Raises DatasetError where a table cannot be read or has nothing to add, where training or validation would hold
    fewer than two classes, or where nobody has the camera that is to be left out.
    """
    twins = read_twins(recipe.split.twins)
    core = _camera_outside(parted(read_table(Path(recipe.data.table)), recipe, twins), recipe.split.outside, twins)
    check_parts(core, recipe)
    photos = core.assign(table=recipe.data.table, borrowed=False)
    # Those who learn come first, so that those who judge can be new to them all.
    for extra in sorted(recipe.data.extra, key=lambda extra: extra.use == OUTSIDE):
        more = _extra_photos(extra, recipe, photos, twins).assign(table=extra.table, borrowed=True)
        photos = pd.concat([photos, more], ignore_index=True)
    return photos


def own(photos: pd.DataFrame) -> pd.DataFrame:
    """Keep the photos of the recipe's own table: their shares of classes are those that scores should hold for."""
    return photos[~photos["borrowed"]]


def table_of(photos: pd.DataFrame, split: str, recipe: Recipe) -> Path:
    """Return the image table that the photos of a split are of, among those that `gathered` returned for a recipe.

    Where the split has none it is the recipe's own. DatasetError where they are of several: a run is of one.
    """
    tables = sorted(photos.loc[photos["split"] == split, "table"].unique()) or [recipe.data.table]
    if len(tables) > 1:
        raise DatasetError(f"The split {split} holds photos of {', '.join(tables)}. Name one of them in the recipe.")
    return Path(tables[0])


def _camera_outside(photos: pd.DataFrame, camera: str | None, twins: pd.DataFrame | None) -> pd.DataFrame:
    """Put a camera's training and validation photos outside, and leave out other cameras' photos of their lesions."""
    if camera is None:
        return photos
    inside = photos["split"].isin(("train", "validation"))
    taken = ((photos["camera"] == camera) & inside).fillna(False)
    if not taken.any():
        known = ", ".join(sorted(photos["camera"].dropna().unique())) or "none"
        raise DatasetError(f"No photo was taken by the camera {camera}; the table's cameras: {known}.")
    seen = linked_to(group_ids(photos, twins), taken.to_numpy(bool)) & inside & ~taken
    return photos.assign(split=photos["split"].mask(taken, OUTSIDE))[~seen].reset_index(drop=True)


def _extra_photos(extra: Extra, recipe: Recipe, others: pd.DataFrame, twins: pd.DataFrame | None) -> pd.DataFrame:
    """Return what a table adds to the photos that are there: none of theirs by id, and none that gives a judge away."""
    photos = labelled(read_table(Path(extra.table)), recipe)
    shortest = photos[["stored_width", "stored_height"]].min(axis=1)
    used = (shortest >= extra.smallest_px) & ~photos["image_id"].isin(others["image_id"])
    if extra.cameras:
        used &= photos["camera"].isin(extra.cameras)
    photos = photos[used.fillna(False)].assign(split=extra.use)
    # What is learned from must be new to the photos that judge; what judges must be new to all.
    judges = others if extra.use == OUTSIDE else others[others["split"] != "train"]
    photos = photos[~_seen_among(photos, judges, twins)]
    if photos.empty:
        raise DatasetError(f"{extra.table} has no photo to add. Check the cameras and smallest_px of this extra table.")
    return photos


def _seen_among(photos: pd.DataFrame, others: pd.DataFrame, twins: pd.DataFrame | None) -> np.ndarray:
    """Mark the photos, bool (n,), that are of a lesion, a file or a picture of the others."""
    both = pd.concat([photos, others], ignore_index=True)
    return linked_to(group_ids(both, twins), np.arange(len(both)) >= len(photos))[: len(photos)]
