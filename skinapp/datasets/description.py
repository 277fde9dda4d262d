"""A table as an article describes it: "Table 1" by split, and the flow of photos from the sources to the splits."""

from collections.abc import Iterable
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
    coded_malignancy,
    coded_splits,
    crossed,
    distinct,
)
from skinapp.taxonomy import class_name

ALL, NO_SPLIT = "all", "no split"
"""Columns of Table 1 beside the splits."""

NOT_RECORDED = "not recorded"
MOST_LEVELS = 20
"""So many values of a characteristic have rows of their own in Table 1; the rarer ones share a row."""

SOURCE, KEPT, OUT, SPLIT = "source", "kept", "out", "split"
"""What a step of the flow is: where photos come from, what is still there, what is left out, where they go."""

SHOWCASE_REASON = "Examples for the app: never trained on nor scored"
SHOWCASE_LESIONS_REASON = "Examples for the app, with all photos of their lesions: never trained on nor scored"
UNLABELLED_REASON = "Nobody says what they show: nothing to learn from or to score"
UNSPLIT_REASON = "Of no split: neither trained on nor scored"
NOT_DRAWN_REASON = "In a source, not in this table"

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Columns:
    """The columns of Table 1: the split of each photo as a code, their names, their photos and those of all."""

    codes: Codes
    names: tuple[str, ...]
    totals: tuple[int, ...]

    @classmethod
    def of(cls, split: Coded) -> "_Columns":
        whole = split.whole() if split.names else Coded(np.full(len(split.codes), -1, dtype=np.intp), ())
        photos = np.bincount(whole.codes[whole.codes >= 0], minlength=len(whole.names))
        return cls(whole.codes, tuple(name or NO_SPLIT for name in whole.names), (*photos.tolist(), len(split.codes)))


_Lines = list[tuple[str, str, list[str]]]


def table_one(table: pd.DataFrame) -> pd.DataFrame:
    """Describe the photos of each split and of all, as strings ready to show.

    Columns characteristic, level, the splits in the order of their use ("no split" last; none where no photo has one)
    and "all". Cells are photos with their share of the split, "1,348 (19%)"; lesions are counted bare, and of the age
    stand the median and the quartiles. What is not recorded is a level of its own, and values beyond MOST_LEVELS share
    one.
    """
    split = _Columns.of(coded_splits(table))
    lines = [
        ("Photos", "", [f"{photos:,}" for photos in split.totals]),
        *_lesions(coded_lesions(table), split),
        *_ages(table["age"].to_numpy(dtype=float, na_value=np.nan), split),
    ]
    for column in ("sex", "site", "camera", "confirmation"):
        lines += _levels(column.capitalize(), coded(table[column]), split)
    lines += _levels("Diagnosis", coded(table["diagnosis"]), split)
    lines += _levels("Malignancy", coded_malignancy(table), split)
    columns = ["characteristic", "level", *split.names, ALL]
    return pd.DataFrame([(name, level, *cells) for name, level, cells in lines], columns=columns, dtype="string")


def _cells(photos: list[int], split: _Columns) -> list[str]:
    """Write photos of each split and of all with their share of it."""
    return [f"{count:,} ({_percent(count, total)})" for count, total in zip(photos, split.totals, strict=True)]


def _percent(count: int, total: int) -> str:
    text = f"{count / total if total else 0:.0%}"
    return {"0%": "<1%", "100%": ">99%"}.get(text, text) if 0 < count < total else text


def _counts(codes: Codes, n: int, split: _Columns) -> npt.NDArray[np.int64]:
    """Count photos of each code, in each split and in all: (n, splits + 1)."""
    counts = crossed(codes, n, split.codes, len(split.names))
    # Where anything is split, each photo has a column; else there are none to sum over.
    everywhere = counts.sum(axis=1) if split.names else np.bincount(codes[codes >= 0], minlength=n)
    return np.column_stack([counts, everywhere])


def _lesions(lesions: Codes, split: _Columns) -> _Lines:
    found = [*distinct(split.codes, len(split.names), lesions), int(lesions.max(initial=-1)) + 1]
    lines = [("Lesions", "", [f"{count:,}" if count else NOT_RECORDED for count in found])]
    return lines + _missing("Lesions", lesions < 0, split, "photos without one named")


def _ages(years: npt.NDArray[np.float64], split: _Columns) -> _Lines:
    places = [split.codes == place for place in range(len(split.names))]
    known = ~np.isnan(years)
    spreads = [_median(years[known & place]) for place in [*places, known]]
    return [("Age", "years, median (quartiles)", spreads), *_missing("Age", ~known, split)]


def _median(years: npt.NDArray[np.float64]) -> str:
    if not len(years):
        return NOT_RECORDED
    low, middle, high = np.quantile(years, [0.25, 0.5, 0.75])
    return f"{middle:.0f} ({low:.0f}–{high:.0f})"


def _levels(name: str, of: Coded, split: _Columns) -> _Lines:
    """Count each level, most photos first, then the rare ones together, then what is not recorded."""
    counts = _counts(of.codes, len(of.names), split)
    order = np.argsort(-counts[:, -1], kind="stable")
    order = order[counts[order, -1] > 0]
    # A row "1 other value" would take as much room as the value itself.
    shown = order if len(order) <= MOST_LEVELS + 1 else order[:MOST_LEVELS]
    lines = [(name, class_name(of.names[place] or ""), _cells(counts[place].tolist(), split)) for place in shown]
    if len(shown) < len(order):
        rest = counts[order[len(shown) :]].sum(axis=0).tolist()
        lines.append((name, f"{len(order) - len(shown):,} other values", _cells(rest, split)))
    return lines + _missing(name, of.codes < 0, split)


def _missing(name: str, missing: _Flags, split: _Columns, words: str = NOT_RECORDED) -> _Lines:
    if not missing.any():
        return []
    return [(name, words, _cells(_counts(missing.astype(np.intp) - 1, 1, split)[0].tolist(), split))]


def flow(table: pd.DataFrame, sources: Iterable[pd.DataFrame] = ()) -> pd.DataFrame:
    """Follow the photos from their sources to the splits: columns kind, step, photos, lesions, reason.

    Each row is a step in order: kind "source" (a row each), "kept" (what is still there), "out" (what is left out, and
    the reason why) or "split". photos and lesions are Int64; lesions is NA where none is named. `sources` are
    the tables that this one was drawn from, for instance before a cap; photos are known again by their path, or by
    image_id where a path is missing. Without them the table's own sources begin the flow. Steps without a photo
    are left out, so an unsplit table ends with what is labelled.
    """
    drawn = _not_drawn(table, sources)
    photos = table if drawn is None else pd.concat([table, drawn], ignore_index=True)
    here = np.arange(len(photos)) < len(table)
    count = _Counter(photos)
    count.sources(coded(photos["source"]).whole())
    if drawn is not None:
        count.add(OUT, "Left out", ~here, _why_not_drawn(photos, here))
    labelled = coded_labels(photos).codes >= 0
    count.add(OUT, "Without a label", here & ~labelled, UNLABELLED_REASON)
    split = coded_splits(photos)
    showcase = _flags(split, ("showcase",)) & here & labelled
    rest = here & labelled & ~showcase
    count.add(OUT, "Showcase", showcase, SHOWCASE_REASON if count.share(showcase, rest) else SHOWCASE_LESIONS_REASON)
    unsplit = rest & (split.codes < 0)
    if unsplit.all() or not (rest & ~unsplit).any():
        count.add(KEPT, "Labelled", rest)
        return count.frame()
    count.add(OUT, "Without a split", unsplit, UNSPLIT_REASON)
    count.add(KEPT, "Split", rest & ~unsplit)
    for name in split.names:
        if name != "showcase":
            count.add(SPLIT, str(name).capitalize(), rest & _flags(split, (name,)))
    return count.frame()


class _Counter:
    """Counts the photos and lesions of one step after another."""

    def __init__(self, photos: pd.DataFrame) -> None:
        self._lesions = coded_lesions(photos)
        self._rows: list[tuple[str, str, int, int | None, str | None]] = []

    def add(self, kind: str, step: str, photos: _Flags, reason: str | None = None) -> None:
        if photos.any():
            seen = np.zeros(self._lesions.max(initial=-1) + 2, dtype=bool)
            seen[self._lesions[photos]] = True  # the last stands for all photos without a lesion: they count for none
            self._rows.append((kind, step, int(photos.sum()), int(seen[:-1].sum()) or None, reason))

    def share(self, some: _Flags, others: _Flags) -> bool:
        """Tell whether some photos show a lesion that others show too, as they do after a split by photo."""
        return bool(np.isin(self._lesions[some & (self._lesions >= 0)], self._lesions[others]).any())

    def sources(self, source: Coded) -> None:
        for place, name in enumerate(source.names):
            self.add(SOURCE, name or "Source not stated", source.codes == place)
        if len(source.names) > 1:
            self.add(KEPT, "Together", source.codes >= 0)

    def frame(self) -> pd.DataFrame:
        types = {"kind": "string", "step": "string", "photos": "Int64", "lesions": "Int64", "reason": "string"}
        return pd.DataFrame(self._rows, columns=list(types)).astype(types)


def _flags(split: Coded, names: tuple[str | None, ...]) -> _Flags:
    return np.isin(split.codes, [place for place, name in enumerate(split.names) if name in names])


def _not_drawn(table: pd.DataFrame, sources: Iterable[pd.DataFrame]) -> pd.DataFrame | None:
    """Return the photos of the sources that the table lacks; None where no source is given."""
    tables = list(sources)
    if not tables:
        return None
    whole = pd.concat(tables)
    key = "path" if table["path"].notna().all() and whole["path"].notna().all() else "image_id"
    return whole[~whole[key].isin(table[key])]


def _why_not_drawn(photos: pd.DataFrame, here: _Flags) -> str:
    """Say that a cap a class left photos out, where what is left shows it, else only that they are not there."""
    label = coded_labels(photos)
    of_here, of_all = (np.bincount(c[c >= 0], minlength=len(label.names)) for c in (label.codes[here], label.codes))
    shortened = of_here[of_here < of_all]
    unlabelled = (label.codes[~here] < 0).any()
    if len(shortened) and not unlabelled and shortened.min() == of_here.max() > 0:
        return f"At most {of_here.max():,} photos of a type are kept"
    return NOT_DRAWN_REASON
