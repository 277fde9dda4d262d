"""What an audit found about image tables: the kinds of findings, and a stored audit to read and count.

A finding is one row of a frame with the columns and types of FINDING_COLUMNS. A finding about two photos names both.
In one about a single photo the second photo is NA, and one about a class or a column names no photo at all.

===================================  ==============================================================================
finding                              one of FINDINGS
table_a, image_a, split_a            the first photo: its table's name, its image_id and its split
table_b, image_b, split_b            the second photo
similarity                           of two photos: 1 for the same file, else the result of the search for copies
detail                               further facts, in words
===================================  ==============================================================================
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.errors import DatasetError

SAME_FILE = "same file"
SAME_PICTURE = "same picture"
LESION_CROSSES = "lesion crosses a split"
PATIENT_CROSSES = "patient crosses a split"
LABELS_DISAGREE = "labels disagree"
UNREADABLE = "unreadable file"
TOO_SMALL = "class too small to split"
MISSING = "metadata missing"

FINDINGS = (
    SAME_FILE,
    SAME_PICTURE,
    LESION_CROSSES,
    PATIENT_CROSSES,
    LABELS_DISAGREE,
    UNREADABLE,
    TOO_SMALL,
    MISSING,
)
"""Kinds of findings, in the order in which they are shown."""

FINDING_COLUMNS = {
    "finding": "string",
    **{f"{fact}_{end}": "string" for end in "ab" for fact in ("table", "image", "split")},
    "similarity": "Float32",
    "detail": "string",
}


@dataclass(frozen=True)
class Leaks:
    """The number of findings that cross a split: within one table, and between it and other tables."""

    within: int
    between: int


def read_findings(path: Path) -> pd.DataFrame:
    """Read the findings that `skinapp audit` wrote as Parquet; DatasetError if the file does not hold any."""
    try:
        return pd.read_parquet(path, columns=list(FINDING_COLUMNS)).astype(FINDING_COLUMNS)
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{path} holds no findings ({error}). Make them again with `skinapp audit`.") from error


def select_findings(findings: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the findings about a table, by its name, in the same order with a new index."""
    either = (findings["table_a"] == table) | (findings["table_b"] == table)
    return findings[either.fillna(False)].reset_index(drop=True)


def crosses_split(findings: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which findings are leaks, with their two photos in different splits, bool (n,)."""
    return (findings["split_a"] != findings["split_b"]).fillna(False).astype(bool)


def has_label_conflict(findings: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which findings are about two photos with labels that disagree, bool (n,)."""
    ends = ["table_a", "image_a", "table_b", "image_b"]
    pairs = pd.MultiIndex.from_frame(findings[ends].astype(object))
    flags = pairs.isin(pairs[findings["finding"] == LABELS_DISAGREE]) & findings["image_b"].notna()
    return pd.Series(flags, index=findings.index)


def count_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Count findings: columns finding, found, across_splits, labels_disagree; one row per kind in FINDINGS.

    A row about patients is left out where none was found: most tables name no patients, so nothing was looked for.
    """
    flags = pd.DataFrame(
        {
            "finding": findings["finding"],
            "found": 1,
            "across_splits": crosses_split(findings),
            "labels_disagree": has_label_conflict(findings),
        }
    )
    counts = flags.groupby("finding").sum().reindex(list(FINDINGS), fill_value=0).astype(int)
    return counts[(counts["found"] > 0) | (counts.index != PATIENT_CROSSES)].reset_index()


def count_leaks(findings: pd.DataFrame, table: str) -> Leaks:
    """Count the findings about a table that cross a split; a lesion that crosses one is one finding."""
    crossing = select_findings(findings[crosses_split(findings)], table)
    within = int((crossing["table_a"] == crossing["table_b"]).sum())
    return Leaks(within, len(crossing) - within)
