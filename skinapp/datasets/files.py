"""Facts of photo files, measured in parallel, and what every reader of a data set returns."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image, UnidentifiedImageError

from skinapp.storage import file_sha256

Progress = Callable[[int, int], None]
"""Called with (photos done, photos in all)."""


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


def file_facts(files: Sequence[Path], data_root: Path, progress: Progress = no_progress) -> pd.DataFrame:
    """Measure and hash files in parallel: columns path, stored_width, stored_height, sha256, in their order.

    The sizes of a file that is no picture are NA. Raises ValueError where a file lies outside the data root.
    """
    rows = []
    with ThreadPoolExecutor() as pool:
        for done, facts in enumerate(pool.map(_facts, files), start=1):
            rows.append(facts)
            progress(done, len(files))
    frame = pd.DataFrame(rows, columns=["stored_width", "stored_height", "sha256"])
    frame.insert(0, "path", [file.relative_to(data_root).as_posix() for file in files])
    return frame


def _facts(file: Path) -> tuple[int | None, int | None, str]:
    try:
        with Image.open(file) as picture:
            width, height = picture.size
    except UnidentifiedImageError:
        return None, None, file_sha256(file)
    return width, height, file_sha256(file)
