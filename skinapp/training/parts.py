"""Image table + recipe -> who is trained on, who validates, who is only looked at in the end."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

from skinapp.datasets.splits import group_ids
from skinapp.datasets.table import truth_labels
from skinapp.errors import DatasetError
from skinapp.training.recipe import Recipe, Split


def parted(table: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Return the photos that a recipe uses: labels as it names them, its classes alone, split as it asks.

    Raises DatasetError where training or validation would hold fewer than two classes.
    """
    labelled = table.assign(diagnosis=table["diagnosis"].replace(recipe.data.relabel))
    # A malignancy model asks for benign or malignant; its table may tell that without telling the diagnosis.
    used = labelled["malignant"].notna() if recipe.role == "malignancy" else labelled["diagnosis"].isin(recipe.classes)
    photos = _split(labelled[used].reset_index(drop=True), recipe)
    for name in ("train", "validation"):
        if truth_labels(photos[photos["split"] == name], recipe.role).nunique() < 2:
            raise DatasetError(
                f"{recipe.data.table} has no {name} photos of two classes. Split it first with `skinapp split`."
            )
    return photos


def _split(photos: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
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
    part = photos.iloc[places]
    chosen = _DRAWS[recipe.split.by](part, truth_labels(part, recipe.role), recipe.split)
    split.iloc[places[chosen]] = "validation"
    return photos.assign(split=split)


def _by_photo(photos: pd.DataFrame, truth: "pd.Series[str]", split: Split) -> np.ndarray:
    draw = ShuffleSplit(1, test_size=split.validation_share, random_state=split.seed)
    return next(draw.split(photos))[1]  # type: ignore[no-any-return]


def _by_class(photos: pd.DataFrame, truth: "pd.Series[str]", split: Split) -> np.ndarray:
    draw = StratifiedShuffleSplit(1, test_size=split.validation_share, random_state=split.seed)
    return next(draw.split(photos, truth))[1]  # type: ignore[no-any-return]


def _by_lesion(photos: pd.DataFrame, truth: "pd.Series[str]", split: Split) -> np.ndarray:
    draw = GroupShuffleSplit(1, test_size=split.validation_share, random_state=split.seed)
    return next(draw.split(photos, groups=group_ids(photos)))[1]  # type: ignore[no-any-return]


_DRAWS: dict[str, Callable[[pd.DataFrame, "pd.Series[str]", Split], np.ndarray]] = {
    "table": _by_class,
    "photo": _by_photo,
    "class": _by_class,
    "lesion": _by_lesion,
}
