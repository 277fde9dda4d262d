"""Splits into train, validation and test: by lesion, stratified by diagnosis, with a seed."""

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from skinapp.datasets.table import get_true_labels
from skinapp.errors import DatasetError

OUTSIDE = "outside"
"""The split of photos from another camera or clinic, which are not used for training."""

SHOWCASE_PHOTOS = 4
"""Showcase photos per diagnosis: 32 for eight diagnoses."""

_SPLIT_OF_TENTH = ("test", "test", "validation", *["train"] * 7)
"""The split of each of ten equal parts: 70% train, 10% validation, 20% test."""

MIN_GROUPS = len(_SPLIT_OF_TENTH)
"""Minimum groups of a class, one for each of the ten equal parts."""


def assign_groups(table: pd.DataFrame, twins: pd.DataFrame | None = None, group: str = "lesion_id") -> np.ndarray:
    """Number the groups of photos that a split must keep together: one patient, one lesion, one file, or twins.

    `twins` lists pairs of photos that show one picture by their ids, columns image_a and image_b; ids that are not in
    the table are ignored. `group` is the column that replaces lesion_id and patient_id; a photo without a value there
    is a group of its own. Returns int32 (n,), aligned with the table.
    """
    n = len(table)
    patients = ["patient_id"] if group == "lesion_id" and "patient_id" in table.columns else []
    links = [_link_equal(table[column], n) for column in (group, *patients, "sha256")]
    if twins is not None:
        ids = pd.Index(table["image_id"])
        pair = np.stack([ids.get_indexer(twins[column]) for column in ("image_a", "image_b")])
        first, second = pair[:, (pair >= 0).all(axis=0)]
        links.append((first, second))
    rows, columns = (np.concatenate(side) for side in zip(*links, strict=True))
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(n, n))
    groups: np.ndarray = connected_components(graph, directed=False)[1]
    return groups


def mark_linked(groups: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Mark every member of a group with a marked member; `groups` int (n,), `marked` and the result bool (n,)."""
    linked: np.ndarray = np.isin(groups, groups[marked])
    return linked


def get_split_labels(table: pd.DataFrame) -> "pd.Series[str]":
    """Return the labels that a split is stratified by: the diagnosis, or malignant/benign if no photo has one."""
    return get_true_labels(table, "malignancy" if table["diagnosis"].isna().all() else "diagnosis")


def find_small_classes(labels: "pd.Series[str]", groups: np.ndarray) -> "pd.Series[int]":
    """Return the number of groups of each class that has fewer than MIN_GROUPS, by label.

    `labels` and `groups` are aligned, (n,); photos without a label are ignored.
    """
    counts = pd.Series(groups).groupby(labels.to_numpy(dtype=object)).nunique()
    return counts[counts < MIN_GROUPS]


def cap_classes(table: pd.DataFrame, most: int, seed: int, always: pd.Series) -> pd.DataFrame:
    """Keep at most `most` photos of each class (see `get_split_labels`), drawn at random with the seed.

    Photos with an image_id in `always` are always kept, and so are photos without a label. Raises DatasetError for a
    cap below 1.
    """
    if most < 1:
        raise DatasetError(f"A cap of {most} photos per class keeps none. Choose 1 or more.")
    protected = table["image_id"].isin(always).to_numpy()
    order = np.random.default_rng(seed).permutation(len(table))
    order = order[np.argsort(~protected[order], kind="stable")]
    labels = get_split_labels(table).iloc[order]
    excess = (labels.groupby(labels).cumcount() >= most) & ~protected[order] & labels.notna()
    return table.drop(index=excess.index[excess]).reset_index(drop=True)


def draw_showcase(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw SHOWCASE_PHOTOS photos of each diagnosis, each of a different lesion, before the table is split.

    Returns columns image_id, lesion_id, diagnosis, sorted by diagnosis and id. Raises DatasetError if a diagnosis has
    too few lesions, or no photo has one.
    """
    if table["diagnosis"].isna().all():
        raise DatasetError("The table has no photo with a diagnosis. A showcase needs some of each.")
    generator = np.random.default_rng(seed)
    drawn = []
    for diagnosis, photos in table.sort_values("image_id").groupby("diagnosis"):
        lesions = sorted(photos["lesion_id"].dropna().unique())
        if len(lesions) < SHOWCASE_PHOTOS:
            raise DatasetError(f"{diagnosis} has {len(lesions)} lesions; a showcase needs {SHOWCASE_PHOTOS}.")
        chosen = generator.choice(lesions, SHOWCASE_PHOTOS, replace=False)
        drawn.append(photos[photos["lesion_id"].isin(chosen)].drop_duplicates("lesion_id"))
    showcase = pd.concat(drawn)[["image_id", "lesion_id", "diagnosis"]]
    return showcase.sort_values(["diagnosis", "image_id"], ignore_index=True)


def split_by_lesion(
    table: pd.DataFrame,
    showcase: pd.DataFrame,
    seed: int,
    twins: pd.DataFrame | None = None,
    group: str = "lesion_id",
) -> pd.DataFrame:
    """Fill the split column: 70% train, 10% validation, 20% test, the showcase set apart.

    Every photo in a group with a photo of `showcase` (column image_id) gets the split "showcase". Groups stay whole
    (see assign_groups, also for `twins` and `group`), and the shares of the classes (see get_split_labels) are kept as
    closely as that allows. Where no patient is recorded, one patient's lesions may be on both sides.
    Raises DatasetError if a showcase photo is not in the table, a photo has no label, there is no column `group`, or no
    class has MIN_GROUPS groups.
    """
    if group not in table.columns:
        raise DatasetError(f"An image table has no column {group}. Its columns: {', '.join(table.columns)}.")
    labels = get_split_labels(table)
    if labels.isna().any():
        raise DatasetError(
            f"{labels.isna().sum():,} photos have no diagnosis; a stratified split needs one for each. Label them "
            "or leave them out."
        )
    absent = set(showcase["image_id"]) - set(table["image_id"])
    if absent:
        raise DatasetError(f"Showcase photos that are not in the table: {', '.join(sorted(absent))}.")
    groups = assign_groups(table, twins, group)
    in_showcase = mark_linked(groups, table["image_id"].isin(showcase["image_id"]).to_numpy())
    rest = np.flatnonzero(~in_showcase)
    split = pd.Series("showcase", index=table.index, dtype="string")
    has_patients = "patient_id" in table.columns and table["patient_id"].notna().any()
    lesions = "patients or lesions" if has_patients else "lesions"
    noun = lesions if group == "lesion_id" else f"groups by {group}"
    for name, part in _deal_tenths(labels.to_numpy()[rest], groups[rest], seed, noun):
        split.iloc[rest[part]] = name
    return table.assign(split=split)


def _deal_tenths(labels: np.ndarray, groups: np.ndarray, seed: int, noun: str) -> list[tuple[str, np.ndarray]]:
    """Divide the groups into ten parts: the split and the row numbers of each."""
    counts = pd.Series(groups).groupby(labels).nunique()
    if counts.empty or counts.max() < MIN_GROUPS:
        raise DatasetError(f"No diagnosis has {MIN_GROUPS} {noun} outside the showcase, the minimum for a split.")
    folds = StratifiedGroupKFold(n_splits=MIN_GROUPS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # find_small_classes names the small classes
        warnings.filterwarnings("ignore", message="The least populated class")
        return [
            (name, part) for name, (_, part) in zip(_SPLIT_OF_TENTH, folds.split(groups, labels, groups), strict=True)
        ]


def _link_equal(values: pd.Series, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Link each row to the first row with the same value, and a row with a missing value to itself."""
    first = pd.Series(np.arange(n)).groupby(values.to_numpy(dtype=object), dropna=True).transform("first")
    first = first.fillna(pd.Series(np.arange(n)))
    return np.arange(n), first.to_numpy(dtype=np.int64)
