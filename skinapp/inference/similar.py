"""Similar cases: the training photos whose features are nearest to those of a photo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:  # brings torch, which comparing needs not
    from skinapp.networks.reference import ReferenceBank

Floats = npt.NDArray[np.floating]

CASES = 6
"""Cases that are shown."""


@dataclass(frozen=True)
class SimilarCase:
    """A training photo near to a photo: its id, diagnosis (a code), how that was confirmed, and the cosine of both.

    `confirmation` is None where it is unknown. `similarity` is 0 to 1, because features are not negative.
    """

    image_id: str
    diagnosis: str
    confirmation: str | None
    similarity: float


def find_similar(
    features: npt.NDArray[np.floating], bank: "ReferenceBank", most: int = CASES
) -> tuple[SimilarCase, ...]:
    """Return the cases of a bank nearest to features (d,), the nearest first, one photo of each lesion."""
    similarity = compute_similarity(features[None], bank.features)[0]
    nearest = bank.cases.assign(similarity=similarity).sort_values("similarity", ascending=False, kind="stable")
    return tuple(
        SimilarCase(
            image_id=str(row["image_id"]),
            diagnosis=str(row["diagnosis"]),
            confirmation=None if pd.isna(row["confirmation"]) else str(row["confirmation"]),
            similarity=float(row["similarity"]),
        )
        for row in nearest.drop_duplicates("lesion_id").head(most).to_dict("records")
    )


def compute_similarity(features: npt.NDArray[np.floating], others: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return the cosine of each pair of features, float32 (n, m), from (n, d) and (m, d); 0 where one is all zeros."""
    cosine: npt.NDArray[np.float32] = _to_unit_length(features) @ _to_unit_length(others).T
    return cosine


def _to_unit_length(features: Floats) -> npt.NDArray[np.float32]:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    scaled = np.zeros(features.shape, np.float32)
    np.divide(features, length, out=scaled, where=length > 0)
    return scaled
