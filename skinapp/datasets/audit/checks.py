"""Checks of image tables before training: copies, leaks across splits, labels that disagree, gaps.

To add a check, name its kind of finding in skinapp.datasets.audit.findings, write a function here that returns rows
with columns of FINDING_COLUMNS, and call it in `audit_tables`.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.audit.copies import find_copies_by_hash, find_same_files
from skinapp.datasets.audit.findings import (
    FINDING_COLUMNS,
    FINDINGS,
    LABELS_DISAGREE,
    LESION_CROSSES,
    MISSING,
    PATIENT_CROSSES,
    SAME_FILE,
    SAME_PICTURE,
    TOO_SMALL,
    UNREADABLE,
    crosses_split,
    has_label_conflict,
)
from skinapp.datasets.splits import MIN_GROUPS, assign_groups, find_small_classes, get_split_labels
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

SOURCE_COLUMNS = (
    "lesion_id",
    "diagnosis",
    "malignant",
    "age",
    "sex",
    "site",
    "camera",
    "confirmation",
    "width",
    "height",
    "split",
)
"""Columns that a source may fill; their missing cells are a finding."""

ARCHIVE_ID = r"ISIC_\d{7}(?:_downsampled)?"
"""Ids of the ISIC Archive, the only ids that mean the same photo in tables from different sources."""

ARCHIVE_PATIENT = r"IP_\d{7}"
"""Ids of patients in the ISIC Archive."""

Flags = npt.NDArray[np.bool_]


def stack_tables(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put image tables under one another, each table's name in the column `table`, to find copies among them."""
    return pd.concat([rows.assign(table=name) for name, rows in tables.items()], ignore_index=True)


def audit_tables(
    tables: Mapping[str, pd.DataFrame], copies: pd.DataFrame | None = None, readable: Flags | None = None
) -> pd.DataFrame:
    """Find what is wrong within named image tables and between them, as rows of FINDING_COLUMNS.

    `copies` lists pairs of photos that show one picture, by their row numbers in `stack_tables(tables)` (see
    skinapp.datasets.audit.copies); without it perceptual hashes are compared. `readable`, bool (n,) for the same rows,
    tells which files could be read; without it the tables are believed. Findings that cross a split come first, then
    label conflicts, then all others; within each by kind of finding, the most similar first.
    """
    photos = stack_tables(tables)
    files = find_same_files(photos)
    pictures = find_copies_by_hash(photos) if copies is None else copies
    pictures = _remove_pairs(pictures, files)
    findings = [
        _describe_pairs(SAME_FILE, files, photos),
        _describe_pairs(SAME_PICTURE, pictures, photos),
        _find_crossing_lesions(photos),
        _find_crossing_patients(photos),
        _find_label_conflicts(pd.concat([files, pictures, _pair_same_ids(photos)]), photos),
        _find_unreadable(photos, readable),
        *(_check_class_sizes(name, rows) for name, rows in tables.items()),
        *(_check_metadata(name, rows) for name, rows in tables.items()),
    ]
    return _sort_findings(
        pd.concat([rows.reindex(columns=list(FINDING_COLUMNS)).astype(FINDING_COLUMNS) for rows in findings])
    )


def _remove_pairs(pairs: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    known = pd.MultiIndex.from_frame(others[["first", "second"]])
    return pairs[~pd.MultiIndex.from_frame(pairs[["first", "second"]]).isin(known)]


def _describe_pairs(finding: str, pairs: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    """Turn pairs of row numbers into findings; their detail says if both photos show one lesion."""
    rows = {"finding": finding, "similarity": pairs["similarity"].array}
    for end, row in (("a", pairs["first"]), ("b", pairs["second"])):
        for fact, column in (("table", "table"), ("image", "image_id"), ("split", "split")):
            rows[f"{fact}_{end}"] = photos[column].array[row]
    lesions = [photos["lesion_id"].array[pairs[end]] for end in ("first", "second")]
    same_lesion = (pd.Series(lesions[0]) == pd.Series(lesions[1])).fillna(False)
    return pd.DataFrame(rows).assign(detail=same_lesion.map({True: "photos of one lesion", False: pd.NA}).array)


def _find_crossing_lesions(photos: pd.DataFrame) -> pd.DataFrame:
    """Find each lesion with photos in more than one split, with one photo from each of two splits.

    A lesion_id that equals the photo's id is valid only within its table: in another table it may be another lesion.
    """
    own_lesion = photos["lesion_id"] == photos["image_id"]
    key = photos["lesion_id"].mask(own_lesion.fillna(False), photos["table"] + "\0" + photos["lesion_id"])
    return _find_crossing(LESION_CROSSES, photos, key, "lesion_id")


def _find_crossing_patients(photos: pd.DataFrame) -> pd.DataFrame:
    """Find each patient with photos in more than one split, with one photo from each of two splits.

    A patient's id is valid only within its table, unless it is the ISIC Archive's.
    """
    if "patient_id" not in photos.columns:
        return pd.DataFrame()
    patients = photos["patient_id"]
    key = patients.where(patients.str.fullmatch(ARCHIVE_PATIENT).fillna(False), photos["table"] + "\0" + patients)
    return _find_crossing(PATIENT_CROSSES, photos, key, "patient_id")


def _find_crossing(finding: str, photos: pd.DataFrame, key: "pd.Series[str]", column: str) -> pd.DataFrame:
    """Find the groups, by `key`, with photos in more than one split; details name them by `column`."""
    known = photos.assign(key=key, row=np.arange(len(photos))).dropna(subset=["key", "split"])
    crossing = known[known.groupby("key")["split"].transform("nunique") > 1]
    rows = crossing.drop_duplicates(["key", "split"]).set_index("key")["row"]
    rank = rows.groupby(level=0).cumcount()
    pairs = pd.DataFrame({"first": rows[rank == 0], "second": rows[rank == 1], "similarity": np.nan})
    findings = _describe_pairs(finding, pairs, photos)
    counts = crossing.groupby(["key", "split"]).size().reset_index(name="photos")
    words = (counts["photos"].astype("string") + " in " + counts["split"]).groupby(counts["key"]).agg(", ".join)
    named = photos[column].array[pairs["first"]]
    return findings.assign(detail=pd.array(named, dtype="string") + ": " + words.reindex(pairs.index).array)


def _pair_same_ids(photos: pd.DataFrame) -> pd.DataFrame:
    """Pair the photos of different tables that have the same id of the ISIC Archive."""
    named = photos.assign(row=np.arange(len(photos)))[photos["image_id"].str.fullmatch(ARCHIVE_ID)]
    named = named.assign(name=named["image_id"].str.removesuffix("_downsampled"))[["table", "name", "row"]]
    pairs = named.merge(named, on="name")
    pairs = pairs[(pairs["row_x"] < pairs["row_y"]) & (pairs["table_x"] != pairs["table_y"])]
    return pd.DataFrame({"first": pairs["row_x"], "second": pairs["row_y"], "similarity": np.nan})


def _find_label_conflicts(pairs: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    pairs = pairs.drop_duplicates(["first", "second"])
    first, second = (photos.iloc[pairs[end]].reset_index(drop=True) for end in ("first", "second"))
    conflicts = _describe_conflicts(first, second)
    findings = _describe_pairs(LABELS_DISAGREE, pairs, photos).assign(detail=conflicts)
    return findings[conflicts.notna()]


def _describe_conflicts(first: pd.DataFrame, second: pd.DataFrame) -> "pd.Series[str]":
    """Describe row by row how the labels of two photos disagree; NA where they agree or cannot be compared.

    Diagnoses are compared if both are codes, or both are other labels of the same table; otherwise malignancy is.
    """
    diagnoses = [photos["diagnosis"] for photos in (first, second)]
    codes = [diagnosis.isin(CODES) for diagnosis in diagnoses]
    others = [diagnosis.notna() & ~diagnosis.isin([*CODES, *MALIGNANCY_CLASSES]) for diagnosis in diagnoses]
    by_diagnosis = (codes[0] & codes[1]) | (others[0] & others[1] & (first["table"] == second["table"]))
    by_malignancy = ~by_diagnosis & first["malignant"].notna() & second["malignant"].notna()
    differ = by_diagnosis & (diagnoses[0] != diagnoses[1])
    differ |= by_malignancy & (first["malignant"] != second["malignant"])
    labels = [_get_labels(photos) for photos in (first, second)]
    return (labels[0] + " against " + labels[1]).where(differ.fillna(False))


def _get_labels(photos: pd.DataFrame) -> "pd.Series[str]":
    malignancy = photos["malignant"].map(dict(zip((True, False), MALIGNANCY_CLASSES, strict=True)))
    return photos["diagnosis"].astype("string").fillna(malignancy.astype("string"))


def _find_unreadable(photos: pd.DataFrame, readable: Flags | None) -> pd.DataFrame:
    if readable is None:
        unreadable, reason = photos["path"].notna() & photos["stored_width"].isna(), "not readable when it was indexed"
    else:
        unreadable, reason = pd.Series(~readable), "missing or not readable as a photo"
    rows = photos[unreadable]
    named = {"table_a": rows["table"], "image_a": rows["image_id"], "split_a": rows["split"]}
    return pd.DataFrame(named).assign(finding=UNREADABLE, detail=rows["path"].fillna("no path") + ": " + reason)


def _check_class_sizes(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Find the classes with too few lesions for a split into tenths; copies count once."""
    labels = get_split_labels(table)
    small = find_small_classes(labels, assign_groups(table))
    photos = labels.value_counts()
    detail = [
        f"{label}: {photos[str(label)]:,} photos of {lesions} lesions; a split needs {MIN_GROUPS}"
        for label, lesions in small.items()
    ]
    return pd.DataFrame({"finding": TOO_SMALL, "table_a": name, "detail": detail})


def _check_metadata(name: str, table: pd.DataFrame) -> pd.DataFrame:
    n, gaps = len(table), table[list(SOURCE_COLUMNS)].isna().sum()
    detail = [f"{column}: {gap:,} of {n:,} photos ({gap / n:.1%})" for column, gap in gaps.items() if gap]
    own_lesion = int((table["lesion_id"] == table["image_id"]).sum())
    if own_lesion:
        detail.append(
            f"lesion_id: {own_lesion:,} of {n:,} photos ({own_lesion / n:.1%}) have no lesion_id and count as one "
            "lesion each"
        )
    return pd.DataFrame({"finding": MISSING, "table_a": name, "detail": detail})


def _sort_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Sort leaks first, then label conflicts, then all others; within each by kind, the most similar first."""
    rank = np.select([crosses_split(findings), has_label_conflict(findings)], [0, 1], 2)
    kind = findings["finding"].map({name: number for number, name in enumerate(FINDINGS)})
    keys = findings.assign(rank=rank, kind=kind.astype(int), unlike=-findings["similarity"])
    order = ["rank", "kind", "unlike", "table_a", "image_a", "table_b", "image_b", "detail"]
    return keys.sort_values(order, ignore_index=True)[list(FINDING_COLUMNS)]
