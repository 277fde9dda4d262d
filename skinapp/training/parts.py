"""Image table + recipe -> who is trained on, who validates, who is only looked at in the end."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

from skinapp.datasets.audit.findings import read_findings
from skinapp.datasets.audit.table import SAME_FILE, SAME_PICTURE
from skinapp.datasets.splits import cap_classes, group_ids, linked_to
from skinapp.datasets.table import truth_labels
from skinapp.errors import DatasetError
from skinapp.training.recipe import By, Recipe
from skinapp.training.squeezed.recipe import SqueezedRecipe


def read_twins(findings: str | None) -> pd.DataFrame | None:
    """Read the pairs of photos of one picture that findings name: columns image_a, image_b; None where none are named.

    Raises DatasetError where the findings cannot be read.
    """
    if findings is None:
        return None
    found = read_findings(Path(findings))
    pairs = found["finding"].isin((SAME_FILE, SAME_PICTURE))
    return found.loc[pairs, ["image_a", "image_b"]].reset_index(drop=True)


def parted(table: pd.DataFrame, recipe: Recipe, twins: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the photos that a recipe uses: labels as it names them, its classes alone, split and capped as it asks.

    `twins` names pairs of photos of one picture, as `read_twins` does. Raises DatasetError where training or
    validation would hold fewer than two classes.
    """
    photos = labelled(table[~copies_of_the_showcase(table, twins)], recipe)
    if recipe.data.cap_part == "all":
        photos = _capped(photos, pd.Series(True, index=photos.index), recipe)
    photos = _split(photos, recipe, twins)
    if recipe.data.cap_part == "train":
        photos = _capped(photos, photos["split"] == "train", recipe)
    check_parts(photos, recipe)
    return photos


def labelled(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Return the photos whose truth every head of a recipe knows, labels as it names them, rows numbered anew.

    A malignancy model asks for benign or malignant alone; its table may tell that without telling the diagnosis.
    """
    photos = table.assign(diagnosis=table["diagnosis"].replace(recipe.data.relabel))
    known = [truth_labels(photos, task).isin(classes) for task, classes in recipe.heads.items()]
    return photos[np.logical_and.reduce(known)].reset_index(drop=True)


def check_parts(photos: pd.DataFrame, recipe: Recipe) -> None:
    """Raise DatasetError where training or validation would hold fewer than two classes of a head."""
    for name in ("train", "validation"):
        part = photos[photos["split"] == name]
        if min(truth_labels(part, task).nunique() for task in recipe.heads) < 2:
            raise DatasetError(
                f"{recipe.data.table} has no {name} photos of two classes. Split it first with `skinapp split`."
            )


def copies_of_the_showcase(photos: pd.DataFrame, twins: pd.DataFrame | None) -> "pd.Series[bool]":
    """Mark the photos outside the showcase that show a picture of it; none where no twins are named."""
    showcase = (photos["split"] == "showcase").fillna(False)
    if twins is None:
        return showcase & False
    linked = linked_to(group_ids(photos, twins), showcase.to_numpy(bool))
    return pd.Series(linked, index=photos.index) & ~showcase


def _capped(photos: pd.DataFrame, part: "pd.Series[bool]", recipe: Recipe) -> pd.DataFrame:
    """Leave out the photos of a part, bool (n,), that are above the recipe's cap; those of the showcase stay."""
    if recipe.data.cap is None:
        return photos
    of_part = photos[part.fillna(False)]
    showcase = of_part.loc[of_part["split"] == "showcase", "image_id"]
    kept = cap_classes(of_part.reset_index(drop=True), recipe.data.cap, recipe.split.seed, showcase)["image_id"]
    dropped = part.fillna(False) & ~photos["image_id"].isin(kept)
    return photos[~dropped].reset_index(drop=True)


def _split(photos: pd.DataFrame, recipe: Recipe, twins: pd.DataFrame | None) -> pd.DataFrame:
    split = photos["split"].copy()
    if recipe.split.by == "table":
        drawn_from = (split == "train").fillna(False)
        if (split == "validation").any():
            return photos
    else:  # a photo of no split is drawn from like any other
        drawn_from = (split != "showcase").fillna(True)
        split[drawn_from] = "train"
    places = np.flatnonzero(drawn_from)
    if not len(places):
        return photos
    settings, part = recipe.split, photos.iloc[places]
    draw = drawn_places(
        part, truth_labels(part, recipe.task), settings.by, settings.validation_share, settings.seed, twins
    )
    split.iloc[places[draw]] = "validation"
    return photos.assign(split=split)


def squeezed_split(photos: pd.DataFrame, recipe: SqueezedRecipe, twins: pd.DataFrame | None) -> np.ndarray:
    """Return each photo's split, object (n,): "test", "validation", "train", "showcase", or "" for a twin of the last.

    Raises DatasetError where a part would be empty.
    """
    settings = recipe.split
    split = np.where((photos["split"] == "showcase").fillna(False), "showcase", "train").astype(object)
    split[copies_of_the_showcase(photos, twins).to_numpy(bool)] = ""
    for name, share in (("test", settings.test_share), ("validation", settings.validation_share)):
        places = np.flatnonzero(split == "train")
        if len(places) < 2:
            raise DatasetError(f"{recipe.data.table} has too few photos to draw a {name} part. Name a larger table.")
        part = photos.iloc[places]
        drawn = drawn_places(part, part["diagnosis"], settings.by, share, settings.seed, twins)
        split[places[drawn]] = name
    return split


def drawn_places(
    photos: pd.DataFrame,
    truth: "pd.Series[str]",
    by: By,
    share: float,
    seed: int,
    twins: pd.DataFrame | None = None,
) -> np.ndarray:
    """Draw a share (0 to 1) of photos by photo, by photo within each class ("class", "table"), or by lesion.

    Returns their places in `photos`, int (m,). Photos of one lesion, one file or one picture (`twins`) stay together
    when drawn by lesion; then the share is one of the lesions.
    """
    if by == "lesion":
        draw = GroupShuffleSplit(1, test_size=share, random_state=seed)
        return next(draw.split(photos, groups=group_ids(photos, twins)))[1]  # type: ignore[no-any-return]
    if by == "photo":
        return next(ShuffleSplit(1, test_size=share, random_state=seed).split(photos))[1]  # type: ignore[no-any-return]
    stratified = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
    return next(stratified.split(photos, truth))[1]  # type: ignore[no-any-return]
