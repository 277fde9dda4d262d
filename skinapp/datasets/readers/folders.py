"""Folders of photos named after what they hold, in splits or not, labelled or not -> image table."""

from pathlib import Path, PurePosixPath

import pandas as pd

from skinapp.datasets.files import Progress, ignore_progress
from skinapp.datasets.labels import derive_malignancy, find_split, is_undecided, read_label_map, translate_label
from skinapp.datasets.photo_files import list_photos
from skinapp.datasets.readers.common import (
    IndexedTable,
    IndexNote,
    measure_rows,
    note_folder,
    note_unknown_labels,
    note_unreadable,
)
from skinapp.datasets.table import build_image_table
from skinapp.errors import DatasetError

_NEUTRAL = {
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "photo",
    "pictures",
    "pics",
    "files",
    "data",
    "jpg",
    "jpeg",
    "png",
}
"""Names of folders, in lower case, that say nothing of the lesions in them."""


def read_folders(
    folder: Path,
    data_root: Path,
    labels: Path | None = None,
    progress: Progress = ignore_progress,
    facts_cache: Path | None = None,
) -> IndexedTable:
    """Index photos in class folders of any depth, with or without train, val and test folders, labelled or not.

    The image_id is the path below the folder without its suffix ("train/benign/3"). The diagnosis is the name of the
    deepest folder that is not a split or called "images" and the like, NA where there is none. Each photo counts as a
    lesion of its own. `labels` is a CSV of two columns, with or without a header line, that maps folder names to the
    eight codes, malignant or benign.
    Other names stay as they are, and `malignant` is then NA. Case is ignored. What is left out or unknown is noted.
    `progress` is called with (photos done, photos in all); `facts_cache` is that of measure_files. Raises DatasetError
    if the folder is missing or holds no readable photo, or the map is missing or malformed.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder at {folder}. Check the path.")
    label_map = {} if labels is None else read_label_map(labels)
    listing = list_photos(folder)
    files = listing.photos
    paths = pd.Series([file.relative_to(folder).as_posix() for file in files], dtype="string")
    rows = _describe_paths(paths, label_map).assign(source=folder.resolve().name)
    measured, readable = measure_rows(rows, files, data_root, progress, facts_cache)
    duplicate = measured["image_id"].where(readable).duplicated() & readable
    table = build_image_table(measured[readable & ~duplicate])
    if table.empty:
        raise DatasetError(f"No readable photo was found below {folder}. Name a folder that holds photos.")
    unused = sorted(set(label_map) - _list_folder_names(paths))
    notes = [
        *note_folder(listing),
        note_unreadable(paths[~readable]),
        IndexNote("same name as another photo with another suffix, first kept", tuple(paths[duplicate])),
        *_note_gaps(table),
        IndexNote("name in the label map that no folder has", tuple(unused)),
    ]
    return IndexedTable.from_notes(table, notes)


def _describe_paths(paths: "pd.Series[str]", label_map: dict[str, str]) -> pd.DataFrame:
    """Derive from paths below the folder the columns image_id, lesion_id, diagnosis, malignant and split."""
    photos = [PurePosixPath(path) for path in paths]
    ids = [photo.with_suffix("").as_posix() for photo in photos]
    diagnosis = pd.Series([_find_label(photo, label_map) for photo in photos], dtype="string")
    diagnosis = diagnosis.mask(diagnosis.isin([label for label in diagnosis.dropna().unique() if is_undecided(label)]))
    return pd.DataFrame(
        {
            "image_id": ids,
            "lesion_id": ids,
            "diagnosis": diagnosis,
            "malignant": derive_malignancy(diagnosis),
            "split": [_find_split(photo) for photo in photos],
        }
    )


def _find_label(path: PurePosixPath, label_map: dict[str, str]) -> str | None:
    """Return the label of the deepest folder that is named after one; see translate_label. None without such a folder.

    Splits are no labels, nor are names such as "images", unless the map has them.
    """
    named = (part for part in reversed(path.parent.parts) if part.casefold() in label_map or not _is_neutral(part))
    name = next(named, None)
    return None if name is None else translate_label(name, label_map)


def _is_neutral(folder: str) -> bool:
    return folder.casefold() in _NEUTRAL or find_split(folder) is not None


def _find_split(path: PurePosixPath) -> str | None:
    levels = [split for part in path.parent.parts if (split := find_split(part))]
    return levels[-1] if levels else None


def _list_folder_names(paths: "pd.Series[str]") -> set[str]:
    return {part.casefold() for path in paths for part in PurePosixPath(path).parent.parts}


def _note_gaps(table: pd.DataFrame) -> list[IndexNote]:
    """Note unknown labels, and the photos without a label, split or lesion."""
    ids, labels = table["image_id"], table["diagnosis"]
    in_class = ids.map(lambda name: _find_label(PurePosixPath(name), {}) is not None).astype(bool)
    no_split = table["split"].isna() & bool(table["split"].notna().any())
    return [
        note_unknown_labels(table),
        IndexNote("in no class folder, without a label", tuple(ids[labels.isna() & ~in_class])),
        IndexNote("in a folder of undecided lesions, without a label", tuple(ids[labels.isna() & in_class])),
        IndexNote("outside the split folders, without a split", tuple(ids[no_split])),
        IndexNote("lesion not recorded, counted as one lesion each", tuple(ids)),
    ]
