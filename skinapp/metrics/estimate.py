"""A figure with its 95% interval."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

REPLICATES = 1000


SEED = 1979


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95% interval; NaN where undefined."""

    value: float
    low: float
    high: float

    def in_words(self, digits: int = 3) -> str:
        """Write "0.918 (0.899 to 0.931)", or a dash for what is undefined."""
        if np.isnan(self.value):
            return "–"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def proportion(part: int, whole: int, method: str = "exact") -> Estimate:
    """Return a share with its 95% interval; NaN of none.

    `method` "exact" is Clopper and Pearson's (1934), "wilson" that of Wilson (1927). Photos are taken as independent:
    for photos of different lesions alone.
    """
    if not whole:
        return Estimate(np.nan, np.nan, np.nan)
    found = binomtest(part, whole).proportion_ci(0.95, method=method)
    return Estimate(part / whole, float(found.low), float(found.high))
