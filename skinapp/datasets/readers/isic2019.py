"""ISIC 2019's training set (its own part: BCN20000 and MSK): photos, label CSV and metadata CSV -> image table."""

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
from skinapp.datasets.table import image_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import is_malignant

ISIC2019_CODES = {
    "MEL": "mel",
    "NV": "nv",
    "BCC": "bcc",
    "AK": "akiec",
    "BKL": "bkl",
    "DF": "df",
    "VASC": "vasc",
    "SCC": "scc",
}
"""Columns of ISIC 2019's label CSV -> codes of the taxonomy."""

_METADATA = ("ISIC_2019_Training_Metadata.csv",)
_LABELS = "ISIC_2019_Training_GroundTruth.csv"
_NEEDED = ("image", "age_approx", "anatom_site_general", "lesion_id", "sex")


def read_isic2019(folder: Path, data_root: Path, progress: Progress = no_progress, kept: Path | None = None) -> Indexed:
    """Index ISIC 2019 as published (ISIC_2019_Training_Input and two CSVs) or with its photos in any folder.

    HAM10000's photos, told by their lesion_id, are left out even where they lie there: in a second
    table they would bring its test and showcase photos back into training. A photo without a
    lesion_id becomes a lesion of its own, under its own id. `camera` is the clinic in the lesion_id
    ("BCN", "MSK"), NA without one. Rows without a photo or diagnosis, photos without a row and ids
    that stand twice are left out and named in the findings. `progress` is called with (photos done,
    photos in all); `kept` is where file_facts keeps what it measured. Raises DatasetError where a CSV
    is missing or malformed, or no photo is found.
    """
    metadata = read_metadata(folder, _METADATA, _NEEDED, "ISIC 2019").fillna({"image": "(no image)"})
    labels = read_isic2019_labels(folder / _LABELS)
    photos, findings = photos_by_id(photo_files(folder), set(metadata["image"]))
    metadata, left_out = _usable_rows(metadata, photos, labels)
    if metadata.empty:
        raise DatasetError(
            f"No photo of ISIC 2019, HAM10000's aside, was found below {folder}. Unpack its image folder there."
        )
    facts = file_facts([photos[image_id] for image_id in metadata["image"]], data_root, progress, kept)
    rows = pd.concat([_described(metadata, metadata["image"].map(labels)), facts], axis=1)
    unreadable = rows["stored_width"].isna()
    ids, there = metadata["image"], ~unreadable
    findings += [
        *left_out,
        Finding("not readable as a picture, left out", tuple(ids[unreadable])),
        Finding("age 0, taken as not recorded", tuple(ids[there & (metadata["age_approx"] == 0)])),
        Finding("without a lesion_id, taken as a lesion of its own", tuple(ids[there & metadata["lesion_id"].isna()])),
    ]
    return Indexed(image_table(rows[there]), tuple(finding for finding in findings if finding.names))


def read_isic2019_labels(path: Path) -> "pd.Series[str]":
    """Read ISIC 2019's one-hot label CSV as a series of codes by image id; unlabelled photos are left out."""
    try:
        table = pd.read_csv(path, index_col="image", dtype={"image": str})
        onehot = table[list(ISIC2019_CODES)].astype(float)
    except FileNotFoundError as error:
        raise DatasetError(f"There is no label file at {path}. Check the path.") from error
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{path} is not ISIC 2019's label CSV ({error}). Name the published file.") from error
    twice = onehot.index[onehot.index.duplicated()]
    if len(twice):
        raise DatasetError(f"{path} labels {twice[0]} more than once. Name the published file.")
    labelled = onehot[onehot.sum(axis=1) == 1]
    codes: pd.Series[str] = labelled.idxmax(axis=1).map(ISIC2019_CODES)
    return codes


def _usable_rows(
    metadata: pd.DataFrame, photos: dict[str, Path], labels: "pd.Series[str]"
) -> tuple[pd.DataFrame, list[Finding]]:
    """Keep the rows of ISIC 2019's own photos that have a file and a diagnosis, once each; name the others."""
    ids = metadata["image"]
    ham10000 = metadata["lesion_id"].str.startswith("HAM_", na=False)
    twice = ids.duplicated() & ~ham10000
    missing = ~ids.isin(list(photos)) & ~ham10000
    unlabelled = ~ids.isin(labels.index) & ~ham10000
    findings = [
        Finding("part of HAM10000, which has a table of its own, left out", tuple(ids[ham10000])),
        Finding("listed twice in the metadata, first row kept", tuple(ids[twice])),
        Finding("listed without a photo, left out", tuple(ids[missing])),
        Finding("without one of the eight diagnoses, left out", tuple(ids[unlabelled])),
        Finding("labelled without a row in the metadata, left out", tuple(labels.index[~labels.index.isin(ids)])),
    ]
    return metadata[~(ham10000 | twice | missing | unlabelled)].reset_index(drop=True), findings


def _described(metadata: pd.DataFrame, diagnosis: "pd.Series[str]") -> pd.DataFrame:
    """Put the published facts into the columns of an image table; what is not recorded becomes NA."""
    return pd.DataFrame(
        {
            "image_id": metadata["image"],
            # Stored runs and intervals count lesions, so that each photo needs one.
            "lesion_id": metadata["lesion_id"].fillna(metadata["image"]),
            "diagnosis": diagnosis,
            "malignant": diagnosis.map(is_malignant),
            "age": metadata["age_approx"].mask(metadata["age_approx"] == 0),
            "sex": metadata["sex"],
            "site": metadata["anatom_site_general"],
            # MSK4_0012345 is the clinic's fourth series. Names ending in _downsampled are no proof: where
            # such a photo has a lesion_id it is MSK's, but most have none, and no file says whose they are.
            "camera": metadata["lesion_id"].str.extract(r"^([A-Z]+)\d*_", expand=False),
            "source": "ISIC 2019",
        }
    )
