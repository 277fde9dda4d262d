"""The scope gate: is a picture dermoscopy of a lesion? On any other picture the network's answer means nothing.

A picture is described by the mean and the spread of each channel after the network's first three blocks. Two measures
are added. One is the distance to photos inside the scope: what is left of the description after its projection on the
main directions of theirs. It needs no example of what is outside; it is the residual of ViM (Wang et al. 2022,
doi:10.1109/CVPR52688.2022.00487), here of earlier blocks. The other is a logistic regression between these photos and
pictures outside. The heads' scores take no part: a network is as sure of a car as of a nevus.

`skinapp gate` fits the numbers; no torch is imported here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skinapp.inference.findings import Finding

Values = npt.NDArray[np.floating]

OUT_OF_SCOPE = Finding(
    "scope",
    "This does not look like a dermoscopy photo of a skin lesion.",
    "Take a photo through a dermatoscope placed on the skin, with the lesion in the centre.",
    "refuses",
)

FLOOR = 0.05
"""Added before the logarithm: a channel that sees nothing has a mean of 0."""


@dataclass(frozen=True)
class ScopeAnswer:
    """Whether a photo is inside the scope.

    `distance` is how far it is from photos inside, in standard deviations of theirs; 0 is the limit, and beyond it the
    photo is refused with `finding`.
    """

    in_scope: bool
    distance: float
    finding: Finding | None


@dataclass(frozen=True, eq=False)
class ScopeGate:
    """The fitted numbers of a gate, for descriptions of m numbers.

    `centre` and `spread` (m,) standardise a description; `directions` (m, k) are orthonormal; `weights` (m,) are those
    of the logistic regression, whose value counts as `floor` at least: however sure the regression is of a picture
    unlike all that it was fitted on, that does not make up for its distance. `residual_weight` and `offset` join both
    so that 0 is the limit.
    """

    centre: Values
    spread: Values
    directions: Values
    weights: Values
    residual_weight: float
    floor: float
    offset: float

    def measure(self, early: Values) -> Values:
        """Return how far pictures are from the scope, (n,), from their early statistics (n, m); above 0 is outside.

        A picture with a statistic that is no finite number is infinitely far.
        """
        with np.errstate(invalid="ignore"):
            standard = standardise(early, self.centre, self.spread)
            residual = measure_residual(standard, self.directions)
            likely = np.maximum(standard @ self.weights, self.floor)
            distance = self.residual_weight * np.log(residual) + likely + self.offset
        return np.where(np.isfinite(distance), distance, np.inf)

    def check(self, early: Values) -> list[ScopeAnswer]:
        """Return the answer for each picture, from the early statistics (n, m) of networks.classifier.Observed."""
        return [
            ScopeAnswer(distance <= 0, distance, None if distance <= 0 else OUT_OF_SCOPE)
            for distance in map(float, self.measure(early))  # NumPy's own False is not False
        ]


def standardise(early: Values, centre: Values, spread: Values) -> Values:
    """Return descriptions (n, m) from early statistics (n, m): their logarithms, in standard deviations of photos."""
    return (np.log(np.maximum(early, 0) + FLOOR) - centre) / spread


def measure_residual(standard: Values, directions: Values) -> Values:
    """Return the root mean square, (n,), of what descriptions (n, m) have outside the directions (m, k)."""
    left = standard - (standard @ directions) @ directions.T
    residual: Values = np.sqrt(np.mean(left**2, axis=1))
    return residual
