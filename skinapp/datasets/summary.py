"""What a table holds, counted: photos, lesions, shares, sizes, measures and metadata of each class.

Lesions are those that a source names; a photo without a lesion_id counts for none. All counts take about
a tenth of a second or less for 400,000 photos.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.counting import (
    Coded,
    Codes,
    coded,
    coded_labels,
    coded_lesions,
    coded_splits,
    crossed,
    distinct,
)
from skinapp.datasets.measures import MEASURES

METADATA = ("age", "sex", "site", "camera", "confirmation")
"""What sources may state of a photo beside its label, and what `metadata_counts` counts."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

_DECADE, _OLD = 10, 100


@dataclass(frozen=True)
class DataHeadline:
    """A table in a few figures.

    `unlabelled` and `without_lesion` count photos. `largest_to_smallest` is the ratio of the photos of the largest
    class and of the smallest, `top_three_share` the share (0 to 1) of the three largest of all labelled photos,
    `malignant_share` that of malignant photos of those where it is known: NaN where there are none. `missing` is the
    share of the cells of METADATA that are not recorded.
    """

    photos: int
    lesions: int
    classes: int
    unlabelled: int
    largest_to_smallest: float
    top_three_share: float
    top_three: tuple[str, ...]
    missing: float
    malignant_share: float
    without_lesion: int


def labels(table: pd.DataFrame) -> "pd.Series[str]":
    """Return what each photo is labelled: its diagnosis, else "malignant" or "benign" where that is known, else NA."""
    of = coded_labels(table)
    return pd.Series(of.named.astype(object).reindex(of.codes).to_numpy(), index=table.index, dtype="string")


def headline(table: pd.DataFrame) -> DataHeadline:
    """Count what a reader must know first; see DataHeadline."""
    lesions = coded_lesions(table)
    counts = _class_counts(coded_labels(table), lesions)
    photos, labelled = len(table), int(counts["photos"].sum())
    known = table["malignant"].dropna()
    return DataHeadline(
        photos=photos,
        lesions=int(lesions.max(initial=-1)) + 1,
        classes=len(counts),
        unlabelled=photos - labelled,
        largest_to_smallest=imbalance(counts["photos"]),
        top_three_share=float(counts["share"].head(3).sum()) if labelled else math.nan,
        top_three=tuple(counts["diagnosis"].head(3)),
        missing=float(table[list(METADATA)].isna().to_numpy().mean()) if photos else math.nan,
        malignant_share=float(known.mean()) if len(known) else math.nan,
        without_lesion=int((lesions < 0).sum()),
    )


def class_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each label (see `labels`): columns diagnosis, photos, lesions, share, most first.

    share (0 to 1) is that of the labelled photos. Photos without a label are not among them; `headline` counts those.
    """
    return _class_counts(coded_labels(table), coded_lesions(table))


def _class_counts(label: Coded, lesions: Codes) -> pd.DataFrame:
    known = label.codes[label.codes >= 0]
    photos = np.bincount(known, minlength=len(label.names))
    counts = pd.DataFrame({"diagnosis": label.named, "photos": photos})
    counts["lesions"] = distinct(label.codes, len(label.names), lesions)
    counts["share"] = counts["photos"] / max(1, len(known))
    return counts.sort_values(["photos", "diagnosis"], ascending=[False, True], ignore_index=True)


def imbalance(photos: "pd.Series[int]") -> float:
    """Return how many times the largest class outnumbers the smallest that has a photo; NaN where none has one."""
    some = photos[photos > 0]
    return float(some.max() / some.min()) if len(some) else math.nan


def class_counts_by_split(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each label in each split: columns diagnosis, split, photos, lesions.

    Largest class first, splits in the order of SPLITS, photos of no split (NA) last; pairs without a photo are left
    out.
    """
    label, split = coded_labels(table), coded_splits(table).whole()
    shape = len(label.names), len(split.names)
    cells = np.where(label.codes < 0, -1, label.codes * shape[1] + split.codes)
    photos = np.bincount(cells[cells >= 0], minlength=math.prod(shape)).reshape(shape)
    lesions = distinct(cells, math.prod(shape), coded_lesions(table)).reshape(shape)
    rows = _most_first(photos.sum(axis=1), label)
    counts = _pairs(label, rows, split, np.arange(shape[1]), ("diagnosis", "split"))
    counts = counts.assign(photos=photos[rows].ravel(), lesions=lesions[rows].ravel())
    return counts[counts["photos"] > 0].reset_index(drop=True)


def capped_counts(table: pd.DataFrame, cap: int) -> pd.DataFrame:
    """Count what a cap a class would leave: columns diagnosis, before, after, left_out (photos), largest class first.

    A cap that keeps lesions whole may leave a few photos less. ValueError for a cap below 1.
    """
    if cap < 1:
        raise ValueError(f"A cap of {cap} leaves no photo. Choose 1 or more.")
    counts = class_counts(table)
    after = counts["photos"].clip(upper=cap)
    return pd.DataFrame(
        {
            "diagnosis": counts["diagnosis"],
            "before": counts["photos"],
            "after": after,
            "left_out": counts["photos"] - after,
        }
    )


def size_counts(table: pd.DataFrame, stored: bool = False) -> pd.DataFrame:
    """Count photos of each size: columns source, width, height, photos.

    `stored` counts the files that were read; otherwise the sizes as published, NA where no source says.
    """
    width, height = ("stored_width", "stored_height") if stored else ("width", "height")
    sizes = table[["source", width, height]].set_axis(["source", "width", "height"], axis=1)
    return (
        sizes.groupby(["source", "width", "height"], as_index=False, dropna=False, observed=True)
        .size()
        .rename(columns={"size": "photos"})
    )


def split_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each split: columns split, photos, lesions, malignant (photos)."""
    return table.groupby("split", as_index=False, observed=True).agg(
        photos=("image_id", "size"), lesions=("lesion_id", "nunique"), malignant=("malignant", "sum")
    )


def measure_quantiles(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Say where a measure lies in each class, and how well it alone tells that class from all others.

    Columns label (NA last: photos without one), photos, q05, q25, q50, q75, q95 (in the measure's unit) and auroc: the
    chance that a photo of the class has a larger value than one of the others (Hanley and McNeil 1982; ties count
    half), so 0.5 tells nothing, and 0 and 1 tell all. NaN where there are no others. Sorted by the median, least
    first. ValueError for a name that is none of MEASURES.
    """
    if measure not in MEASURES:
        raise ValueError(f"{measure} is not measured. Choose one of {', '.join(MEASURES)}.")
    values = table[measure].to_numpy(dtype=np.float32, na_value=np.nan)
    label = coded_labels(table).whole()
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    values, codes = values[order], label.codes[order]
    ranks = _ranks(values)
    rows = [_spread(values[codes == code], ranks[codes == code], len(values)) for code in range(len(label.names))]
    frame = pd.DataFrame(rows, columns=["photos", *QUANTILES, "auroc"])
    frame.insert(0, "label", label.named)
    frame = frame[frame["photos"] > 0].sort_values("q50", kind="stable")
    return frame.sort_values("label", key=lambda names: names.isna(), kind="stable", ignore_index=True)


def metadata_counts(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count photos of each label and value of a column of METADATA: columns label, value, photos.

    A row each pair, 0 photos among them: labels as in `class_counts`, then NA for photos without one; values the most
    frequent first, ages in decades ("40–49") the youngest first, then NA for what is not recorded. ValueError for
    another column.
    """
    if column not in METADATA:
        raise ValueError(f"{column} is not counted by class. Choose one of {', '.join(METADATA)}.")
    label = coded_labels(table).whole()
    value = (_decades(table["age"]) if column == "age" else coded(table[column])).whole()
    photos = crossed(label.codes, len(label.names), value.codes, len(value.names))
    rows = _most_first(photos.sum(axis=1), label)
    columns = np.arange(len(value.names)) if column == "age" else _most_first(photos.sum(axis=0), value)
    return _pairs(label, rows, value, columns, ("label", "value")).assign(photos=photos[np.ix_(rows, columns)].ravel())


def _pairs(first: Coded, rows: Codes, second: Coded, columns: Codes, names: tuple[str, str]) -> pd.DataFrame:
    """Name each pair of a row and a column, row by row."""
    sides = [[first.names[row] for row in rows], [second.names[column] for column in columns]]
    return pd.DataFrame(itertools.product(*sides), columns=list(names), dtype="string")


def _most_first(photos: npt.NDArray[np.int64], of: Coded) -> Codes:
    return np.lexsort((np.arange(len(photos)), -photos, np.array([name is None for name in of.names])))


def _decades(age: "pd.Series[float]") -> Coded:
    years = age.to_numpy(dtype=float, na_value=np.nan)
    known = (years >= 0) & np.isfinite(years)
    codes = np.where(known, np.clip(np.nan_to_num(years), 0, _OLD) // _DECADE, -1).astype(np.intp)
    starts = range(0, _DECADE * (int(codes.max(initial=-1)) + 1), _DECADE)
    return Coded(codes, tuple(f"{start}+" if start == _OLD else f"{start}–{start + _DECADE - 1}" for start in starts))


def _ranks(ordered: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Rank sorted values from 1, equal ones by their mean."""
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1) + 1 if len(ordered) else np.array([], int)
    counts = np.diff(ends, prepend=0)
    return np.repeat(ends - (counts - 1) / 2, counts)


def _spread(values: npt.NDArray[np.float32], ranks: npt.NDArray[np.float64], n: int) -> tuple[float, ...]:
    """Return count, quantiles and AUROC of one class: its sorted values and their ranks among all n."""
    mine, others = len(values), n - len(values)
    if not mine:
        return (0, *[math.nan] * (len(QUANTILES) + 1))
    auroc = (ranks.sum() - mine * (mine + 1) / 2) / (mine * others) if others else math.nan
    return (mine, *np.quantile(values, list(QUANTILES.values())), auroc)
