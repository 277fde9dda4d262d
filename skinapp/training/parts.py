"""Split the photos of an image table by a recipe: training, validation, test and showcase."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

from skinapp.datasets.audit.findings import SAME_FILE, SAME_PICTURE, read_findings
from skinapp.datasets.splits import assign_groups, cap_classes, mark_linked
from skinapp.datasets.table import get_true_labels
from skinapp.errors import DatasetError
from skinapp.taxonomy import MALIGNANCY_CLASSES
from skinapp.training.recipe import Recipe
from skinapp.training.sections import SplitBy
from skinapp.training.squeezed.recipe import SqueezedRecipe


def read_twins(findings: str | None) -> pd.DataFrame | None:
    """Read the pairs of photos of the same picture from a findings file: columns image_a, image_b; None for None.

    Raises DatasetError where the file cannot be read.
    """
    if findings is None:
        return None
    pairs = read_findings(Path(findings))
    same = pairs["finding"].isin((SAME_FILE, SAME_PICTURE))
    return pairs.loc[same, ["image_a", "image_b"]].reset_index(drop=True)


def split_photos(table: pd.DataFrame, recipe: Recipe, twins: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the photos that a recipe uses, relabelled, split and capped by it.

    `twins` are pairs of photos of the same picture, as from `read_twins`. Raises DatasetError where training or
    validation would have fewer than two classes.
    """
    photos = select_labelled(table[~mark_showcase_copies(table, twins)], recipe)
    if recipe.data.cap_part == "all":
        photos = _cap(photos, pd.Series(True, index=photos.index), recipe)
    photos = _draw_validation(photos, recipe, twins)
    if recipe.data.cap_part == "train":
        photos = _cap(photos, photos["split"] == "train", recipe)
    check_classes(photos, recipe)
    return photos


def select_labelled(table: pd.DataFrame, recipe: Recipe, untyped: bool = False) -> pd.DataFrame:
    """Relabel photos by a recipe and return those with a label for every head, with a new index.

    A malignancy model needs only benign or malignant, so its table may lack the diagnosis. With `untyped`, so may that
    of a model with two heads: photos of which only benign or malignant is known are returned too.
    """
    photos = table.assign(diagnosis=table["diagnosis"].replace(recipe.data.relabel))
    known = {task: get_true_labels(photos, task).isin(classes) for task, classes in recipe.heads.items()}
    if untyped:
        known["lesion_type"] |= photos["diagnosis"].isna() | photos["diagnosis"].isin(MALIGNANCY_CLASSES)
    return photos[np.logical_and.reduce(list(known.values()))].reset_index(drop=True)


def check_classes(photos: pd.DataFrame, recipe: Recipe) -> None:
    """Raise DatasetError where training or validation has fewer than two classes of a head."""
    for name in ("train", "validation"):
        part = photos[photos["split"] == name]
        if min(get_true_labels(part, task).nunique() for task in recipe.heads) < 2:
            raise DatasetError(
                f"{recipe.data.table} has no {name} photos of two classes. Split it first with `skinapp split`."
            )


def mark_showcase_copies(photos: pd.DataFrame, twins: pd.DataFrame | None) -> "pd.Series[bool]":
    """Return which photos are twins of showcase photos, bool (n,); all False where `twins` is None."""
    showcase = (photos["split"] == "showcase").fillna(False)
    if twins is None:
        return showcase & False
    linked = mark_linked(assign_groups(photos, twins), showcase.to_numpy(bool))
    return pd.Series(linked, index=photos.index) & ~showcase


def _cap(photos: pd.DataFrame, part: "pd.Series[bool]", recipe: Recipe) -> pd.DataFrame:
    """Drop photos of `part`, bool (n,), above the recipe's cap per diagnosis; showcase photos stay."""
    if recipe.data.cap is None:
        return photos
    of_part = photos[part.fillna(False)]
    showcase = of_part.loc[of_part["split"] == "showcase", "image_id"]
    kept = cap_classes(of_part.reset_index(drop=True), recipe.data.cap, recipe.split.seed, showcase)["image_id"]
    dropped = part.fillna(False) & ~photos["image_id"].isin(kept)
    return photos[~dropped].reset_index(drop=True)


def _draw_validation(photos: pd.DataFrame, recipe: Recipe, twins: pd.DataFrame | None) -> pd.DataFrame:
    split = photos["split"].copy()
    if recipe.split.by == "table":
        drawn_from = (split == "train").fillna(False)
        if (split == "validation").any():
            return photos
    else:  # photos without a split can be drawn too
        drawn_from = (split != "showcase").fillna(True)
        split[drawn_from] = "train"
    places = np.flatnonzero(drawn_from)
    if not len(places):
        return photos
    settings, part = recipe.split, photos.iloc[places]
    draw = draw_share(
        part, get_true_labels(part, recipe.task), settings.by, settings.validation_share, settings.seed, twins
    )
    split.iloc[places[draw]] = "validation"
    return photos.assign(split=split)


def split_squeezed(photos: pd.DataFrame, recipe: SqueezedRecipe, twins: pd.DataFrame | None) -> np.ndarray:
    """Return each photo's split, object (n,): "test", "validation", "train", "showcase", or "" for its twins.

    Raises DatasetError where a split would be empty.
    """
    settings = recipe.split
    split = np.where((photos["split"] == "showcase").fillna(False), "showcase", "train").astype(object)
    split[mark_showcase_copies(photos, twins).to_numpy(bool)] = ""
    for name, share in (("test", settings.test_share), ("validation", settings.validation_share)):
        places = np.flatnonzero(split == "train")
        if len(places) < 2:
            raise DatasetError(f"{recipe.data.table} has too few photos to draw a {name} split. Name a larger table.")
        part = photos.iloc[places]
        drawn = draw_share(part, part["diagnosis"], settings.by, share, settings.seed, twins)
        split[places[drawn]] = name
    return split


def draw_share(
    photos: pd.DataFrame,
    truth: "pd.Series[str]",
    by: SplitBy,
    share: float,
    seed: int,
    twins: pd.DataFrame | None = None,
) -> np.ndarray:
    """Draw a share (0 to 1) of the photos by photo, by photo within each class ("class", "table"), or by lesion.

    Returns their row numbers, int (m,). A draw by lesion keeps photos of one lesion, file or picture (`twins`)
    together; the share is then one of lesions.
    """
    if by == "lesion":
        draw = GroupShuffleSplit(1, test_size=share, random_state=seed)
        return next(draw.split(photos, groups=assign_groups(photos, twins)))[1]  # type: ignore[no-any-return]
    if by == "photo":
        return next(ShuffleSplit(1, test_size=share, random_state=seed).split(photos))[1]  # type: ignore[no-any-return]
    stratified = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
    return next(stratified.split(photos, truth))[1]  # type: ignore[no-any-return]
