"""Who is trained on and who is tested on: by lesion, stratified by diagnosis, seeded."""

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from skinapp.datasets.table import truth_labels
from skinapp.errors import DatasetError

OUTSIDE = "outside"
"""The split of photos that nothing is learned from: another camera's, another clinic's."""

SHOWCASE_PHOTOS = 4
"""Showcase photos of each diagnosis; thirty-two with eight diagnoses."""

_TENTHS = ("test", "test", "validation", *["train"] * 7)
"""Which split each of ten equal parts goes to: 70% train, 10% validation, 20% test."""

LEAST_GROUPS = len(_TENTHS)
"""A class of fewer groups cannot have one in each of ten equal parts."""


def group_ids(table: pd.DataFrame, twins: pd.DataFrame | None = None, group: str = "lesion_id") -> np.ndarray:
    """Number the groups that must stay on one side: photos linked by lesion_id, identical files or as twins.

    `twins` names pairs of photos of one picture by their image ids, columns image_a and image_b; ids that the
    table lacks link nothing. `group` names another column to link photos by in place of lesion_id; a photo without
    a value there is a group of its own. Returns int32 (n,), aligned with the table.
    """
    n = len(table)
    links = [_links(table[column], n) for column in (group, "sha256")]
    if twins is not None:
        places = pd.Index(table["image_id"])
        pair = np.stack([places.get_indexer(twins[column]) for column in ("image_a", "image_b")])
        first, second = pair[:, (pair >= 0).all(axis=0)]
        links.append((first, second))
    rows, columns = (np.concatenate(side) for side in zip(*links, strict=True))
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(n, n))
    groups: np.ndarray = connected_components(graph, directed=False)[1]
    return groups


def linked_to(groups: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Mark what is in a group with something marked, itself too; `groups` int (n,), `marked` and result bool (n,)."""
    linked: np.ndarray = np.isin(groups, groups[marked])
    return linked


def split_labels(table: pd.DataFrame) -> "pd.Series[str]":
    """Return what a split is stratified by: the diagnosis, or malignant/benign where no photo has a diagnosis."""
    return truth_labels(table, "malignancy" if table["diagnosis"].isna().all() else "diagnosis")


def small_classes(labels: "pd.Series[str]", groups: np.ndarray) -> "pd.Series[int]":
    """Count the groups of each class that has fewer than LEAST_GROUPS, by label; photos without a label count nowhere.

    `labels` and `groups` are aligned, (n,).
    """
    counts = pd.Series(groups).groupby(labels.to_numpy(dtype=object)).nunique()
    return counts[counts < LEAST_GROUPS]


def cap_classes(table: pd.DataFrame, most: int, seed: int, always: pd.Series) -> pd.DataFrame:
    """Keep at most so many photos of each class (see `split_labels`), drawn by the seed; the others are left out.

    Photos whose image_id is in `always` are kept before all others, those without a label not counted. Raises
    DatasetError for a cap below 1.
    """
    if most < 1:
        raise DatasetError(f"A cap of {most} photos a class leaves none. Name 1 or more.")
    kept = table["image_id"].isin(always).to_numpy()
    drawn = np.random.default_rng(seed).permutation(len(table))
    drawn = drawn[np.argsort(~kept[drawn], kind="stable")]
    labels = split_labels(table).iloc[drawn]
    too_many = (labels.groupby(labels).cumcount() >= most) & ~kept[drawn] & labels.notna()
    return table.drop(index=too_many.index[too_many]).reset_index(drop=True)


def draw_showcase(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw four photos of each diagnosis, each of another lesion, before anything is split.

    Returns columns image_id, lesion_id, diagnosis, sorted by diagnosis and id. Raises DatasetError
    where a diagnosis has fewer than four lesions.
    """
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
    """Return the table with its split column filled: 70% train, 10% validation, 20% test, showcase aside.

    Every photo linked to a photo of `showcase` (its image_id) gets the split "showcase". Groups (see group_ids, and
    there `twins` and `group`) stay whole and classes (see split_labels) keep their shares as nearly as that allows.
    Patients are not recorded in these data sets: one patient's lesions may fall on both sides. Raises DatasetError
    where a showcase photo is not in the table, a photo has no label, there is no column `group`, or no class has ten
    groups.
    """
    if group not in table.columns:
        raise DatasetError(f"An image table has no column {group}. Its columns: {', '.join(table.columns)}.")
    labels = split_labels(table)
    if labels.isna().any():
        raise DatasetError(
            f"{labels.isna().sum():,} photos have no diagnosis; a stratified split needs one for each. Label them, "
            "or leave them out."
        )
    strange = set(showcase["image_id"]) - set(table["image_id"])
    if strange:
        raise DatasetError(f"Showcase photos that the table lacks: {', '.join(sorted(strange))}.")
    groups = group_ids(table, twins, group)
    aside = linked_to(groups, table["image_id"].isin(showcase["image_id"]).to_numpy())
    rest = np.flatnonzero(~aside)
    split = pd.Series("showcase", index=table.index, dtype="string")
    noun = "lesions" if group == "lesion_id" else f"groups by {group}"
    for name, part in _tenths(labels.to_numpy()[rest], groups[rest], seed, noun):
        split.iloc[rest[part]] = name
    return table.assign(split=split)


def _tenths(labels: np.ndarray, groups: np.ndarray, seed: int, noun: str) -> list[tuple[str, np.ndarray]]:
    """Deal groups into ten parts, each with the split that it belongs to."""
    counts = pd.Series(groups).groupby(labels).nunique()
    if counts.empty or counts.max() < LEAST_GROUPS:
        raise DatasetError(f"No diagnosis has {LEAST_GROUPS} {noun} beside the showcase; fewer cannot be split.")
    folds = StratifiedGroupKFold(n_splits=LEAST_GROUPS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # small classes are named by small_classes, in a sentence
        warnings.filterwarnings("ignore", message="The least populated class")
        return [(name, part) for name, (_, part) in zip(_TENTHS, folds.split(groups, labels, groups), strict=True)]


def _links(values: pd.Series, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Link each row to the first row that holds the same value; a missing value links to nothing else."""
    first = pd.Series(np.arange(n)).groupby(values.to_numpy(dtype=object), dropna=True).transform("first")
    first = first.fillna(pd.Series(np.arange(n)))
    return np.arange(n), first.to_numpy(dtype=np.int64)
