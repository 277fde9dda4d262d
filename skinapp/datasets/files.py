"""What every reader of a data set uses and returns: photos found, metadata read, files measured in parallel."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import pandas as pd

from skinapp.datasets.kept import Facts, FileState, KeptFacts, file_state
from skinapp.datasets.measures import MEASURES, measure, perceptual_hash
from skinapp.errors import DatasetError, PhotoError
from skinapp.files import file_sha256
from skinapp.photo import PHOTO_SUFFIXES, read_photo_file

Progress = Callable[[int, int], None]
"""Called with (photos done, photos in all)."""

FILE_FACTS = ("path", "stored_width", "stored_height", "sha256", *MEASURES, "perceptual_hash")
"""Columns of an image table that the file itself states; the source's metadata states the others."""

_MEASURED = FILE_FACTS[1:]

_BLOCK = 512
"""Photos handed to the threads at once: so many wait in a queue, of however many there are."""


@dataclass(frozen=True)
class Finding:
    """Something about a data set that a reader must know: what, and which photos (ids or file names)."""

    what: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Indexed:
    """An image table and what was noticed while it was made."""

    table: pd.DataFrame
    findings: tuple[Finding, ...]


def no_progress(done: int, total: int) -> None:
    """Show nothing."""


def photo_files(folder: Path) -> list[Path]:
    """Find every file below a folder that its suffix calls a photo, sorted."""
    return [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in PHOTO_SUFFIXES and file.is_file()]


def photos_by_id(files: Sequence[Path], known: Collection[str]) -> tuple[dict[str, Path], list[Finding]]:
    """Map known image ids to photos by file name; photos that no row names, or that lie there twice, are findings."""
    photos: dict[str, Path] = {}
    twice, strange = [], []
    for file in files:
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


def read_metadata(folder: Path, names: Sequence[str], needed: Sequence[str], source: str) -> pd.DataFrame:
    """Read a data set's metadata CSV, the first of `names` that the folder holds; ids are read as text.

    Raises DatasetError where there is none, it is no CSV table or it lacks one of the `needed` columns.
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


def file_facts(
    files: Sequence[Path], data_root: Path, progress: Progress = no_progress, kept: Path | None = None
) -> pd.DataFrame:
    """Hash and measure files in parallel: a row a file, in their order, with the columns of FILE_FACTS.

    All but path and sha256 are NA for a file that cannot be read as a photo, sha256 too for one that cannot be opened.
    `kept` is a file in which facts are kept as they are measured: a call that was broken off and is made again
    measures only what is lacking (see skinapp.datasets.kept); who names it removes it. Raises ValueError where a file
    lies outside the data root.
    """
    paths = [file.relative_to(data_root).as_posix() for file in files]
    rows: list[Facts] = []
    with KeptFacts(kept, _MEASURED) as known, _threads() as pool:

        def facts_of(file: Path) -> tuple[FileState, Facts]:
            state = file_state(file)
            return state, known.get(state) or _facts(file)

        for start in range(0, len(files), _BLOCK):
            for state, facts in pool.map(facts_of, files[start : start + _BLOCK]):
                if facts["sha256"]:  # what could not be opened may be open to the next run
                    known.keep(state, facts)
                rows.append(facts)
                progress(len(rows), len(files))
    return pd.DataFrame(rows, columns=list(FILE_FACTS)).assign(path=paths)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Give threads to measure photos in; what has not begun is dropped when one breaks off."""
    threads_of_each = cv2.getNumThreads()
    cv2.setNumThreads(1)  # photos are shared among threads; sharing each among OpenCV's as well halves the speed
    pool = ThreadPoolExecutor()
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(threads_of_each)


def _facts(file: Path) -> Facts:
    try:
        photo = read_photo_file(file)
    except PhotoError:
        return {"sha256": _hash(file)}
    return {
        "sha256": photo.sha256,
        "stored_width": photo.width,
        "stored_height": photo.height,
        "perceptual_hash": perceptual_hash(photo.pixels),
        **measure(photo.pixels),
    }


def _hash(file: Path) -> str | None:
    try:
        return file_sha256(file)
    except OSError:  # gone, or not ours to read
        return None
