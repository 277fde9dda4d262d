"""Drawing lesions with replacement, for figures that are made of counts: fast enough for a slider.

Photos of one lesion resemble each other, so a lesion is drawn with all its photos, as in intervals.py. Lesions with
the same counts are interchangeable: instead of each lesion, only how often each kind of lesion was drawn is drawn
(a multinomial draw, the same in distribution), so that 400,000 photos cost no more than a few hundred.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from skinapp.metrics.classification import ClassIndex, Flags, Floats
from skinapp.metrics.ranking import ranked

PERCENTILES = (2.5, 97.5)

_STEPS = 4000
"""Of more scores the replicates of an AUROC tell no more steps apart: it moves by less than 0.0001."""

_HELD = 5_000_000
"""Numbers held at once, replicates times lesions or times columns: 40 MB, and a few times that while they are used."""


def lesion_sums(values: Floats, lesion: ClassIndex) -> Floats:
    """Add up the rows of each lesion: values (n, m), lesion (n,) places 0 to lesions - 1, returns (lesions, m)."""
    lesions = int(lesion.max()) + 1 if len(lesion) else 0
    return np.stack([np.bincount(lesion, weights=column, minlength=lesions) for column in values.T], axis=1)


def replicate_sums(sums: Floats, replicates: int, seed: int) -> Floats:
    """Draw as many lesions as there are, with replacement, and add up their rows: (replicates, m).

    `sums` has a row a lesion, (lesions, m), as `lesion_sums` returns it. The same seed gives the same draws.
    """
    kinds = pd.DataFrame(sums).value_counts(sort=False)
    rows = kinds.index.to_frame(index=False).to_numpy(dtype=np.float64)
    drawn = np.random.default_rng(seed).multinomial(len(sums), kinds.to_numpy() / len(sums), size=replicates)
    totals: Floats = drawn @ rows
    return totals


def percentile_interval(replicates: Floats) -> tuple[float, float]:
    """Return the ends of the middle 95% of replicates, (r,), leaving out the undefined ones; NaN if all are."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, PERCENTILES)
    return float(low), float(high)


def rate_interval(part: Floats, whole: Floats, lesion: ClassIndex, replicates: int, seed: int) -> tuple[float, float]:
    """Return the 95% interval of sum(part) / sum(whole) over photos, by draws of lesions; part, whole and lesion (n,).

    Where every lesion fares alike all draws do, and a bootstrap would promise certainty: then the interval is that of
    Clopper and Pearson (1934) for as many lesions, 32 of 32 giving 0.89 to 1.
    """
    sums = lesion_sums(np.stack([part, whole], axis=1), lesion)
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        return float("nan"), float("nan")
    edge = PERCENTILES[0] / 100
    edge = edge ** (1 / len(sums))
    if sums[:, 0].sum() == sums[:, 1].sum():
        return float(edge), 1.0
    if sums[:, 0].sum() == 0:
        return 0.0, float(1 - edge)
    drawn = replicate_sums(sums, replicates, seed)
    return percentile_interval(drawn[:, 0] / drawn[:, 1])


def auroc_replicates(positive: Flags, scores: Floats, lesion: ClassIndex, replicates: int, seed: int) -> Floats:
    """Return the AUROC of each replicate, (replicates,); NaN where one holds no positive or no negative.

    Of more than _STEPS scores, those within one step, laid evenly by rank, count as ties.
    """
    column, steps = steps_of(positive, scores)
    lesions = int(lesion.max()) + 1
    counts = csr_array((np.ones(len(scores)), (lesion, column)), shape=(lesions, 2 * steps))
    return np.concatenate([areas(times @ counts) for times in draws(lesions, replicates, seed, 2 * steps)])


def steps_of(positive: Flags, scores: Floats) -> tuple[ClassIndex, int]:
    """Return each photo's step of the score, (n,), and how many steps there are; negatives are counted after these."""
    edges = ranked(positive, scores).thresholds(_STEPS)[::-1]
    step = np.searchsorted(edges, scores, "right") - 1
    return np.where(positive, step, len(edges) + step), len(edges)


def draws(lesions: int, replicates: int, seed: int, columns: int = 1) -> Iterator[Floats]:
    """Draw lesions with replacement, a few replicates at a time: how often each was drawn, (r, lesions).

    `columns` says how many sums will be taken of each replicate: memory stays bounded however many there are. The same
    seed draws the same lesions, however few at a time.
    """
    random, size = np.random.default_rng(seed), max(1, _HELD // max(lesions, columns))
    for start in range(0, replicates, size):
        rows = min(size, replicates - start)
        drawn = random.integers(lesions, size=(rows, lesions)) + lesions * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * lesions)
        yield times.reshape(rows, lesions).astype(np.float64)


def areas(counts: Floats) -> Floats:
    """Return the AUROC, (r,), of positives and then negatives counted by step of the score, (r, 2 * steps)."""
    positives, negatives = np.split(counts, 2, axis=1)
    outscored = np.cumsum(negatives, axis=1) - negatives / 2
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    area: Floats = np.full(len(counts), np.nan)
    np.divide((positives * outscored).sum(axis=1), pairs, out=area, where=pairs > 0)
    return area
