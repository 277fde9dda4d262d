"""Collect the photos of a recipe: its own table, split, and the photos of other tables."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.datasets.splits import OUTSIDE, assign_groups, mark_linked
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError
from skinapp.training.parts import check_classes, read_twins, select_labelled, split_photos
from skinapp.training.recipe import Recipe
from skinapp.training.sections import ExtraTable


def collect_photos(recipe: Recipe) -> pd.DataFrame:
    """Return the photos of a recipe as an image table; its split may also be OUTSIDE, and it has two more columns.

    `table` is the path of each photo's table; `extra` tells whether that is another table than the recipe's own. Raises
    DatasetError where a table cannot be read or adds no photo, where training or validation would have fewer than two
    classes, or where no photo is of the camera to keep out.
    """
    twins = read_twins(recipe.split.twins)
    core = _put_camera_outside(
        split_photos(read_table(Path(recipe.data.table)), recipe, twins), recipe.split.outside, twins
    )
    check_classes(core, recipe)
    photos = core.assign(table=recipe.data.table, extra=False)
    # Training photos are added first, so that none of the photos to test on is a copy of any of them.
    for source in sorted(recipe.data.extra, key=lambda source: source.use == OUTSIDE):
        more = _select_extra(source, recipe, photos, twins).assign(table=source.table, extra=True)
        photos = pd.concat([photos, more], ignore_index=True)
    return photos


def select_own(photos: pd.DataFrame) -> pd.DataFrame:
    """Select the photos of the recipe's own table, whose class shares the scores should hold for."""
    return photos[~photos["extra"]]


def find_table(photos: pd.DataFrame, split: str, recipe: Recipe) -> Path:
    """Return the path of the image table that a split's photos come from; `photos` are from `collect_photos`.

    It is the recipe's own where the split has no photo. DatasetError where they come from several tables, because a run
    belongs to one.
    """
    tables = sorted(photos.loc[photos["split"] == split, "table"].unique()) or [recipe.data.table]
    if len(tables) > 1:
        raise DatasetError(f"The split {split} has photos of {', '.join(tables)}. Name only one of them in the recipe.")
    return Path(tables[0])


def _put_camera_outside(photos: pd.DataFrame, camera: str | None, twins: pd.DataFrame | None) -> pd.DataFrame:
    """Give a camera's training and validation photos the split OUTSIDE; drop other cameras' photos of their lesions."""
    if camera is None:
        return photos
    in_use = photos["split"].isin(("train", "validation"))
    by_camera = ((photos["camera"] == camera) & in_use).fillna(False)
    if not by_camera.any():
        known = ", ".join(sorted(photos["camera"].dropna().unique())) or "none"
        raise DatasetError(f"No photo is of the camera {camera}; the table's cameras: {known}.")
    seen = mark_linked(assign_groups(photos, twins), by_camera.to_numpy(bool)) & in_use & ~by_camera
    return photos.assign(split=photos["split"].mask(by_camera, OUTSIDE))[~seen].reset_index(drop=True)


def _select_extra(extra: ExtraTable, recipe: Recipe, others: pd.DataFrame, twins: pd.DataFrame | None) -> pd.DataFrame:
    """Select the photos that a table adds: with new ids, and without copies of photos that must stay unseen."""
    photos = select_labelled(read_table(Path(extra.table)), recipe, extra.untyped)
    short_side = photos[["stored_width", "stored_height"]].min(axis=1)
    used = (short_side >= extra.smallest_px) & ~photos["image_id"].isin(others["image_id"])
    if extra.cameras:
        used &= photos["camera"].isin(extra.cameras)
    photos = photos[used.fillna(False)].assign(split=extra.use)
    # Photos to test on must be new to all others, photos to train on only to those that are not trained on.
    unseen = others if extra.use == OUTSIDE else others[others["split"] != "train"]
    photos = photos[~_mark_seen(photos, unseen, twins)]
    if photos.empty:
        raise DatasetError(f"{extra.table} has no photo to add. Check the cameras and smallest_px of this extra table.")
    return photos


def _mark_seen(photos: pd.DataFrame, others: pd.DataFrame, twins: pd.DataFrame | None) -> np.ndarray:
    """Return which photos, bool (n,), share a lesion, a file or a picture with the others."""
    both = pd.concat([photos, others], ignore_index=True)
    return mark_linked(assign_groups(both, twins), np.arange(len(both)) >= len(photos))[: len(photos)]
