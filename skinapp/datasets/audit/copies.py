"""Copies: photos that occur more than once in one or several tables, as the same file or as the same picture.

The `find_` functions for copies return pairs: columns first and second (row numbers in `photos`, int64, first < second)
and similarity (Float32, up to 1). `photos` is one image table, or several under one another; its index is ignored.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.audit.twins import find_twins, is_copy, read_thumbnails
from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.measures import HASH_SIDE
from skinapp.errors import DatasetError

HASH_BITS = HASH_SIDE * HASH_SIDE

SAME_HASH = 14
"""Bits of 256 in which the perceptual hashes of two copies may differ.

Copies squashed to 224 x 224 px and recompressed differ in fewer; the nearest photos of two clinics differ in 44 or
more. A hash is cut into sixteen pieces, so hashes that differ in at most fourteen bits share at least two whole pieces,
which finds near hashes fast.
"""

MAX_COPIES = 20
"""Up to this many copies of a file are all paired with each other; with more, each is paired only with the first."""

HashWords = npt.NDArray[np.uint64]
RowIndex = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PhotoComparison:
    """The result of comparing photos: the pairs that show one picture, and which photos could be read, bool (n,)."""

    pairs: pd.DataFrame
    readable: npt.NDArray[np.bool_]


def find_same_files(photos: pd.DataFrame) -> pd.DataFrame:
    """Pair the photos with identical files; photos without a sha256 are in no pair."""
    known = np.flatnonzero(photos["sha256"].notna())
    groups = pd.factorize(photos["sha256"].iloc[known])[0]
    first, second = _pair_within_groups(groups)
    return _sort_pairs(known[first], known[second], np.ones(len(first)))


def find_copies_by_hash(photos: pd.DataFrame) -> pd.DataFrame:
    """Pair the photos with perceptual hashes that differ in at most SAME_HASH bits; needs only the table, no photos.

    The similarity is the share of bits that agree. Cropped or turned copies are not found, and photos without a
    perceptual hash are in no pair. DatasetError for a hash that is not 64 hexadecimal digits.
    """
    known = np.flatnonzero(photos["perceptual_hash"].notna())
    group, hashes = pd.factorize(photos["perceptual_hash"].iloc[known])
    words = _parse_hashes(hashes)
    equal, near = _pair_within_groups(group), _pair_across_groups(group, *_find_near_hashes(words))
    first, second = (np.concatenate(side) for side in zip(equal, near, strict=True))
    distance = np.bitwise_count(words[group[first]] ^ words[group[second]]).sum(axis=1)
    return _sort_pairs(known[first], known[second], 1 - distance / HASH_BITS)


def find_copies_by_photo(
    photos: pd.DataFrame, data_root: Path, progress: Progress = ignore_progress
) -> PhotoComparison:
    """Pair the photos that show one picture by comparing the photos themselves (see skinapp.datasets.audit.twins).

    `progress` is called while photos are read, then while pairs are compared. Raises DatasetError if none of the photos
    can be read below the data root.
    """
    with_path = np.flatnonzero(photos["path"].notna())
    thumbnails, readable = read_thumbnails([data_root / path for path in photos["path"].iloc[with_path]], progress)
    if not readable.any():
        raise DatasetError(f"None of the photos can be read below {data_root}. Correct --data or SKINAPP_DATA.")
    rows = with_path[readable]
    twins = find_twins(thumbnails[readable], photos["lesion_id"].iloc[rows].reset_index(drop=True), progress)
    twins = twins[is_copy(twins)]
    pairs = _sort_pairs(rows[twins["first"]], rows[twins["second"]], twins["similarity"].to_numpy())
    return PhotoComparison(pairs, np.isin(np.arange(len(photos)), rows))


def find_twin_ids_by_hash(table: pd.DataFrame) -> pd.DataFrame:
    """Find the twins among the photos of a table by their perceptual hashes: columns image_a, image_b, similarity."""
    pairs, ids = find_copies_by_hash(table), table["image_id"].to_numpy()
    return pd.DataFrame(
        {"image_a": ids[pairs["first"]], "image_b": ids[pairs["second"]], "similarity": pairs["similarity"]}
    )


def _sort_pairs(first: RowIndex, second: RowIndex, similarity: npt.ArrayLike) -> pd.DataFrame:
    ends = {"first": np.minimum(first, second), "second": np.maximum(first, second)}
    pairs = pd.DataFrame(ends | {"similarity": pd.array(np.asarray(similarity), dtype="Float32")})
    return pairs.sort_values(["similarity", "first", "second"], ascending=[False, True, True], ignore_index=True)


def _parse_hashes(hashes: pd.Index) -> HashWords:
    """Convert hashes of 64 hexadecimal digits to four words of 64 bits each, uint64 (n, 4)."""
    try:
        rows = [np.frombuffer(bytes.fromhex(text), dtype=np.uint64) for text in hashes]
        return np.stack(rows).reshape(-1, HASH_BITS // 64) if rows else np.empty((0, HASH_BITS // 64), dtype=np.uint64)
    except ValueError as error:
        raise DatasetError(
            f"A perceptual_hash is not {HASH_BITS // 4} hexadecimal digits ({error}). Index the photos again."
        ) from error


def _find_near_hashes(words: HashWords) -> tuple[RowIndex, RowIndex]:
    """Find the pairs of distinct hashes, uint64 (n, 4), that differ in at most SAME_HASH bits."""
    near = [np.empty((0, 2), dtype=np.intp)]
    for piece in _cut_hashes(words).T:
        order = np.argsort(piece, kind="stable")
        ordered, rows, step = piece[order], np.arange(len(order)), 1
        while len(rows := rows[: np.searchsorted(rows, len(order) - step)]):
            rows = rows[ordered[rows] == ordered[rows + step]]
            pair = np.stack([order[rows], order[rows + step]], axis=1)
            distance = np.bitwise_count(words[pair[:, 0]] ^ words[pair[:, 1]]).sum(axis=1)
            near.append(np.sort(pair[distance <= SAME_HASH], axis=1))
            step += 1
    first, second = np.unique(np.concatenate(near), axis=0).T
    return first, second


def _cut_hashes(words: HashWords) -> npt.NDArray[np.uint16]:
    """Cut hashes into sixteen pieces of sixteen bits, uint16 (n, 16).

    Each piece is a diagonal of the hash. The low frequencies are similar in all lesions, so a piece made only of them
    would separate few photos.
    """
    bits = np.unpackbits(words.view(np.uint8), axis=1).reshape(-1, HASH_SIDE, HASH_SIDE)
    rows = np.arange(HASH_SIDE)
    diagonals = np.stack([bits[:, rows, (rows + shift) % HASH_SIDE] for shift in range(HASH_SIDE)], axis=1)
    return np.ascontiguousarray(np.packbits(diagonals, axis=2)).view(np.uint16)[:, :, 0]


def _pair_within_groups(groups: RowIndex) -> tuple[RowIndex, RowIndex]:
    """Pair the members of each group, given the group of each row; large groups are paired as MAX_COPIES says."""
    rank = pd.Series(groups).groupby(groups).cumcount().to_numpy()
    members = pd.DataFrame({"group": groups, "row": np.arange(len(groups)), "rank": rank})
    size = np.bincount(groups)[groups] if len(groups) else groups
    kept = members[(size <= MAX_COPIES) | (rank == 0)]
    pairs = kept.merge(members, on="group")
    pairs = pairs[pairs["rank_x"] < pairs["rank_y"]]
    return pairs["row_x"].to_numpy(dtype=np.intp), pairs["row_y"].to_numpy(dtype=np.intp)


def _pair_across_groups(groups: RowIndex, first: RowIndex, second: RowIndex) -> tuple[RowIndex, RowIndex]:
    """Pair the members of each two matching groups, at most MAX_COPIES of each."""
    rank = pd.Series(groups).groupby(groups).cumcount().to_numpy()
    members = pd.DataFrame({"group": groups, "row": np.arange(len(groups))})[rank < MAX_COPIES]
    pairs = pd.DataFrame({"first": first, "second": second})
    joined = pairs.merge(members, left_on="first", right_on="group").merge(
        members, left_on="second", right_on="group", suffixes=("_a", "_b")
    )
    return joined["row_a"].to_numpy(dtype=np.intp), joined["row_b"].to_numpy(dtype=np.intp)
