"""ISIC 2020's photos under other names, melanoma or benign: photos.csv and a folder of photos -> image table.

The published set has ids, patients and several benign diagnoses; this copy has lost them. "benign" is therefore no
lesion type: such a photo has no diagnosis, but is known not to be malignant.
"""

from pathlib import Path

import pandas as pd

from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.photo_files import list_photos
from skinapp.datasets.readers.common import (
    IndexedTable,
    IndexNote,
    match_photos,
    measure_rows,
    note_folder,
    note_unreadable,
    read_metadata,
)
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import BENIGN, MELANOMA

MALIGNANT_BY_LABEL = {"melanoma": True, BENIGN: False}
"""Labels of photos.csv -> whether the photo is malignant."""


def read_isic2020(
    folder: Path, data_root: Path, progress: Progress = ignore_progress, facts_cache: Path | None = None
) -> IndexedTable:
    """Index a folder with photos.csv (image, diagnosis) and the photos that it lists, in any folder below.

    A melanoma has the diagnosis mel, a benign photo none (NA). Each photo counts as a lesion of its own: neither
    lesions nor patients are recorded. Rows without a photo or with another label, repeated rows and photos without a
    row are left out and noted. `progress` is called with (photos done, photos in all); `facts_cache` is that of
    measure_files. Raises DatasetError if photos.csv is missing or malformed, or no photo is found.
    """
    metadata = read_metadata(folder, ("photos.csv",), ("image", "diagnosis"), "ISIC 2020").fillna("(missing)")
    listing = list_photos(folder)
    photos, notes = match_photos(listing.photos, set(metadata["image"]))
    metadata, row_notes = _select_rows(metadata, photos)
    if metadata.empty:
        raise DatasetError(f"No photo of photos.csv was found below {folder}. Unpack its folder of photos there.")
    ids, malignant = metadata["image"], metadata["diagnosis"].map(MALIGNANT_BY_LABEL)
    rows = pd.DataFrame(
        {
            "image_id": ids,
            "lesion_id": ids,
            "diagnosis": pd.Series(MELANOMA, index=ids.index).where(malignant),
            "malignant": malignant,
            "source": "ISIC 2020",
        }
    )
    measured, readable = measure_rows(rows, [photos[image_id] for image_id in ids], data_root, progress, facts_cache)
    notes += [*note_folder(listing, others=False), *row_notes, note_unreadable(ids[~readable])]
    return IndexedTable.from_notes(build_image_table(measured[readable]), notes)


def _select_rows(metadata: pd.DataFrame, photos: dict[str, Path]) -> tuple[pd.DataFrame, list[IndexNote]]:
    """Keep the rows with a photo and a known label, each photo once, and note the others."""
    ids = metadata["image"]
    duplicate = ids.duplicated()
    missing = ~ids.isin(list(photos))
    unlabelled = ~metadata["diagnosis"].isin(list(MALIGNANT_BY_LABEL))
    notes = [
        IndexNote("listed twice, first row kept", tuple(ids[duplicate])),
        IndexNote("listed without a photo, left out", tuple(ids[missing])),
        IndexNote("neither melanoma nor benign, left out", tuple(ids[unlabelled])),
    ]
    return metadata[~(duplicate | missing | unlabelled)].reset_index(drop=True), notes
