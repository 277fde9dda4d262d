"""Copies: photos that lie in a table, or in several, more than once, as the same file or as the same picture.

Every function here returns pairs: columns first and second (places in the table of photos, int64, first < second)
and similarity (Float32, to 1). `photos` is an image table, or several under one another; its index is not looked at.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.audit.twins import find_twins, is_copy, read_looks
from skinapp.datasets.files import Progress, no_progress
from skinapp.datasets.measures import HASH_SIDE
from skinapp.errors import DatasetError

HASH_BITS = HASH_SIDE * HASH_SIDE

SAME_HASH = 14
"""Bits of 256 by which two perceptual hashes of one picture may differ.

Copies squashed to 224 x 224 px and recompressed differ in fewer; the nearest photos of two clinics in 44 or more. With
sixteen pieces of a hash and at most fourteen bits that differ, two pieces agree whole: so near hashes are found fast.
"""

MOST_COPIES = 20
"""So many copies of one file are all paired with one another; of more, each is paired with the first alone."""

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Looked:
    """What looking at the photos gave: the pairs that show one picture, and which photos could be read, bool (n,)."""

    pairs: pd.DataFrame
    readable: npt.NDArray[np.bool_]


def same_files(photos: pd.DataFrame) -> pd.DataFrame:
    """Pair the photos whose files are the same byte for byte; photos without a sha256 are in no pair."""
    known = np.flatnonzero(photos["sha256"].notna())
    groups = pd.factorize(photos["sha256"].iloc[known])[0]
    first, second = _within(groups)
    return _pairs(known[first], known[second], np.ones(len(first)))


def alike_by_hash(photos: pd.DataFrame) -> pd.DataFrame:
    """Pair the photos whose perceptual hashes differ in at most SAME_HASH bits; needs no photo, only the table.

    The similarity is the share of bits that agree. Copies that were cropped or turned are not found. Photos without a
    perceptual hash are in no pair; DatasetError for a hash that is no 64 hexadecimal digits.
    """
    known = np.flatnonzero(photos["perceptual_hash"].notna())
    group, hashes = pd.factorize(photos["perceptual_hash"].iloc[known])
    words = _words(hashes)
    equal, across = _within(group), _across(group, *_near(words))
    first, second = (np.concatenate(side) for side in zip(equal, across, strict=True))
    apart = np.bitwise_count(words[group[first]] ^ words[group[second]]).sum(axis=1)
    return _pairs(known[first], known[second], 1 - apart / HASH_BITS)


def alike_by_looking(photos: pd.DataFrame, data_root: Path, progress: Progress = no_progress) -> Looked:
    """Pair the photos that show one picture by looking at them, as skinapp.datasets.audit.twins does.

    `progress` is called while photos are read, then while pairs are compared. Raises DatasetError where not one of
    the photos can be read below the data root.
    """
    named = np.flatnonzero(photos["path"].notna())
    looks, seen = read_looks([data_root / path for path in photos["path"].iloc[named]], progress)
    if not seen.any():
        raise DatasetError(f"None of the photos can be read below {data_root}. Correct --data or SKINAPP_DATA.")
    places = named[seen]
    twins = find_twins(looks[seen], photos["lesion_id"].iloc[places].reset_index(drop=True), progress)
    twins = twins[is_copy(twins)]
    pairs = _pairs(places[twins["first"]], places[twins["second"]], twins["similarity"].to_numpy())
    return Looked(pairs, np.isin(np.arange(len(photos)), places))


def hash_twin_ids(table: pd.DataFrame) -> pd.DataFrame:
    """Find the twins among the photos of a table by their perceptual hashes: columns image_a, image_b, similarity."""
    pairs, ids = alike_by_hash(table), table["image_id"].to_numpy()
    return pd.DataFrame(
        {"image_a": ids[pairs["first"]], "image_b": ids[pairs["second"]], "similarity": pairs["similarity"]}
    )


def _pairs(first: Places, second: Places, similarity: npt.ArrayLike) -> pd.DataFrame:
    ends = {"first": np.minimum(first, second), "second": np.maximum(first, second)}
    pairs = pd.DataFrame(ends | {"similarity": pd.array(np.asarray(similarity), dtype="Float32")})
    return pairs.sort_values(["similarity", "first", "second"], ascending=[False, True, True], ignore_index=True)


def _words(hashes: pd.Index) -> Words:
    """Read hashes of 64 hexadecimal digits as bits in four words each, uint64 (n, 4)."""
    try:
        rows = [np.frombuffer(bytes.fromhex(text), dtype=np.uint64) for text in hashes]
        return np.stack(rows).reshape(-1, HASH_BITS // 64) if rows else np.empty((0, HASH_BITS // 64), dtype=np.uint64)
    except ValueError as error:
        raise DatasetError(
            f"A perceptual_hash is not {HASH_BITS // 4} hexadecimal digits ({error}). Index the photos anew."
        ) from error


def _near(words: Words) -> tuple[Places, Places]:
    """Find the pairs of different hashes, uint64 (n, 4), that differ in at most SAME_HASH bits."""
    found = [np.empty((0, 2), dtype=np.intp)]
    for piece in _pieces(words).T:
        order = np.argsort(piece, kind="stable")
        ordered, rows, step = piece[order], np.arange(len(order)), 1
        while len(rows := rows[: np.searchsorted(rows, len(order) - step)]):
            rows = rows[ordered[rows] == ordered[rows + step]]
            pair = np.stack([order[rows], order[rows + step]], axis=1)
            apart = np.bitwise_count(words[pair[:, 0]] ^ words[pair[:, 1]]).sum(axis=1)
            found.append(np.sort(pair[apart <= SAME_HASH], axis=1))
            step += 1
    first, second = np.unique(np.concatenate(found), axis=0).T
    return first, second


def _pieces(words: Words) -> npt.NDArray[np.uint16]:
    """Cut hashes into sixteen pieces of sixteen bits, uint16 (n, 16).

    Each piece takes its bits along a diagonal of the hash: its low frequencies are much alike in all lesions, and a
    piece made of these alone would tell few photos apart.
    """
    bits = np.unpackbits(words.view(np.uint8), axis=1).reshape(-1, HASH_SIDE, HASH_SIDE)
    rows = np.arange(HASH_SIDE)
    diagonals = np.stack([bits[:, rows, (rows + shift) % HASH_SIDE] for shift in range(HASH_SIDE)], axis=1)
    return np.ascontiguousarray(np.packbits(diagonals, axis=2)).view(np.uint16)[:, :, 0]


def _within(groups: Places) -> tuple[Places, Places]:
    """Pair the members of each group, given its number for each place: the first few with all, the others with one."""
    rank = pd.Series(groups).groupby(groups).cumcount().to_numpy()
    members = pd.DataFrame({"group": groups, "place": np.arange(len(groups)), "rank": rank})
    size = np.bincount(groups)[groups] if len(groups) else groups
    kept = members[(size <= MOST_COPIES) | (rank == 0)]
    pairs = kept.merge(members, on="group")
    pairs = pairs[pairs["rank_x"] < pairs["rank_y"]]
    return pairs["place_x"].to_numpy(dtype=np.intp), pairs["place_y"].to_numpy(dtype=np.intp)


def _across(groups: Places, first: Places, second: Places) -> tuple[Places, Places]:
    """Pair the members of two groups that belong together, as many of each as MOST_COPIES."""
    rank = pd.Series(groups).groupby(groups).cumcount().to_numpy()
    members = pd.DataFrame({"group": groups, "place": np.arange(len(groups))})[rank < MOST_COPIES]
    pairs = pd.DataFrame({"first": first, "second": second})
    joined = pairs.merge(members, left_on="first", right_on="group").merge(
        members, left_on="second", right_on="group", suffixes=("_a", "_b")
    )
    return joined["place_a"].to_numpy(dtype=np.intp), joined["place_b"].to_numpy(dtype=np.intp)
