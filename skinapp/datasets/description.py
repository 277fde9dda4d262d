"""A table as a paper describes it: "Table 1" by split, and the flow of photos from the sources to the splits."""

from collections.abc import Iterable
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
    encode_malignancy,
    encode_splits,
)
from skinapp.formatting import format_share
from skinapp.taxonomy import get_class_name

ALL, NO_SPLIT = "all", "no split"
"""Columns of Table 1 beside the splits."""

NOT_RECORDED = "not recorded"
MAX_LEVELS = 20
"""Values of a characteristic with a row of their own in Table 1; rarer values share one row."""

SOURCE, KEPT, OUT, SPLIT = "source", "kept", "out", "split"
"""Kinds of steps in the flow: where photos come from, what remains, what is left out, the splits."""

SHOWCASE_REASON = "Examples for the app: not used for training or testing"
SHOWCASE_LESIONS_REASON = "Examples for the app and all photos of their lesions: not used for training or testing"
UNLABELLED_REASON = "No label: cannot be used for training or testing"
UNSPLIT_REASON = "No split: not used for training or testing"
NOT_DRAWN_REASON = "In a source, but not in this table"

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _SplitColumns:
    """The columns of Table 1: each photo's split as a code, the splits' names, and the photos in each and in all."""

    codes: Codes
    names: tuple[str, ...]
    totals: tuple[int, ...]

    @classmethod
    def from_splits(cls, split: EncodedColumn) -> "_SplitColumns":
        columns = split.name_missing() if split.names else split
        photos = np.bincount(columns.codes[columns.codes >= 0], minlength=len(columns.names))
        names = tuple(name or NO_SPLIT for name in columns.names)
        return cls(columns.codes, names, (*photos.tolist(), len(split.codes)))


_Lines = list[tuple[str, str, list[str]]]


def make_table_one(table: pd.DataFrame) -> pd.DataFrame:
    """Describe the photos of each split and of all, as strings ready to show.

    Columns are characteristic, level, the splits in the order of SPLITS ("no split" last; none if no photo has a
    split) and "all". Cells are photos with their share of the split, "1,348 (19%)"; lesions have no share, and age has
    its median and quartiles. "not recorded" is a level of its own; values beyond MAX_LEVELS share one.
    """
    split = _SplitColumns.from_splits(encode_splits(table))
    lines = [
        ("Photos", "", [f"{photos:,}" for photos in split.totals]),
        *_describe_lesions(encode_lesions(table), split),
        *_describe_ages(table["age"].to_numpy(dtype=float, na_value=np.nan), split),
    ]
    for column in ("sex", "site", "camera", "confirmation"):
        lines += _describe_levels(column.capitalize(), encode(table[column]), split)
    lines += _describe_levels("Diagnosis", encode(table["diagnosis"]), split)
    lines += _describe_levels("Malignancy", encode_malignancy(table), split)
    columns = ["characteristic", "level", *split.names, ALL]
    return pd.DataFrame([(name, level, *cells) for name, level, cells in lines], columns=columns, dtype="string")


def _format_counts(photos: list[int], split: _SplitColumns) -> list[str]:
    """Write the photos in each split and in all, with their share of it."""
    return [f"{count:,} ({format_share(count, total)})" for count, total in zip(photos, split.totals, strict=True)]


def _count_levels(codes: Codes, n: int, split: _SplitColumns) -> npt.NDArray[np.int64]:
    """Count the photos of each code in each split and in all: (n, splits + 1)."""
    counts = count_pairs(codes, n, split.codes, len(split.names))
    # With splits, every photo has a column (perhaps "no split"); without, there are no columns to sum.
    everywhere = counts.sum(axis=1) if split.names else np.bincount(codes[codes >= 0], minlength=n)
    return np.column_stack([counts, everywhere])


def _describe_lesions(lesions: Codes, split: _SplitColumns) -> _Lines:
    counts = [*count_distinct(split.codes, len(split.names), lesions), int(lesions.max(initial=-1)) + 1]
    lines = [("Lesions", "", [f"{count:,}" if count else NOT_RECORDED for count in counts])]
    return lines + _describe_missing("Lesions", lesions < 0, split, "photos without a named lesion")


def _describe_ages(years: npt.NDArray[np.float64], split: _SplitColumns) -> _Lines:
    splits = [split.codes == code for code in range(len(split.names))]
    known = ~np.isnan(years)
    spreads = [_format_quartiles(years[known & photos]) for photos in [*splits, known]]
    return [("Age", "years, median (quartiles)", spreads), *_describe_missing("Age", ~known, split)]


def _format_quartiles(years: npt.NDArray[np.float64]) -> str:
    if not len(years):
        return NOT_RECORDED
    low, median, high = np.quantile(years, [0.25, 0.5, 0.75])
    return f"{median:.0f} ({low:.0f}–{high:.0f})"


def _describe_levels(name: str, column: EncodedColumn, split: _SplitColumns) -> _Lines:
    """Count each level, most photos first, then the rare ones together, then "not recorded"."""
    counts = _count_levels(column.codes, len(column.names), split)
    order = np.argsort(-counts[:, -1], kind="stable")
    order = order[counts[order, -1] > 0]
    # A row "1 other value" would take as much room as that value.
    shown = order if len(order) <= MAX_LEVELS + 1 else order[:MAX_LEVELS]
    lines = [
        (name, get_class_name(column.names[code] or ""), _format_counts(counts[code].tolist(), split)) for code in shown
    ]
    if len(shown) < len(order):
        rest = counts[order[len(shown) :]].sum(axis=0).tolist()
        lines.append((name, f"{len(order) - len(shown):,} other values", _format_counts(rest, split)))
    return lines + _describe_missing(name, column.codes < 0, split)


def _describe_missing(name: str, missing: _Flags, split: _SplitColumns, words: str = NOT_RECORDED) -> _Lines:
    if not missing.any():
        return []
    return [(name, words, _format_counts(_count_levels(missing.astype(np.intp) - 1, 1, split)[0].tolist(), split))]


def trace_flow(table: pd.DataFrame, sources: Iterable[pd.DataFrame] = ()) -> pd.DataFrame:
    """Count the photos from their sources to the splits: columns kind, step, photos, lesions, reason.

    Each row is one step, in order. Its kind is "source" (one row each), "kept" (what remains), "out" (what is left out,
    with the reason) or "split". photos and lesions are Int64; lesions is NA where none is named. `sources` are the
    tables that this one was drawn from, for instance before a cap; photos are matched by path, or by image_id if a
    path is missing. Without `sources` the flow begins with the sources that the table names. Steps without photos are
    omitted, so the flow of a table without splits ends with the labelled photos.
    """
    not_drawn = _find_not_drawn(table, sources)
    photos = table if not_drawn is None else pd.concat([table, not_drawn], ignore_index=True)
    here = np.arange(len(photos)) < len(table)
    steps = _FlowSteps(photos)
    steps.add_sources(encode(photos["source"]).name_missing())
    if not_drawn is not None:
        steps.add(OUT, "Left out", ~here, _explain_not_drawn(photos, here))
    labelled = encode_labels(photos).codes >= 0
    steps.add(OUT, "Without a label", here & ~labelled, UNLABELLED_REASON)
    split = encode_splits(photos)
    showcase = _is_in_split(split, "showcase") & here & labelled
    rest = here & labelled & ~showcase
    steps.add(
        OUT, "Showcase", showcase, SHOWCASE_REASON if steps.share_lesions(showcase, rest) else SHOWCASE_LESIONS_REASON
    )
    unsplit = rest & (split.codes < 0)
    if unsplit.all() or not (rest & ~unsplit).any():
        steps.add(KEPT, "Labelled", rest)
        return steps.to_frame()
    steps.add(OUT, "Without a split", unsplit, UNSPLIT_REASON)
    steps.add(KEPT, "Split", rest & ~unsplit)
    for name in split.names:
        if name != "showcase":
            steps.add(SPLIT, str(name).capitalize(), rest & _is_in_split(split, name))
    return steps.to_frame()


class _FlowSteps:
    """The steps of a flow, with their photos and lesions counted as they are added."""

    def __init__(self, photos: pd.DataFrame) -> None:
        self._lesions = encode_lesions(photos)
        self._rows: list[tuple[str, str, int, int | None, str | None]] = []

    def add(self, kind: str, step: str, photos: _Flags, reason: str | None = None) -> None:
        if photos.any():
            seen = np.zeros(self._lesions.max(initial=-1) + 2, dtype=bool)
            seen[self._lesions[photos]] = True  # index -1: photos without a lesion, which are not counted
            self._rows.append((kind, step, int(photos.sum()), int(seen[:-1].sum()) or None, reason))

    def share_lesions(self, some: _Flags, others: _Flags) -> bool:
        """Tell whether some photos show the same lesion as others, which happens after a split by photo."""
        return bool(np.isin(self._lesions[some & (self._lesions >= 0)], self._lesions[others]).any())

    def add_sources(self, source: EncodedColumn) -> None:
        for code, name in enumerate(source.names):
            self.add(SOURCE, name or "Source not stated", source.codes == code)
        if len(source.names) > 1:
            self.add(KEPT, "Together", source.codes >= 0)

    def to_frame(self) -> pd.DataFrame:
        types = {"kind": "string", "step": "string", "photos": "Int64", "lesions": "Int64", "reason": "string"}
        return pd.DataFrame(self._rows, columns=list(types)).astype(types)


def _is_in_split(split: EncodedColumn, name: str | None) -> _Flags:
    return np.isin(split.codes, [code for code, other in enumerate(split.names) if other == name])


def _find_not_drawn(table: pd.DataFrame, sources: Iterable[pd.DataFrame]) -> pd.DataFrame | None:
    """Return the photos of the sources that are not in the table; None if no source is given."""
    tables = list(sources)
    if not tables:
        return None
    whole = pd.concat(tables)
    key = "path" if table["path"].notna().all() and whole["path"].notna().all() else "image_id"
    return whole[~whole[key].isin(table[key])]


def _explain_not_drawn(photos: pd.DataFrame, here: _Flags) -> str:
    """Say that photos were left out by a cap per class if the counts show it, else only that they are not here."""
    label = encode_labels(photos)
    counts_here, counts_all = (
        np.bincount(c[c >= 0], minlength=len(label.names)) for c in (label.codes[here], label.codes)
    )
    capped = counts_here[counts_here < counts_all]
    unlabelled = (label.codes[~here] < 0).any()
    if len(capped) and not unlabelled and capped.min() == counts_here.max() > 0:
        return f"At most {counts_here.max():,} photos per type are kept"
    return NOT_DRAWN_REASON
