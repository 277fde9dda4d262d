"""One photo's answers: the scores of both questions, the threshold, and which weights gave them."""

from dataclasses import dataclass

from skinapp.taxonomy import MALIGNANT


@dataclass(frozen=True)
class Scores:
    """A network's probabilities: classes and values (each 0..1, together 1) in the model's order."""

    classes: tuple[str, ...]
    values: tuple[float, ...]

    def of(self, label: str) -> float:
        """Return the score of one class; ValueError where the model does not know it."""
        return self.values[self.classes.index(label)]

    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Return (class, score) pairs, highest first."""
        return tuple(sorted(zip(self.classes, self.values, strict=True), key=lambda pair: -pair[1]))


@dataclass(frozen=True)
class Assessment:
    """One photo's answers: which photo, the scores, and the hashes of the weights that gave them.

    `threshold` is the malignancy score (0 to 1) of the operating point at SHOWN_SENSITIVITY, or None.
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
    def malignant(self) -> float:
        """The malignancy score for malignant, 0..1."""
        return self.malignancy.of(MALIGNANT)

    @property
    def above(self) -> bool | None:
        """Whether the malignancy score is at least the threshold; None without one."""
        return None if self.threshold is None else self.malignant >= self.threshold
