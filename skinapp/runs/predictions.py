"""What a model predicted for photos whose truth is known: every figure of a run is computed from this."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.table import group_photos
from skinapp.metrics.classification import Flags, malignant_mask
from skinapp.runs.lookup import find_indices

SUM_TOLERANCE = 1e-3
"""How far a row's probabilities may be from adding up to 1: room for half precision, not for a bug."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of one model for n photos and k classes.

    `name` is what error messages call them, `classes` are the labels in the order of the model's outputs. `frame` has
    one row per photo: image_id, lesion_id and truth (str; truth is one of `classes`), perhaps patient_id, and one
    float32 or float64 column `p_<class>` for each class. A row's probabilities add up to 1 within SUM_TOLERANCE.

    `stated` tells of classes outside the taxonomy whether they are malignant: published ones, and those of which their
    owner said so. `numbered` is true where the photos had no ids: their image_id is then the number of a row, which
    means nothing in other predictions.
    """

    name: str
    classes: tuple[str, ...]
    frame: pd.DataFrame
    stated: Mapping[str, bool] = field(default_factory=dict, kw_only=True)
    numbered: bool = field(default=False, kw_only=True)

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the predicted probabilities, (n, k) float64 in 0 to 1: one row per photo, one column per class."""
        return self.frame[probability_columns(self.classes)].to_numpy(dtype=np.float64)

    def truth_index(self) -> npt.NDArray[np.intp]:
        """Return the index of each photo's truth in `classes`, (n,), in 0 to k - 1."""
        return find_indices(self.frame["truth"], pd.Series(self.classes))

    def lesion_index(self) -> npt.NDArray[np.intp]:
        """Return the index of the group that each photo is drawn with, (n,), from 0, in order of appearance.

        That is its patient where the frame names one, else its lesion: photos of one patient are not independent.
        """
        named = "patient_id" in self.frame.columns and self.frame["patient_id"].notna().any()
        return pd.factorize(group_photos(self.frame) if named else self.frame["lesion_id"])[0]

    def malignant_classes(self) -> Flags | None:
        """Return which classes are malignant, (k,) bool; None where one of them is neither known nor stated."""
        return malignant_mask(self.classes, self.stated)

    def rescored(self, frame: pd.DataFrame, classes: tuple[str, ...]) -> Self:
        """Return the same predictions with changed probabilities or classes."""
        return replace(self, frame=frame, classes=classes)


def probability_columns(classes: tuple[str, ...]) -> list[str]:
    """Return the names of the columns that hold the probabilities, in the order of the classes."""
    return [f"p_{label}" for label in classes]
