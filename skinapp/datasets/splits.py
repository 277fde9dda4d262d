"""Who is trained on and who is tested on: by lesion, stratified by diagnosis, seeded."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from skinapp.errors import DatasetError

SHOWCASE_PHOTOS = 4
"""Showcase photos of each diagnosis; thirty-two with eight diagnoses."""

_TENTHS = ("test", "test", "validation", *["train"] * 7)
"""Which split each of ten equal parts goes to: 70% train, 10% validation, 20% test."""


def group_ids(table: pd.DataFrame, twins: pd.DataFrame | None = None) -> np.ndarray:
    """Number the groups that must stay on one side: photos linked by lesion_id, identical files or as twins.

    `twins` names pairs of photos of one picture by their image ids, columns image_a and image_b; ids that the
    table lacks link nothing. A photo without a lesion_id is a lesion of its own. Returns int32 (n,), aligned
    with the table.
    """
    n = len(table)
    links = [_links(table[column], n) for column in ("lesion_id", "sha256")]
    if twins is not None:
        places = pd.Index(table["image_id"])
        pair = np.stack([places.get_indexer(twins[column]) for column in ("image_a", "image_b")])
        first, second = pair[:, (pair >= 0).all(axis=0)]
        links.append((first, second))
    rows, columns = (np.concatenate(side) for side in zip(*links, strict=True))
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(n, n))
    groups: np.ndarray = connected_components(graph, directed=False)[1]
    return groups


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
    table: pd.DataFrame, showcase: pd.DataFrame, seed: int, twins: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the table with its split column filled: 70% train, 10% validation, 20% test, showcase aside.

    Every photo linked to a photo of `showcase` (its image_id) gets the split "showcase". Groups (see group_ids, and
    there `twins`) stay whole and diagnoses keep their shares as nearly as that allows. Patients are not recorded in
    these data sets: one patient's lesions may fall on both sides. Raises DatasetError where a showcase
    photo is not in the table, a photo has no diagnosis, or no diagnosis has ten lesions.
    """
    if table["diagnosis"].isna().any():
        raise DatasetError("Some photos have no diagnosis; a stratified split needs one for each.")
    strange = set(showcase["image_id"]) - set(table["image_id"])
    if strange:
        raise DatasetError(f"Showcase photos that the table lacks: {', '.join(sorted(strange))}.")
    groups = group_ids(table, twins)
    aside = np.isin(groups, groups[table["image_id"].isin(showcase["image_id"]).to_numpy()])
    rest = np.flatnonzero(~aside)
    diagnoses = table["diagnosis"].to_numpy()[rest]
    lesions = pd.Series(groups[rest]).groupby(diagnoses).nunique()
    if lesions.empty or lesions.max() < len(_TENTHS):
        raise DatasetError(f"No diagnosis has {len(_TENTHS)} lesions beside the showcase; fewer cannot be split.")
    split = pd.Series("showcase", index=table.index, dtype="string")
    folds = StratifiedGroupKFold(n_splits=len(_TENTHS), shuffle=True, random_state=seed)
    parts = folds.split(rest, diagnoses, groups[rest])
    for name, (_, part) in zip(_TENTHS, parts, strict=True):
        split.iloc[rest[part]] = name
    return table.assign(split=split)


def _links(values: pd.Series, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Link each row to the first row that holds the same value; a missing value links to nothing else."""
    first = pd.Series(np.arange(n)).groupby(values.to_numpy(dtype=object), dropna=True).transform("first")
    first = first.fillna(pd.Series(np.arange(n)))
    return np.arange(n), first.to_numpy(dtype=np.int64)
