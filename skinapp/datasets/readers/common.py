"""The steps that all readers share, in order: find photos, read metadata, match rows with files, measure, build.

A reader decides only which rows it keeps, and what the source says about each of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinapp.datasets.columns import read_column
from skinapp.datasets.files import Progress, measure_files
from skinapp.datasets.photo_files import PhotoListing
from skinapp.errors import DatasetError
from skinapp.taxonomy import BENIGN, CODES, MALIGNANCY_CLASSES, MALIGNANT
from skinapp.text_tables.read import TextTable, mark_missing, read_text_table


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


def note_folder(listing: PhotoListing, others: bool = True) -> list[IndexNote]:
    """Note what a folder holds beside photos that can be indexed; `others` says whether its other files are named."""
    return [
        IndexNote("file without the suffix of a photo, left out", tuple(listing.others if others else ())),
        IndexNote("folder without a photo", tuple(listing.empty if others else ())),
        IndexNote("hidden or system file, left out", tuple(listing.hidden)),
        IndexNote("folder that cannot be opened, or link to nothing", tuple(listing.unreadable)),
        IndexNote("file with a name that is not UTF-8, left out: rename it", tuple(listing.unnameable)),
        IndexNote("link to a folder that is read already", tuple(listing.again)),
    ]


def read_metadata(folder: Path, names: Sequence[str], needed: Sequence[str], source: str) -> pd.DataFrame:
    """Read a data set's metadata: the first of `names` that the folder holds, in any spelling of a table of text.

    Returns its cells as text under the names of its columns in lower case, NA where one is missing. Raises DatasetError
    if there is no such file, it is not a table, or it lacks one of the `needed` columns.
    """
    file = next((folder / name for name in names if (folder / name).is_file()), None)
    if file is None:
        raise DatasetError(f"{folder} holds no {' or '.join(names)}. Name the folder that {source} was unpacked in.")
    table = read_table_file(file)
    metadata = table.frame().rename(columns=str.lower)
    lacking = [column for column in needed if column not in metadata.columns]
    if lacking:
        raise DatasetError(f"{file} lacks the column {', '.join(lacking)}. Download it again.")
    return metadata.apply(mark_missing)


def read_table_file(file: Path) -> TextTable:
    """Read a text table from a file; DatasetError where it cannot be read."""
    try:
        return read_text_table(file.read_bytes(), str(file))
    except OSError as error:
        raise DatasetError(f"{file} cannot be read ({error.strerror}). Check the path.") from error


def match_photos(files: Sequence[Path], known: Collection[str]) -> tuple[dict[str, Path], list[IndexNote]]:
    """Map the `known` image ids to photos by file name, and note photos without a row and photos that occur twice."""
    photos: dict[str, Path] = {}
    duplicates, unlisted = [], []
    folded = {image_id.casefold(): image_id for image_id in known}
    for file in files:
        image_id = file.stem if file.stem in known else folded.get(file.stem.casefold())
        if image_id is None:
            unlisted.append(file.name)
        elif image_id in photos:
            duplicates.append(file.name)
        else:
            photos[image_id] = file
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


def read_age(cells: "pd.Series[str]") -> pd.Series:
    """Read ages in years, NA where none is recorded; 0 is how some sources write that."""
    ages = read_column("age", cells).values
    return ages.mask(ages == 0)


def note_unreadable(names: "pd.Series[str]") -> IndexNote:
    """Note the photos that were left out because they could not be read."""
    return IndexNote("not readable as a picture, left out", tuple(names))


def note_unknown_labels(table: pd.DataFrame) -> IndexNote:
    """Note the labels that do not say whether a photo is malignant, each with its number of photos."""
    strange = table["diagnosis"].notna() & table["malignant"].isna()
    strange &= ~table["diagnosis"].isin([*CODES, *MALIGNANCY_CLASSES])
    unknown = table["diagnosis"][strange].value_counts().sort_index()
    return IndexNote(
        f"label that is not a diagnosis code, {MALIGNANT} or {BENIGN}, kept as it is",
        tuple(f"{label} ({photos:,} photos)" for label, photos in unknown.items()),
    )
