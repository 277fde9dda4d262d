"""The assessment of one photo: malignancy and lesion-type scores, the threshold and the hashes of the weights."""

from dataclasses import dataclass
from math import isfinite

from skinapp.errors import PhotoError
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
    """One photo with its scores and the hashes of the weights that gave them.

    `sha256`, `width` and `height` (px) are the photo's. `threshold` is the malignancy score (0 to 1) of the operating
    point at SHOWN_SENSITIVITY, or None where the card has none.
    """

    sha256: str
    width: int
    height: int
    notes: tuple[str, ...]
    malignancy: Scores
    lesion_type: Scores
    malignancy_weights: str
    lesion_type_weights: str
    threshold: float | None = None

    @property
    def malignant_score(self) -> float:
        """The score for malignant, 0 to 1."""
        return self.malignancy.score_of(MALIGNANT)

    @property
    def above_threshold(self) -> bool | None:
        """Whether the score for malignant is at least the threshold; None without a threshold."""
        return None if self.threshold is None else self.malignant_score >= self.threshold
