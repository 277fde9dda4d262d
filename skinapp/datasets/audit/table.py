"""What is wrong with image tables before anybody trains on them: copies, leaks across splits, labels that disagree.

A finding is a row of one frame, columns and types as FINDING_COLUMNS has them. A finding about two photos names both;
one about a single photo has the second NA; one about a class or a column has no photo at all.

===================================  ==============================================================================
finding                              one of FINDINGS
table_a, image_a, split_a            the first photo: its table's name, its image_id and its split
table_b, image_b, split_b            the second
similarity                           of two photos: 1 for the same file, else as the search for copies gave it
detail                               what else a reader must know, in words
===================================  ==============================================================================
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.audit.copies import alike_by_hash, same_files
from skinapp.datasets.splits import LEAST_GROUPS, group_ids, small_classes, split_labels
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

SAME_FILE = "same file"
SAME_PICTURE = "same picture"
LESION_CROSSES = "lesion crosses a split"
LABELS_DISAGREE = "labels disagree"
UNREADABLE = "unreadable file"
TOO_SMALL = "class too small to split"
MISSING = "metadata missing"

FINDINGS = (SAME_FILE, SAME_PICTURE, LESION_CROSSES, LABELS_DISAGREE, UNREADABLE, TOO_SMALL, MISSING)

FINDING_COLUMNS = {
    "finding": "string",
    **{f"{fact}_{end}": "string" for end in "ab" for fact in ("table", "image", "split")},
    "similarity": "Float32",
    "detail": "string",
}

METADATA = (
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
"""Columns that a source may state; what is missing in them is a finding."""

ARCHIVE_ID = r"ISIC_\d{7}(?:_downsampled)?"
"""Names of the ISIC Archive: the only ids that mean the same photo in tables of different makers."""

Flags = npt.NDArray[np.bool_]


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put image tables under one another, the name of each in the column `table`, to look for copies in them."""
    return pd.concat([rows.assign(table=name) for name, rows in tables.items()], ignore_index=True)


def audit(
    tables: Mapping[str, pd.DataFrame], alike: pd.DataFrame | None = None, readable: Flags | None = None
) -> pd.DataFrame:
    """Find what is wrong within image tables, by name, and between them; see the module for the frame it returns.

    `alike` pairs photos of one picture by their places in `stacked(tables)` (skinapp.datasets.audit.copies); None
    compares perceptual hashes. `readable`, bool (n,) by the same places, says which files could be read; None believes
    the tables. What crosses a split comes first, then what carries different labels, then all else, most alike first.
    """
    photos = stacked(tables)
    files = same_files(photos)
    pictures = alike_by_hash(photos) if alike is None else alike
    pictures = _without(pictures, files)
    found = [
        _about_pairs(SAME_FILE, files, photos),
        _about_pairs(SAME_PICTURE, pictures, photos),
        _crossing_lesions(photos),
        _disagreeing(pd.concat([files, pictures, _same_ids(photos)]), photos),
        _unreadable(photos, readable),
        *(_small(name, rows) for name, rows in tables.items()),
        *(_missing(name, rows) for name, rows in tables.items()),
    ]
    return _in_order(pd.concat([rows.reindex(columns=list(FINDING_COLUMNS)).astype(FINDING_COLUMNS) for rows in found]))


def crosses(findings: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which findings are leaks: their two photos are in different splits, bool (n,)."""
    return (findings["split_a"] != findings["split_b"]).fillna(False).astype(bool)


def disagrees(findings: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which findings are about two photos whose labels disagree, bool (n,)."""
    ends = ["table_a", "image_a", "table_b", "image_b"]
    pairs = pd.MultiIndex.from_frame(findings[ends].astype(object))
    flags = pairs.isin(pairs[findings["finding"] == LABELS_DISAGREE]) & findings["image_b"].notna()
    return pd.Series(flags, index=findings.index)


def summarize(findings: pd.DataFrame) -> pd.DataFrame:
    """Count findings: columns finding, found, across_splits, labels_disagree; a row for each of FINDINGS, in order."""
    flags = pd.DataFrame(
        {
            "finding": findings["finding"],
            "found": 1,
            "across_splits": crosses(findings),
            "labels_disagree": disagrees(findings),
        }
    )
    counts = flags.groupby("finding").sum().reindex(list(FINDINGS), fill_value=0).astype(int)
    return counts.reset_index()


def _without(pairs: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    known = pd.MultiIndex.from_frame(others[["first", "second"]])
    return pairs[~pd.MultiIndex.from_frame(pairs[["first", "second"]]).isin(known)]


def _about_pairs(finding: str, pairs: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    """Write pairs of places as findings; photos of one lesion are said to be."""
    rows = {"finding": finding, "similarity": pairs["similarity"].array}
    for end, places in (("a", pairs["first"]), ("b", pairs["second"])):
        for fact, column in (("table", "table"), ("image", "image_id"), ("split", "split")):
            rows[f"{fact}_{end}"] = photos[column].array[places]
    lesions = [photos["lesion_id"].array[pairs[end]] for end in ("first", "second")]
    one = (pd.Series(lesions[0]) == pd.Series(lesions[1])).fillna(False)
    return pd.DataFrame(rows).assign(detail=one.map({True: "photos of one lesion", False: pd.NA}).array)


def _crossing_lesions(photos: pd.DataFrame) -> pd.DataFrame:
    """Name each lesion with photos in more than one split, and a photo of two of them.

    A lesion_id that is the photo's own id is known to its table alone: another table's may be another lesion.
    """
    own = photos["lesion_id"] == photos["image_id"]
    key = photos["lesion_id"].mask(own.fillna(False), photos["table"] + "\0" + photos["lesion_id"])
    known = photos.assign(key=key, place=np.arange(len(photos))).dropna(subset=["key", "split"])
    crossing = known[known.groupby("key")["split"].transform("nunique") > 1]
    places = crossing.drop_duplicates(["key", "split"]).set_index("key")["place"]
    rank = places.groupby(level=0).cumcount()
    pairs = pd.DataFrame({"first": places[rank == 0], "second": places[rank == 1], "similarity": np.nan})
    found = _about_pairs(LESION_CROSSES, pairs, photos)
    counts = crossing.groupby(["key", "split"]).size().reset_index(name="photos")
    words = (counts["photos"].astype("string") + " in " + counts["split"]).groupby(counts["key"]).agg(", ".join)
    lesions = photos["lesion_id"].array[pairs["first"]]
    return found.assign(detail=pd.array(lesions, dtype="string") + ": " + words.reindex(pairs.index).array)


def _same_ids(photos: pd.DataFrame) -> pd.DataFrame:
    """Pair the photos of different tables that bear one name of the ISIC Archive."""
    named = photos.assign(place=np.arange(len(photos)))[photos["image_id"].str.fullmatch(ARCHIVE_ID)]
    named = named.assign(name=named["image_id"].str.removesuffix("_downsampled"))[["table", "name", "place"]]
    pairs = named.merge(named, on="name")
    pairs = pairs[(pairs["place_x"] < pairs["place_y"]) & (pairs["table_x"] != pairs["table_y"])]
    return pd.DataFrame({"first": pairs["place_x"], "second": pairs["place_y"], "similarity": np.nan})


def _disagreeing(pairs: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    pairs = pairs.drop_duplicates(["first", "second"])
    first, second = (photos.iloc[pairs[end]].reset_index(drop=True) for end in ("first", "second"))
    said = _compared(first, second)
    found = _about_pairs(LABELS_DISAGREE, pairs, photos).assign(detail=said)
    return found[said.notna()]


def _compared(first: pd.DataFrame, second: pd.DataFrame) -> "pd.Series[str]":
    """Say how the labels of photos, row by row, disagree; NA where they agree or cannot be compared.

    Diagnoses are compared where both are codes, or both another word of one table; else malignant with malignant.
    """
    words = [photos["diagnosis"] for photos in (first, second)]
    coded = [word.isin(CODES) for word in words]
    own = [word.notna() & ~word.isin([*CODES, *MALIGNANCY_CLASSES]) for word in words]
    by_word = (coded[0] & coded[1]) | (own[0] & own[1] & (first["table"] == second["table"]))
    by_malignancy = ~by_word & first["malignant"].notna() & second["malignant"].notna()
    differ = (by_word & (words[0] != words[1])) | (by_malignancy & (first["malignant"] != second["malignant"]))
    said = [_label(photos) for photos in (first, second)]
    return (said[0] + " against " + said[1]).where(differ.fillna(False))


def _label(photos: pd.DataFrame) -> "pd.Series[str]":
    malignancy = photos["malignant"].map(dict(zip((True, False), MALIGNANCY_CLASSES, strict=True)))
    return photos["diagnosis"].astype("string").fillna(malignancy.astype("string"))


def _unreadable(photos: pd.DataFrame, readable: Flags | None) -> pd.DataFrame:
    if readable is None:
        lost, why = photos["path"].notna() & photos["stored_width"].isna(), "not readable when it was indexed"
    else:
        lost, why = pd.Series(~readable), "missing or not readable as a photo"
    rows = photos[lost]
    named = {"table_a": rows["table"], "image_a": rows["image_id"], "split_a": rows["split"]}
    return pd.DataFrame(named).assign(finding=UNREADABLE, detail=rows["path"].fillna("no path") + ": " + why)


def _small(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Name the classes with too few lesions, copies counted as one, for a photo in each tenth of a split."""
    labels = split_labels(table)
    few = small_classes(labels, group_ids(table))
    photos = labels.value_counts()
    detail = [
        f"{label}: {photos[str(label)]:,} photos of {lesions} lesions; a split needs {LEAST_GROUPS}"
        for label, lesions in few.items()
    ]
    return pd.DataFrame({"finding": TOO_SMALL, "table_a": name, "detail": detail})


def _missing(name: str, table: pd.DataFrame) -> pd.DataFrame:
    n, gaps = len(table), table[list(METADATA)].isna().sum()
    detail = [f"{column}: {gap:,} of {n:,} photos ({gap / n:.1%})" for column, gap in gaps.items() if gap]
    alone = int((table["lesion_id"] == table["image_id"]).sum())
    if alone:
        detail.append(f"lesion_id: {alone:,} of {n:,} photos ({alone / n:.1%}) are counted as lesions of their own")
    return pd.DataFrame({"finding": MISSING, "table_a": name, "detail": detail})


def _in_order(found: pd.DataFrame) -> pd.DataFrame:
    """Put leaks first, then labels that disagree, then all else; within each by finding, most alike first."""
    rank = np.select([crosses(found), disagrees(found)], [0, 1], 2)
    kind = found["finding"].map({name: place for place, name in enumerate(FINDINGS)})
    keys = found.assign(rank=rank, kind=kind.astype(int), unlike=-found["similarity"])
    order = ["rank", "kind", "unlike", "table_a", "image_a", "table_b", "image_b", "detail"]
    return keys.sort_values(order, ignore_index=True)[list(FINDING_COLUMNS)]
