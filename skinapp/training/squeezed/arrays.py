"""Photos of an image table -> X.npy, X_g.npy, y.npy: squeezed to 75 x 100 px, in colour and grey, with their class."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.files import Progress
from skinapp.datasets.table import read_table
from skinapp.errors import DatasetError
from skinapp.files import file_sha256, written_aside
from skinapp.photo import Photo
from skinapp.taxonomy import CODES
from skinapp.training.batches import decode

HEIGHT_PX, WIDTH_PX = 75, 100
CLASSES = tuple(code for code in CODES if code != "scc")
"""HAM10000's seven, in the order of their numbers 0 to 6: akiec, bcc, bkl, df, mel, nv, vasc."""

COLOUR_FILE, GREY_FILE, CLASS_FILE, FACTS_FILE = "X.npy", "X_g.npy", "y.npy", "arrays.json"


@dataclass(frozen=True, eq=False)
class Arrays:
    """Squeezed photos: `photos` is their table, a row each, in the order of the arrays.

    colour: uint8 (n, 75, 100, 3); grey: uint8 (n, 75, 100); classes: int64 (n,), places in CLASSES.
    """

    photos: pd.DataFrame
    colour: npt.NDArray[np.uint8]
    grey: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.int64]


def seven_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the photos of the seven classes, scc counted as akiec, in the table's order, numbered anew."""
    labelled = table.assign(diagnosis=table["diagnosis"].replace({"scc": "akiec"}))
    return labelled[labelled["diagnosis"].isin(CLASSES)].reset_index(drop=True)


def squeeze(photo: Photo) -> np.ndarray:
    """Resize a photo's pixels to uint8 (75, 100, 3), whatever its shape was; areas are averaged against aliasing."""
    return cv2.resize(photo.pixels, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)


def write_arrays(table_path: Path, folder: Path, data_root: Path, progress: Progress, one_hot: bool = False) -> int:
    """Write X.npy (uint8 n, 75, 100, 3), X_g.npy (uint8 n, 75, 100), y.npy and arrays.json; return n.

    y is int64 (n,), 0 to 6 in the order of CLASSES, or with `one_hot` float32 (n, 7) of 0 and 1. Rows are the photos of
    `seven_classes`. Each file is written aside and moved; arrays.json, which vouches for the others, goes first and
    comes last. Raises DatasetError where no photo is of the seven classes, PhotoError where one cannot be read.
    """
    photos = seven_classes(read_table(table_path))
    if photos.empty:
        raise DatasetError(f"{table_path} has no photo of {', '.join(CLASSES)}. Name a table that tells diagnoses.")
    (folder / FACTS_FILE).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    colour = np.stack(decode(photos, data_root, squeeze, progress))
    grey = np.stack([cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) for pixels in colour])
    classes = _classes(photos)
    truth = np.eye(len(CLASSES), dtype=np.float32)[classes] if one_hot else classes
    for name, array in ((COLOUR_FILE, colour), (GREY_FILE, grey), (CLASS_FILE, truth)):
        with written_aside(folder / name) as aside, aside.open("wb") as file:
            np.save(file, array)
    facts = {"table_sha256": file_sha256(table_path), "photos": len(photos), "classes": CLASSES, "one_hot": one_hot}
    with written_aside(folder / FACTS_FILE) as aside:
        aside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return len(photos)


def arrays_of(table_path: Path, root: Path, data_root: Path, progress: Progress) -> Arrays:
    """Return the arrays of a table, from a folder below `root` named by the table's fingerprint; made where missing."""
    sha256 = file_sha256(table_path)
    folder = root / f"arrays-{sha256[:12]}"
    if not (folder / FACTS_FILE).is_file():
        write_arrays(table_path, folder, data_root, progress)
    colour, grey = (np.load(folder / name, mmap_mode="r") for name in (COLOUR_FILE, GREY_FILE))
    photos = seven_classes(read_table(table_path))
    return Arrays(photos, colour, grey, _classes(photos))


def _classes(photos: pd.DataFrame) -> npt.NDArray[np.int64]:
    return pd.Categorical(photos["diagnosis"], categories=CLASSES).codes.astype(np.int64)
