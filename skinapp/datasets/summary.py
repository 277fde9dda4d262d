"""Counts of what a table holds: photos, lesions, shares, sizes, measures and metadata of each class.

A photo without a lesion_id counts for no lesion. Every count takes about a tenth of a second or less for 400,000
photos.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.encoding import (
    Codes,
    EncodedColumn,
    count_distinct,
    count_pairs,
    encode,
    encode_labels,
    encode_lesions,
    encode_splits,
)
from skinapp.datasets.measures import MEASURES

METADATA = ("age", "sex", "site", "camera", "confirmation")
"""Columns with facts about a photo beside its label, which `count_metadata` can count."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

_DECADE, _OLDEST_DECADE = 10, 100


@dataclass(frozen=True)
class DataHeadline:
    """The key figures of a table.

    `unlabelled` and `without_lesion` count photos. `largest_to_smallest` is the number of photos of the largest class
    divided by that of the smallest. `top_three_share` (0 to 1) is the share of the three largest classes among the
    labelled photos, `malignant_share` that of malignant photos among those with known malignancy. All three are NaN if
    there are no such photos. `missing` is the share of empty cells in the columns of METADATA.
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


def get_labels(table: pd.DataFrame) -> "pd.Series[str]":
    """Return each photo's label: its diagnosis, else "malignant" or "benign" if that is known, else NA."""
    label = encode_labels(table)
    return pd.Series(
        label.names_column.astype(object).reindex(label.codes).to_numpy(), index=table.index, dtype="string"
    )


def compute_headline(table: pd.DataFrame) -> DataHeadline:
    """Compute the key figures of a table; see DataHeadline."""
    lesions = encode_lesions(table)
    counts = _count_classes(encode_labels(table), lesions)
    photos, labelled = len(table), int(counts["photos"].sum())
    known = table["malignant"].dropna()
    return DataHeadline(
        photos=photos,
        lesions=int(lesions.max(initial=-1)) + 1,
        classes=len(counts),
        unlabelled=photos - labelled,
        largest_to_smallest=compute_imbalance(counts["photos"]),
        top_three_share=float(counts["share"].head(3).sum()) if labelled else math.nan,
        top_three=tuple(counts["diagnosis"].head(3)),
        missing=float(table[list(METADATA)].isna().to_numpy().mean()) if photos else math.nan,
        malignant_share=float(known.mean()) if len(known) else math.nan,
        without_lesion=int((lesions < 0).sum()),
    )


def count_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each label (see `get_labels`), most photos first.

    Columns diagnosis, photos, lesions and share (0 to 1, of the labelled photos). Photos without a label are not
    counted here; `compute_headline` counts them.
    """
    return _count_classes(encode_labels(table), encode_lesions(table))


def _count_classes(label: EncodedColumn, lesions: Codes) -> pd.DataFrame:
    known = label.codes[label.codes >= 0]
    photos = np.bincount(known, minlength=len(label.names))
    counts = pd.DataFrame({"diagnosis": label.names_column, "photos": photos})
    counts["lesions"] = count_distinct(label.codes, len(label.names), lesions)
    counts["share"] = counts["photos"] / max(1, len(known))
    return counts.sort_values(["photos", "diagnosis"], ascending=[False, True], ignore_index=True)


def compute_imbalance(photos: "pd.Series[int]") -> float:
    """Divide the photos of the largest class by those of the smallest that has any; NaN if no class has photos."""
    present = photos[photos > 0]
    return float(present.max() / present.min()) if len(present) else math.nan


def count_classes_by_split(table: pd.DataFrame) -> pd.DataFrame:
    """Count photos and lesions of each label in each split: columns diagnosis, split, photos, lesions.

    Largest class first, splits in the order of SPLITS, photos without a split (NA) last. Pairs without photos are
    omitted.
    """
    label, split = encode_labels(table), encode_splits(table).name_missing()
    shape = len(label.names), len(split.names)
    cells = np.where(label.codes < 0, -1, label.codes * shape[1] + split.codes)
    photos = np.bincount(cells[cells >= 0], minlength=math.prod(shape)).reshape(shape)
    lesions = count_distinct(cells, math.prod(shape), encode_lesions(table)).reshape(shape)
    rows = _order_by_photos(photos.sum(axis=1), label)
    counts = _list_pairs(label, rows, split, np.arange(shape[1]), ("diagnosis", "split"))
    counts = counts.assign(photos=photos[rows].ravel(), lesions=lesions[rows].ravel())
    return counts[counts["photos"] > 0].reset_index(drop=True)


def count_capped(table: pd.DataFrame, cap: int) -> pd.DataFrame:
    """Count the photos a cap per class would keep: columns diagnosis, before, after, left_out, largest class first.

    A cap that keeps lesions whole may keep a few photos fewer. ValueError for a cap below 1.
    """
    if cap < 1:
        raise ValueError(f"A cap of {cap} leaves no photo. Choose 1 or more.")
    counts = count_classes(table)
    after = counts["photos"].clip(upper=cap)
    return pd.DataFrame(
        {
            "diagnosis": counts["diagnosis"],
            "before": counts["photos"],
            "after": after,
            "left_out": counts["photos"] - after,
        }
    )


def count_sizes(table: pd.DataFrame, stored: bool = False) -> pd.DataFrame:
    """Count photos of each size: columns source, width, height, photos.

    Sizes are those of the stored files if `stored`, else those published, NA where the source does not say.
    """
    width, height = ("stored_width", "stored_height") if stored else ("width", "height")
    sizes = table[["source", width, height]].set_axis(["source", "width", "height"], axis=1)
    return (
        sizes.groupby(["source", "width", "height"], as_index=False, dropna=False, observed=True)
        .size()
        .rename(columns={"size": "photos"})
    )


def count_splits(table: pd.DataFrame) -> pd.DataFrame:
    """Count each split: columns split, photos, lesions and malignant (photos)."""
    return table.groupby("split", as_index=False, observed=True).agg(
        photos=("image_id", "size"), lesions=("lesion_id", "nunique"), malignant=("malignant", "sum")
    )


def compute_measure_quantiles(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Compute quantiles of a measure in each class, and how well it alone separates the class from all others.

    Columns label (NA last: photos without one), photos, q05, q25, q50, q75, q95 (in the measure's unit) and auroc: the
    chance that a photo of the class has a larger value than a photo of the others (Hanley and McNeil 1982; ties count
    half). 0.5 is no separation, 0 or 1 is complete separation, NaN means there are no others. Sorted by the median,
    smallest first. ValueError for a name that is not in MEASURES.
    """
    if measure not in MEASURES:
        raise ValueError(f"{measure} is not measured. Choose one of {', '.join(MEASURES)}.")
    values = table[measure].to_numpy(dtype=np.float32, na_value=np.nan)
    label = encode_labels(table).name_missing()
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    values, codes = values[order], label.codes[order]
    ranks = _compute_ranks(values)
    rows = [
        _summarize_class(values[codes == code], ranks[codes == code], len(values)) for code in range(len(label.names))
    ]
    frame = pd.DataFrame(rows, columns=["photos", *QUANTILES, "auroc"])
    frame.insert(0, "label", label.names_column)
    frame = frame[frame["photos"] > 0].sort_values("q50", kind="stable")
    return frame.sort_values("label", key=lambda names: names.isna(), kind="stable", ignore_index=True)


def count_metadata(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count photos of each label and value of a column of METADATA: columns label, value, photos.

    One row per pair, also with 0 photos. Labels are as in `count_classes`, then NA for photos without one. Values are
    sorted by frequency, ages in decades ("40–49") from the youngest, then NA for "not recorded". ValueError for a
    column that is not in METADATA.
    """
    if column not in METADATA:
        raise ValueError(f"{column} is not counted by class. Choose one of {', '.join(METADATA)}.")
    label = encode_labels(table).name_missing()
    value = (_encode_decades(table["age"]) if column == "age" else encode(table[column])).name_missing()
    photos = count_pairs(label.codes, len(label.names), value.codes, len(value.names))
    rows = _order_by_photos(photos.sum(axis=1), label)
    columns = np.arange(len(value.names)) if column == "age" else _order_by_photos(photos.sum(axis=0), value)
    return _list_pairs(label, rows, value, columns, ("label", "value")).assign(
        photos=photos[np.ix_(rows, columns)].ravel()
    )


def _list_pairs(
    first: EncodedColumn, rows: Codes, second: EncodedColumn, columns: Codes, names: tuple[str, str]
) -> pd.DataFrame:
    """List the names of every pair of a row and a column, row by row."""
    sides = [[first.names[row] for row in rows], [second.names[column] for column in columns]]
    return pd.DataFrame(itertools.product(*sides), columns=list(names), dtype="string")


def _order_by_photos(photos: npt.NDArray[np.int64], column: EncodedColumn) -> Codes:
    """Return the codes of a column, most photos first, missing values last."""
    return np.lexsort((np.arange(len(photos)), -photos, np.array([name is None for name in column.names])))


def _encode_decades(age: "pd.Series[float]") -> EncodedColumn:
    years = age.to_numpy(dtype=float, na_value=np.nan)
    known = (years >= 0) & np.isfinite(years)
    codes = np.where(known, np.clip(np.nan_to_num(years), 0, _OLDEST_DECADE) // _DECADE, -1).astype(np.intp)
    starts = range(0, _DECADE * (int(codes.max(initial=-1)) + 1), _DECADE)
    return EncodedColumn(
        codes, tuple(f"{start}+" if start == _OLDEST_DECADE else f"{start}–{start + _DECADE - 1}" for start in starts)
    )


def _compute_ranks(ordered: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Rank sorted values from 1; equal values get their mean rank."""
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1) + 1 if len(ordered) else np.array([], int)
    counts = np.diff(ends, prepend=0)
    return np.repeat(ends - (counts - 1) / 2, counts)


def _summarize_class(values: npt.NDArray[np.float32], ranks: npt.NDArray[np.float64], n: int) -> tuple[float, ...]:
    """Return count, quantiles and AUROC of a class, from its sorted values and their ranks among all n."""
    count, others = len(values), n - len(values)
    if not count:
        return (0, *[math.nan] * (len(QUANTILES) + 1))
    auroc = (ranks.sum() - count * (count + 1) / 2) / (count * others) if others else math.nan
    return (count, *np.quantile(values, list(QUANTILES.values())), auroc)
