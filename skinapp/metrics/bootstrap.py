"""Bootstrap over lesions for metrics made of counts: fast enough for a slider.

Photos of one lesion resemble each other, so a lesion is drawn with all its photos. Lesions with the same counts are
interchangeable: one multinomial draw says how often each kind of lesion was drawn, with the same distribution as
drawing lesion by lesion. So 400,000 photos cost no more than a few hundred.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from skinapp.metrics.classification import ClassIndex, Flags, Floats
from skinapp.metrics.ranking import sort_scores

PERCENTILES = (2.5, 97.5)

_MOST_BINS = 4000
"""An AUROC replicate uses at most this many bins of the score, which moves it by less than 0.0001."""

_MOST_NUMBERS = 5_000_000
"""Numbers in memory at once, replicates times lesions or times columns: 40 MB, a few times that while in use."""


def sum_by_lesion(values: Floats, lesion: ClassIndex) -> Floats:
    """Return the sum of each lesion's rows, (lesions, m); values (n, m), lesion (n,) indices 0 to lesions - 1."""
    lesions = int(lesion.max()) + 1 if len(lesion) else 0
    return np.stack([np.bincount(lesion, weights=column, minlength=lesions) for column in values.T], axis=1)


def draw_replicate_sums(sums: Floats, replicates: int, seed: int) -> Floats:
    """Draw all lesions with replacement and return the sums of their rows, (replicates, m).

    `sums` has one row per lesion, (lesions, m), as `sum_by_lesion` returns it. The same seed gives the same draws.
    """
    kinds = pd.DataFrame(sums).value_counts(sort=False)
    rows = kinds.index.to_frame(index=False).to_numpy(dtype=np.float64)
    drawn = np.random.default_rng(seed).multinomial(len(sums), kinds.to_numpy() / len(sums), size=replicates)
    totals: Floats = drawn @ rows
    return totals


def percentile_interval(replicates: Floats) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of the defined replicates, (r,); NaN if all are undefined."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, PERCENTILES)
    return float(low), float(high)


def compute_rate_interval(
    part: Floats, whole: Floats, lesion: ClassIndex, replicates: int, seed: int
) -> tuple[float, float]:
    """Return the 95% interval of sum(part) / sum(whole) by bootstrap over lesions; part, whole and lesion (n,).

    For a rate of 0 or 1 all draws are equal, and the bootstrap interval would have no width. Then the interval is that
    of Clopper and Pearson (1934) for the number of lesions: 0.89 to 1 for 32 of 32.
    """
    sums = sum_by_lesion(np.stack([part, whole], axis=1), lesion)
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        return float("nan"), float("nan")
    exact_low = (PERCENTILES[0] / 100) ** (1 / len(sums))
    if sums[:, 0].sum() == sums[:, 1].sum():
        return float(exact_low), 1.0
    if sums[:, 0].sum() == 0:
        return 0.0, float(1 - exact_low)
    totals = draw_replicate_sums(sums, replicates, seed)
    return percentile_interval(totals[:, 0] / totals[:, 1])


def compute_mean_interval(values: Floats, lesion: ClassIndex, replicates: int, seed: int) -> tuple[float, float]:
    """Return the 95% interval of the mean of values, (n,), by bootstrap over lesions, (n,).

    Where every value is 0 or every one is 1, the interval is that of `compute_rate_interval`.
    """
    if values.max() <= 1 and values.min() >= 0:
        return compute_rate_interval(values, np.ones_like(values), lesion, replicates, seed)
    sums = sum_by_lesion(np.stack([values, np.ones_like(values)], axis=1), lesion)
    totals = draw_replicate_sums(sums, replicates, seed)
    return percentile_interval(totals[:, 0] / totals[:, 1])


def bootstrap_auroc(positive: Flags, scores: Floats, lesion: ClassIndex, replicates: int, seed: int) -> Floats:
    """Return the AUROC of each replicate, (replicates,); NaN for one without a positive or without a negative.

    More than _MOST_BINS different scores are put into bins, even by rank; scores in one bin count as ties.
    """
    column, bins = bin_scores(positive, scores)
    lesions = int(lesion.max()) + 1
    counts = csr_array((np.ones(len(scores)), (lesion, column)), shape=(lesions, 2 * bins))
    draws = draw_lesions(lesions, replicates, seed, 2 * bins)
    return np.concatenate([auroc_from_counts(times @ counts) for times in draws])


def bin_scores(positive: Flags, scores: Floats) -> tuple[ClassIndex, int]:
    """Return each photo's column of bin counts, (n,), and the number of bins.

    Positives take the columns 0 to bins - 1, lowest score first, negatives those from bins to 2 * bins - 1.
    """
    edges = sort_scores(positive, scores).pick_thresholds(_MOST_BINS)[::-1]
    index = np.searchsorted(edges, scores, "right") - 1
    return np.where(positive, index, len(edges) + index), len(edges)


def draw_lesions(lesions: int, replicates: int, seed: int, columns: int = 1) -> Iterator[Floats]:
    """Draw lesions with replacement and yield how often each was drawn, (r, lesions), a few replicates at a time.

    `columns` is the number of sums that the caller takes of each replicate: it bounds the memory. The same seed draws
    the same lesions, in batches of any size.
    """
    random, size = np.random.default_rng(seed), max(1, _MOST_NUMBERS // max(lesions, columns))
    for start in range(0, replicates, size):
        rows = min(size, replicates - start)
        drawn = random.integers(lesions, size=(rows, lesions)) + lesions * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * lesions)
        yield times.reshape(rows, lesions).astype(np.float64)


def auroc_from_counts(counts: Floats) -> Floats:
    """Return the AUROC, (r,), from counts by bin of the score, (r, 2 * bins), in the columns of `bin_scores`."""
    positives, negatives = np.split(counts, 2, axis=1)
    outscored = np.cumsum(negatives, axis=1) - negatives / 2
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    area: Floats = np.full(len(counts), np.nan)
    np.divide((positives * outscored).sum(axis=1), pairs, out=area, where=pairs > 0)
    return area
