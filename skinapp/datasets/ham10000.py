"""HAM10000 (Tschandl et al. 2018, doi 10.1038/sdata.2018.161): folders of photos and a metadata CSV -> image table."""

from pathlib import Path

import pandas as pd

from skinapp.datasets.files import Finding, Indexed, Progress, file_facts, no_progress
from skinapp.datasets.table import image_table
from skinapp.errors import DatasetError
from skinapp.photo import PHOTO_SUFFIXES
from skinapp.taxonomy import BY_CODE, is_malignant

PUBLISHED_SIZE_PX = (600, 450)
"""Width and height of every photo as published (Tschandl et al. 2018, "Technical Validation")."""

CONFIRMATIONS = {
    "histo": "histology",
    "follow_up": "follow-up",
    "consensus": "consensus",
    "confocal": "confocal",
}
"""dx_type of the metadata CSV -> how the diagnosis was confirmed."""

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

_METADATA = "HAM10000_metadata.csv"
_NEEDED = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")


def read_ham10000(
    folder: Path, data_root: Path, isic2019_labels: Path | None = None, progress: Progress = no_progress
) -> Indexed:
    """Index HAM10000 as published (two image folders and the CSV) or with its photos in one folder.

    With ISIC 2019's label CSV the label akiec is told apart into akiec and scc; without it akiec
    stays whole and the table knows seven diagnoses. Photos without a row, rows without a photo,
    ids that stand twice and unknown labels are left out and named in the findings. `progress` is
    called with (photos done, photos in all). Raises DatasetError where there is no metadata CSV, it
    lacks a column, or no photo is found.
    """
    metadata = _read_metadata(folder)
    photos, findings = _find_photos(folder, set(metadata["image_id"]))
    metadata, left_out = _usable_rows(metadata, photos)
    if metadata.empty:
        raise DatasetError(f"No photo of HAM10000 was found below {folder}. Unpack its image folders there.")
    diagnosis, disagreeing = _join_isic2019(metadata, isic2019_labels)
    facts = file_facts([photos[image_id] for image_id in metadata["image_id"]], data_root, progress)
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


def _read_metadata(folder: Path) -> pd.DataFrame:
    candidates = [folder / _METADATA, folder / _METADATA.removesuffix(".csv")]
    file = next((c for c in candidates if c.is_file()), None)
    if file is None:
        raise DatasetError(f"{folder} holds no {_METADATA}. Name the folder that HAM10000 was unpacked in.")
    try:
        metadata = pd.read_csv(file, dtype={"image_id": str, "lesion_id": str})
    except ValueError as error:
        raise DatasetError(f"{file} is not a CSV table ({error}). Download it again.") from error
    lacking = [column for column in _NEEDED if column not in metadata.columns]
    if lacking:
        raise DatasetError(f"{file} lacks the column {', '.join(lacking)}. Download it again.")
    return metadata.fillna({"image_id": "(no image_id)"})


def _find_photos(folder: Path, known: set[str]) -> tuple[dict[str, Path], list[Finding]]:
    """Map image ids to photos below the folder; photos that no row names, or that lie there twice, are findings."""
    photos: dict[str, Path] = {}
    twice, strange = [], []
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in PHOTO_SUFFIXES or _is_mask(file, folder) or not file.is_file():
            continue
        if file.stem not in known:
            strange.append(file.name)
        elif file.stem in photos:
            twice.append(file.name)
        else:
            photos[file.stem] = file
    return photos, [
        Finding("photo without a row in the metadata, left out", tuple(strange)),
        Finding("photo lies in the folder twice, first kept", tuple(twice)),
    ]


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


def read_isic2019_labels(path: Path) -> "pd.Series[str]":
    """Read ISIC 2019's one-hot label CSV as a series of codes by image id; unlabelled photos are left out."""
    try:
        table = pd.read_csv(path, index_col="image")
        onehot = table[list(ISIC2019_CODES)]
    except FileNotFoundError as error:
        raise DatasetError(f"There is no label file at {path}. Check the path.") from error
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{path} is not ISIC 2019's label CSV ({error}). Name the published file.") from error
    labelled = onehot[onehot.sum(axis=1) == 1]
    return labelled.idxmax(axis=1).map(ISIC2019_CODES)


def _known(values: pd.Series) -> pd.Series:
    return values.mask(values == "unknown")
