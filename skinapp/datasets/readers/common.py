"""The steps that all readers share, in order: find photos, read metadata, match rows with files, measure, build.

A reader decides only which rows it keeps, and what the source says about each of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.datasets.files import Progress, measure_files
from skinapp.errors import DatasetError
from skinapp.photo import PHOTO_SUFFIXES
from skinapp.taxonomy import BENIGN, MALIGNANT


@dataclass(frozen=True)
class IndexNote:
    """Something noticed while a data set was indexed: `what` it is, and the `names` (ids or file names) concerned."""

    what: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class IndexedTable:
    """An image table and the notes made while it was built."""

    table: pd.DataFrame
    notes: tuple[IndexNote, ...]

    @classmethod
    def from_notes(cls, table: pd.DataFrame, notes: Collection[IndexNote]) -> "IndexedTable":
        """Keep only the notes that name something."""
        return cls(table, tuple(note for note in notes if note.names))


def find_photo_files(folder: Path) -> list[Path]:
    """List every file below a folder that has the suffix of a photo, sorted."""
    return [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in PHOTO_SUFFIXES and file.is_file()]


def read_metadata(folder: Path, names: Sequence[str], needed: Sequence[str], source: str) -> pd.DataFrame:
    """Read a data set's metadata CSV: the first of `names` that the folder holds. Ids are read as text.

    Raises DatasetError if there is no such file, it is not a CSV table, or it lacks one of the `needed` columns.
    """
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    if file is None:
        raise DatasetError(f"{folder} holds no {names[0]}. Name the folder that {source} was unpacked in.")
    try:
        metadata = pd.read_csv(file, dtype=dict.fromkeys(("image", "image_id", "lesion_id"), str))
    except ValueError as error:
        raise DatasetError(f"{file} is not a CSV table ({error}). Download it again.") from error
    lacking = [column for column in needed if column not in metadata.columns]
    if lacking:
        raise DatasetError(f"{file} lacks the column {', '.join(lacking)}. Download it again.")
    return metadata


def match_photos(files: Sequence[Path], known: Collection[str]) -> tuple[dict[str, Path], list[IndexNote]]:
    """Map the `known` image ids to photos by file name, and note photos without a row and photos that occur twice."""
    photos: dict[str, Path] = {}
    duplicates, unlisted = [], []
    for file in files:
        if file.stem not in known:
            unlisted.append(file.name)
        elif file.stem in photos:
            duplicates.append(file.name)
        else:
            photos[file.stem] = file
    return photos, [
        IndexNote("photo without a row in the metadata, left out", tuple(unlisted)),
        IndexNote("photo twice in the folder, first kept", tuple(duplicates)),
    ]


def measure_rows(
    rows: pd.DataFrame, files: Sequence[Path], data_root: Path, progress: Progress, facts_cache: Path | None
) -> tuple[pd.DataFrame, "pd.Series[bool]"]:
    """Add to each row the facts measured on its file (see measure_files), and tell which files could be read, (n,)."""
    facts = measure_files(files, data_root, progress, facts_cache)
    measured = pd.concat([rows.reset_index(drop=True), facts], axis=1)
    return measured, measured["stored_width"].notna()


def note_unreadable(names: "pd.Series[str]") -> IndexNote:
    """Note the photos that were left out because they could not be read."""
    return IndexNote("not readable as a picture, left out", tuple(names))


def note_unknown_labels(table: pd.DataFrame) -> IndexNote:
    """Note the labels that do not say whether a photo is malignant, each with its number of photos."""
    unknown = table["diagnosis"][table["diagnosis"].notna() & table["malignant"].isna()].value_counts().sort_index()
    return IndexNote(
        f"label that is not a diagnosis code, {MALIGNANT} or {BENIGN}, kept as it is",
        tuple(f"{label} ({photos:,} photos)" for label, photos in unknown.items()),
    )
