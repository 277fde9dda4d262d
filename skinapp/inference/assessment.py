"""The assessment of one photo: its scores, what the checks found, the operating points and the weights' hashes."""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from skinapp.errors import PhotoError
from skinapp.inference.findings import Finding
from skinapp.models.card import OperatingPoint
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import MALIGNANT

NOT_ASSESSABLE = (
    "This photo cannot be assessed: the network's answer to it is no number. That is neither above nor below the "
    "threshold. Look at the photo, and at the model's folder if other photos fail too."
)


@dataclass(frozen=True)
class Scores:
    """The scores of one head: classes and values (each 0 to 1, summing to 1), in the model's order.

    PhotoError where a value is no finite number: NaN would read as below any threshold.
    """

    classes: tuple[str, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse values that are no numbers."""
        if not all(map(isfinite, self.values)):
            raise PhotoError(NOT_ASSESSABLE)

    def score_of(self, label: str) -> float:
        """Return the score of one class; ValueError where the model does not have it."""
        return self.values[self.classes.index(label)]

    def rank(self) -> tuple[tuple[str, float], ...]:
        """Return (class, score) pairs, the highest score first."""
        return tuple(sorted(zip(self.classes, self.values, strict=True), key=lambda pair: -pair[1]))


@dataclass(frozen=True)
class Assessment:
    """One photo with its scores, what the checks found, and the hashes of the weights that gave the scores.

    `sha256`, `width` and `height` (px) are the photo's. `operating_points` are those of the model's card. `in_scope`
    says whether the photo is dermoscopy of a lesion; None where the model has no check of it. `findings` are of the
    scope and of the quality. `conformal` holds the codes of the lesion types that the answer is among, the likeliest
    first; None where the model has no such sets. `maps`, float32 (d, h, w), are the last feature maps of the evidence
    network; None where they were not kept.
    """

    sha256: str
    width: int
    height: int
    notes: tuple[str, ...]
    malignancy: Scores
    lesion_type: Scores
    malignancy_weights: str
    lesion_type_weights: str
    operating_points: tuple[OperatingPoint, ...] = ()
    in_scope: bool | None = None
    findings: tuple[Finding, ...] = ()
    conformal: tuple[str, ...] | None = None
    maps: np.ndarray | None = field(default=None, compare=False, repr=False)

    @property
    def malignant_score(self) -> float:
        """The score for malignant, 0 to 1."""
        return self.malignancy.score_of(MALIGNANT)

    @property
    def threshold(self) -> float | None:
        """The malignancy threshold, 0 to 1, at SHOWN_SENSITIVITY; None without one."""
        return self.find_threshold(SHOWN_SENSITIVITY)

    @property
    def above_threshold(self) -> bool | None:
        """Whether the score for malignant is at least the threshold at SHOWN_SENSITIVITY; None without one."""
        return None if self.threshold is None else self.malignant_score >= self.threshold

    def find_threshold(self, sensitivity: float) -> float | None:
        """Return the malignancy threshold, 0 to 1, of the operating point at a sensitivity; None without one."""
        return next((point.threshold for point in self.operating_points if point.sensitivity == sensitivity), None)
