"""ISIC 2019's training set (its own part: BCN20000 and MSK): photos, label CSV and metadata CSV -> image table."""

from pathlib import Path

import pandas as pd

from skinapp.datasets.columns import read_column
from skinapp.datasets.files import Progress, ignore_progress
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
    read_table_file,
)
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import is_malignant
from skinapp.text_tables.read import read_numbers

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
SHARPER = "sharper"
"""The folder of copies of higher resolution."""

_NEEDED = ("image", "age_approx", "anatom_site_general", "lesion_id", "sex")


def read_isic2019(
    folder: Path,
    data_root: Path,
    progress: Progress = ignore_progress,
    facts_cache: Path | None = None,
    sharper: bool = False,
) -> IndexedTable:
    """Index ISIC 2019, either as published (ISIC_2019_Training_Input and two CSVs) or with its photos in any folder.

    HAM10000's photos, known by their lesion_id, are left out even if they are in the folder: a second table with
    them would bring HAM10000's test and showcase photos back into training. A photo without a lesion_id counts as a
    lesion of its own, under its own id. `camera` is the clinic in the lesion_id ("BCN", "MSK"), NA without one. Copies
    of higher resolution in a folder SHARPER take the place of photos of the same name where `sharper` says so;
    otherwise they are left alone. Rows without a photo or diagnosis, photos without a row and repeated ids are left out
    and noted. `progress` is called with (photos done, photos in all); `facts_cache` is that of measure_files. Raises
    DatasetError if a CSV is missing or malformed, no photo is found, or no sharper one where they are asked for.
    """
    metadata = read_metadata(folder, _METADATA, _NEEDED, "ISIC 2019").fillna({"image": "(no image)"})
    labels = read_isic2019_labels(folder / _LABELS)
    listing = list_photos(folder)
    files, replaced = _choose_copies(listing.photos, folder, sharper)
    photos, notes = match_photos(files, set(metadata["image"]))
    notes += note_folder(listing, others=False)
    metadata, row_notes = _select_rows(metadata, photos, labels)
    if metadata.empty:
        raise DatasetError(
            f"No photo of ISIC 2019 (apart from HAM10000's) was found below {folder}. Unpack its image folder there."
        )
    ids = metadata["image"]
    rows = _describe_rows(metadata, ids.map(labels))
    measured, readable = measure_rows(rows, [photos[image_id] for image_id in ids], data_root, progress, facts_cache)
    no_lesion = metadata["lesion_id"].isna()
    notes += [
        *row_notes,
        IndexNote("replaced by a sharper copy", tuple(replaced)),
        note_unreadable(ids[~readable]),
        IndexNote("age 0, treated as not recorded", tuple(ids[readable & (read_numbers(metadata["age_approx"]) == 0)])),
        IndexNote("without a lesion_id, counted as one lesion each", tuple(ids[readable & no_lesion])),
    ]
    return IndexedTable.from_notes(build_image_table(measured[readable]), notes)


def _choose_copies(files: list[Path], folder: Path, sharper: bool) -> tuple[list[Path], list[str]]:
    """Return the photos to index, with sharper copies or without, and the names of the photos that these replace."""
    copies = [file for file in files if SHARPER in file.relative_to(folder).parts[:-1]]
    plain = sorted(set(files) - set(copies))
    if not sharper:
        return plain, []
    if not copies:
        raise DatasetError(
            f"{folder} holds no photo in a folder {SHARPER}. Put the copies there or leave out --sharper."
        )
    names = {file.stem for file in copies}
    return copies + [file for file in plain if file.stem not in names], [f.name for f in plain if f.stem in names]


def read_isic2019_labels(path: Path) -> "pd.Series[str]":
    """Read ISIC 2019's one-hot label CSV as codes indexed by image id; photos without a label are left out.

    Raises DatasetError if the file is missing, is not that CSV, or labels a photo twice.
    """
    if not path.is_file():
        raise DatasetError(f"There is no label file at {path}. Check the path.")
    table = read_table_file(path)
    lacking = [column for column in ("image", *ISIC2019_CODES) if column not in table.columns]
    onehot = pd.DataFrame(
        {column: read_numbers(table.text(column)) for column in ISIC2019_CODES if column not in lacking},
        index=None if "image" in lacking else pd.Index(table.text("image")),
    )
    if lacking or onehot.isna().to_numpy().any():
        fault = f"it lacks {', '.join(lacking)}" if lacking else "a cell is not a number"
        raise DatasetError(f"{path} is not ISIC 2019's label CSV: {fault}. Name the published file.")
    duplicates = onehot.index[onehot.index.duplicated()]
    if len(duplicates):
        raise DatasetError(f"{path} labels {duplicates[0]} more than once. Name the published file.")
    labelled = onehot[onehot.sum(axis=1) == 1]
    codes: pd.Series[str] = labelled.idxmax(axis=1).map(ISIC2019_CODES)
    return codes


def _select_rows(
    metadata: pd.DataFrame, photos: dict[str, Path], labels: "pd.Series[str]"
) -> tuple[pd.DataFrame, list[IndexNote]]:
    """Keep the rows of ISIC 2019's own photos with a file and a diagnosis, each once, and note the others."""
    ids = metadata["image"]
    ham10000 = metadata["lesion_id"].str.startswith("HAM_", na=False)
    duplicate = ids.duplicated() & ~ham10000
    missing = ~ids.isin(list(photos)) & ~ham10000
    unlabelled = ~ids.isin(labels.index) & ~ham10000
    notes = [
        IndexNote("part of HAM10000, which has a table of its own, left out", tuple(ids[ham10000])),
        IndexNote("listed twice in the metadata, first row kept", tuple(ids[duplicate])),
        IndexNote("listed without a photo, left out", tuple(ids[missing])),
        IndexNote("without one of the eight diagnoses, left out", tuple(ids[unlabelled])),
        IndexNote("labelled without a row in the metadata, left out", tuple(labels.index[~labels.index.isin(ids)])),
    ]
    return metadata[~(ham10000 | duplicate | missing | unlabelled)].reset_index(drop=True), notes


def _describe_rows(metadata: pd.DataFrame, diagnosis: "pd.Series[str]") -> pd.DataFrame:
    """Put the published facts into the columns of an image table; NA where nothing is recorded."""
    return pd.DataFrame(
        {
            "image_id": metadata["image"],
            # Stored runs and intervals count lesions, so each photo needs one.
            "lesion_id": metadata["lesion_id"].fillna(metadata["image"]),
            "diagnosis": diagnosis,
            "malignant": diagnosis.map(is_malignant),
            "age": read_age(metadata["age_approx"]),
            "sex": read_column("sex", metadata["sex"]).values,
            "site": metadata["anatom_site_general"],
            # MSK4_0012345 is the clinic's fourth series. A name ending in _downsampled proves nothing: such photos
            # with a lesion_id are MSK's, but most have none, and no file says which clinic they come from.
            "camera": metadata["lesion_id"].str.extract(r"^([A-Z]+)\d*_", expand=False),
            "source": "ISIC 2019",
        }
    )
