"""A metric with its 95% interval."""

from dataclasses import dataclass

import numpy as np

from skinapp.formatting import format_estimate

REPLICATES = 1000
"""Bootstrap replicates of an interval."""

SEED = 1979


@dataclass(frozen=True)
class Estimate:
    """The value of a metric and the ends of its 95% interval; NaN where undefined."""

    value: float
    low: float
    high: float

    def format(self, digits: int = 3) -> str:
        """Return the text "0.918 (0.899 to 0.931)", or a dash if the value is undefined."""
        return format_estimate(self, f".{digits}f")


def estimate_proportion(part: int, whole: int, method: str = "exact") -> Estimate:
    """Return the share part / whole with its 95% interval; NaN if whole is 0.

    `method` is "exact" (Clopper and Pearson, 1934) or "wilson" (Wilson, 1927). Both assume independent photos: use them
    only for photos of different lesions.
    """
    if not whole:
        return Estimate(np.nan, np.nan, np.nan)
    from scipy.stats import binomtest  # scipy.stats takes a second to import, and --help does not need it

    interval = binomtest(part, whole).proportion_ci(0.95, method=method)
    return Estimate(part / whole, float(interval.low), float(interval.high))
