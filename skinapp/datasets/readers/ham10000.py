"""HAM10000 (Tschandl et al. 2018, doi 10.1038/sdata.2018.161): folders of photos and a metadata CSV -> image table."""

from pathlib import Path

import pandas as pd

from skinapp.datasets.files import (
    Finding,
    Indexed,
    Progress,
    file_facts,
    no_progress,
    photo_files,
    photos_by_id,
    read_metadata,
)
from skinapp.datasets.labels import CONFIRMATIONS
from skinapp.datasets.readers.isic2019 import read_isic2019_labels
from skinapp.datasets.table import image_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import BY_CODE, is_malignant

PUBLISHED_SIZE_PX = (600, 450)
"""Width and height of every photo as published (Tschandl et al. 2018, "Technical Validation")."""

_METADATA = ("HAM10000_metadata.csv", "HAM10000_metadata")
_NEEDED = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")


def read_ham10000(
    folder: Path,
    data_root: Path,
    isic2019_labels: Path | None = None,
    progress: Progress = no_progress,
    kept: Path | None = None,
) -> Indexed:
    """Index HAM10000 as published (two image folders and the CSV) or with its photos in one folder.

    With ISIC 2019's label CSV the label akiec is told apart into akiec and scc; without it akiec
    stays whole and the table knows seven diagnoses. Photos without a row, rows without a photo,
    ids that stand twice and unknown labels are left out and named in the findings. `progress` is
    called with (photos done, photos in all); `kept` is where file_facts keeps what it measured.
    Raises DatasetError where there is no metadata CSV, it lacks a column, or no photo is found.
    """
    metadata = read_metadata(folder, _METADATA, _NEEDED, "HAM10000").fillna({"image_id": "(no image_id)"})
    files = [file for file in photo_files(folder) if not _is_mask(file, folder)]
    photos, findings = photos_by_id(files, set(metadata["image_id"]))
    metadata, left_out = _usable_rows(metadata, photos)
    if metadata.empty:
        raise DatasetError(f"No photo of HAM10000 was found below {folder}. Unpack its image folders there.")
    diagnosis, disagreeing = _join_isic2019(metadata, isic2019_labels)
    facts = file_facts([photos[image_id] for image_id in metadata["image_id"]], data_root, progress, kept)
    rows = pd.concat([_described(metadata, diagnosis), facts], axis=1)
    unreadable = rows["stored_width"].isna()
    findings += [
        *left_out,
        Finding("ISIC 2019 names another diagnosis, HAM10000's kept", disagreeing),
        Finding("not readable as a picture, left out", tuple(rows["image_id"][unreadable])),
        Finding("age 0, taken as not recorded", tuple(metadata["image_id"][metadata["age"] == 0])),
    ]
    return Indexed(image_table(rows[~unreadable]), tuple(finding for finding in findings if finding.names))


def _usable_rows(metadata: pd.DataFrame, photos: dict[str, Path]) -> tuple[pd.DataFrame, list[Finding]]:
    """Keep the rows that have a photo and a known label, once each; name the others."""
    twice = metadata["image_id"].duplicated()
    missing = ~metadata["image_id"].isin(list(photos))
    unknown = ~metadata["dx"].isin(list(BY_CODE))
    labels = metadata["image_id"] + " (" + metadata["dx"].fillna("none") + ")"
    findings = [
        Finding("listed twice in the metadata, first row kept", tuple(metadata["image_id"][twice])),
        Finding("listed without a photo, left out", tuple(metadata["image_id"][missing])),
        Finding("unknown label, left out", tuple(labels[unknown])),
    ]
    return metadata[~(twice | missing | unknown)].reset_index(drop=True), findings


def _described(metadata: pd.DataFrame, diagnosis: "pd.Series[str]") -> pd.DataFrame:
    """Put the published facts into the columns of an image table; what is not recorded becomes NA."""
    return pd.DataFrame(
        {
            "image_id": metadata["image_id"],
            "lesion_id": metadata["lesion_id"],
            "diagnosis": diagnosis,
            "malignant": diagnosis.map(is_malignant),
            # Age 0 stands where the age is not known; nobody in a dermatoscopy clinic is a newborn 39 times.
            "age": metadata["age"].mask(metadata["age"] == 0),
            "sex": _known(metadata["sex"]),
            "site": _known(metadata["localization"]),
            "camera": metadata.get("dataset", pd.NA),
            "confirmation": metadata["dx_type"].map(CONFIRMATIONS),
            "source": "HAM10000",
            "width": PUBLISHED_SIZE_PX[0],
            "height": PUBLISHED_SIZE_PX[1],
        }
    )


def _is_mask(file: Path, folder: Path) -> bool:
    """Tell lesion outlines and untouched originals, which share their photo's name, from the photos."""
    return file.relative_to(folder).parts[0] in {"masks", "originals"} or file.stem.endswith("_segmentation")


def _join_isic2019(metadata: pd.DataFrame, labels: Path | None) -> tuple[pd.Series, tuple[str, ...]]:
    """Split akiec by ISIC 2019's labels; return the diagnoses and the ids whose other labels disagree."""
    if labels is None:
        return metadata["dx"], ()
    table = read_isic2019_labels(labels)
    theirs = metadata["image_id"].map(table)
    tells_apart = (metadata["dx"] == "akiec") & theirs.isin(["akiec", "scc"])
    disagreeing = metadata["image_id"][theirs.notna() & (theirs != metadata["dx"]) & ~tells_apart]
    return metadata["dx"].mask(tells_apart, theirs), tuple(disagreeing)


def _known(values: pd.Series) -> pd.Series:
    return values.mask(values == "unknown")
