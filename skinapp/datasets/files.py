"""Facts measured on photo files: hash, size, colour, sharpness and perceptual hash, many files in parallel."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import pandas as pd

from skinapp.datasets.facts_cache import Facts, FactsCache, FileState, read_file_state
from skinapp.datasets.measures import MEASURES, compute_perceptual_hash, measure
from skinapp.errors import PhotoError
from skinapp.files import compute_sha256
from skinapp.photo import read_photo_file

Progress = Callable[[int, int], None]
"""Called with (photos done, photos in all)."""

FILE_FACTS = ("path", "stored_width", "stored_height", "sha256", *MEASURES, "perceptual_hash")
"""Columns of an image table that are measured on the file; all others come from the source's metadata."""

_MEASURED = FILE_FACTS[1:]

_BLOCK = 512
"""Photos handed to the threads at a time, which bounds the queue whatever their number."""


def ignore_progress(done: int, total: int) -> None:
    """Show nothing."""


def measure_files(
    files: Sequence[Path], data_root: Path, progress: Progress = ignore_progress, facts_cache: Path | None = None
) -> pd.DataFrame:
    """Hash and measure files in parallel: one row per file, in their order, with the columns of FILE_FACTS.

    A file that cannot be read as a photo has only path and sha256; one that cannot be opened has only its path. The
    rest is NA. `facts_cache` is a file that takes the facts as they are measured, so that a second call after an
    interruption measures only what is missing (see skinapp.datasets.facts_cache); the caller deletes it. Raises
    ValueError if a file lies outside the data root.
    """
    paths = [file.relative_to(data_root).as_posix() for file in files]
    rows: list[Facts] = []
    with FactsCache(facts_cache, _MEASURED) as cache, _open_threads() as pool:

        def get_facts(file: Path) -> tuple[FileState, Facts]:
            state = read_file_state(file)
            return state, cache.get(state) or _measure_file(file)

        for start in range(0, len(files), _BLOCK):
            for state, facts in pool.map(get_facts, files[start : start + _BLOCK]):
                if facts["sha256"]:  # the next run may be able to open a file that this one could not
                    cache.add(state, facts)
                rows.append(facts)
                progress(len(rows), len(files))
    return pd.DataFrame(rows, columns=list(FILE_FACTS)).assign(path=paths)


@contextmanager
def _open_threads() -> Iterator[ThreadPoolExecutor]:
    """Open threads to measure photos in; after an interruption, work that has not started is cancelled."""
    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # each photo has one thread; OpenCV's own threads on top would halve the speed
    pool = ThreadPoolExecutor()
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(opencv_threads)


def _measure_file(file: Path) -> Facts:
    try:
        photo = read_photo_file(file)
    except PhotoError:
        return {"sha256": _hash_file(file)}
    return {
        "sha256": photo.sha256,
        "stored_width": photo.width,
        "stored_height": photo.height,
        "perceptual_hash": compute_perceptual_hash(photo.pixels),
        **measure(photo.pixels),
    }


def _hash_file(file: Path) -> str | None:
    try:
        return compute_sha256(file)
    except OSError:  # deleted, or no permission to read it
        return None
