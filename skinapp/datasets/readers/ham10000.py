"""HAM10000 (Tschandl et al. 2018, doi 10.1038/sdata.2018.161): folders of photos and a metadata CSV -> image table."""

from pathlib import Path

import pandas as pd

from skinapp.datasets.columns import read_column
from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.labels import CONFIRMATIONS, translate_label
from skinapp.datasets.photo_files import list_photos
from skinapp.datasets.readers.common import (
    IndexedTable,
    IndexNote,
    match_photos,
    measure_rows,
    note_folder,
    note_unreadable,
    read_age,
    read_metadata,
)
from skinapp.datasets.readers.isic2019 import read_isic2019_labels
from skinapp.datasets.readers.rows import remove_suffix
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import BY_CODE, is_malignant
from skinapp.text_tables.read import read_numbers

PUBLISHED_SIZE_PX = (600, 450)
"""Width and height of every photo as published (Tschandl et al. 2018, "Technical Validation")."""

_METADATA = ("HAM10000_metadata.csv", "HAM10000_metadata", "HAM10000_metadata.tab", "HAM10000_metadata.txt")
_NEEDED = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")


def read_ham10000(
    folder: Path,
    data_root: Path,
    isic2019_labels: Path | None = None,
    progress: Progress = ignore_progress,
    facts_cache: Path | None = None,
) -> IndexedTable:
    """Index HAM10000, either as published (two image folders and the CSV) or with all photos in one folder.

    `isic2019_labels` is ISIC 2019's label CSV: it divides the label akiec into akiec and scc. Without it akiec stays
    whole and the table has seven diagnoses. Photos without a row, rows without a photo, repeated ids and unknown
    labels are left out and noted. `progress` is called with (photos done, photos in all); `facts_cache` is that of
    measure_files. Raises DatasetError if there is no metadata CSV, it lacks a column, or no photo is found.
    """
    metadata = read_metadata(folder, _METADATA, _NEEDED, "HAM10000").fillna({"image_id": "(no image_id)"})
    metadata["image_id"] = metadata["image_id"].map(remove_suffix)
    metadata["dx"] = metadata["dx"].map(lambda word: translate_label(word, {}), na_action="ignore")
    listing = list_photos(folder)
    files = [file for file in listing.photos if not _is_mask(file, folder)]
    photos, notes = match_photos(files, set(metadata["image_id"]))
    notes += note_folder(listing, others=False)
    metadata, row_notes = _select_rows(metadata, photos)
    if metadata.empty:
        raise DatasetError(f"No photo of HAM10000 was found below {folder}. Unpack its image folders there.")
    ids = metadata["image_id"]
    diagnosis, conflicts = _join_isic2019(metadata, isic2019_labels)
    rows = _describe_rows(metadata, diagnosis)
    measured, readable = measure_rows(rows, [photos[image_id] for image_id in ids], data_root, progress, facts_cache)
    notes += [
        *row_notes,
        IndexNote("ISIC 2019 names another diagnosis, HAM10000's kept", conflicts),
        note_unreadable(ids[~readable]),
        IndexNote("age 0, treated as not recorded", tuple(ids[read_numbers(metadata["age"]) == 0])),
    ]
    return IndexedTable.from_notes(build_image_table(measured[readable]), notes)


def _select_rows(metadata: pd.DataFrame, photos: dict[str, Path]) -> tuple[pd.DataFrame, list[IndexNote]]:
    """Keep the rows with a photo and a known label, each once, and note the others."""
    duplicate = metadata["image_id"].duplicated()
    missing = ~metadata["image_id"].isin(list(photos))
    unknown = ~metadata["dx"].isin(list(BY_CODE))
    labels = metadata["image_id"] + " (" + metadata["dx"].fillna("none") + ")"
    notes = [
        IndexNote("listed twice in the metadata, first row kept", tuple(metadata["image_id"][duplicate])),
        IndexNote("listed without a photo, left out", tuple(metadata["image_id"][missing])),
        IndexNote("unknown label, left out", tuple(labels[unknown])),
    ]
    return metadata[~(duplicate | missing | unknown)].reset_index(drop=True), notes


def _describe_rows(metadata: pd.DataFrame, diagnosis: "pd.Series[str]") -> pd.DataFrame:
    """Put the published facts into the columns of an image table; NA where nothing is recorded."""
    return pd.DataFrame(
        {
            "image_id": metadata["image_id"],
            "lesion_id": metadata["lesion_id"],
            "diagnosis": diagnosis,
            "malignant": diagnosis.map(is_malignant),
            # Age 0 means unknown: 39 photos have it, and a dermoscopy clinic sees no newborns.
            "age": read_age(metadata["age"]),
            "sex": read_column("sex", metadata["sex"]).values,
            "site": metadata["localization"],
            "camera": metadata.get("dataset", pd.NA),
            "confirmation": metadata["dx_type"].map(CONFIRMATIONS),
            "source": "HAM10000",
            "width": PUBLISHED_SIZE_PX[0],
            "height": PUBLISHED_SIZE_PX[1],
        }
    )


def _is_mask(file: Path, folder: Path) -> bool:
    """Tell whether a file is a lesion mask or an untouched original, which have the same name as the photo."""
    return file.relative_to(folder).parts[0] in {"masks", "originals"} or file.stem.endswith("_segmentation")


def _join_isic2019(metadata: pd.DataFrame, labels: Path | None) -> tuple[pd.Series, tuple[str, ...]]:
    """Divide akiec by ISIC 2019's labels; return the diagnoses, and the ids of photos with another disagreement."""
    if labels is None:
        return metadata["dx"], ()
    isic2019 = metadata["image_id"].map(read_isic2019_labels(labels))
    divided = (metadata["dx"] == "akiec") & isic2019.isin(["akiec", "scc"])
    conflicts = metadata["image_id"][isic2019.notna() & (isic2019 != metadata["dx"]) & ~divided]
    return metadata["dx"].mask(divided, isic2019), tuple(conflicts)
