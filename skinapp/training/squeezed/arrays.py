"""Squeeze the photos of an image table to arrays of 75 x 100 px, in colour and grey: X.npy, X_g.npy and y.npy."""

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
from skinapp.files import compute_sha256, replace_file
from skinapp.photo import Photo
from skinapp.taxonomy import CODES
from skinapp.training.batches import decode_photos

HEIGHT_PX, WIDTH_PX = 75, 100
CLASSES = tuple(code for code in CODES if code != "scc")
"""HAM10000's seven classes, in the order of their numbers 0 to 6: akiec, bcc, bkl, df, mel, nv, vasc."""

COLOUR_FILE, GREY_FILE, CLASS_FILE, FACTS_FILE = "X.npy", "X_g.npy", "y.npy", "arrays.json"


@dataclass(frozen=True, eq=False)
class SqueezedArrays:
    """Squeezed photos; `photos` is their image table, one row per photo, in the order of the arrays.

    colour: uint8 (n, 75, 100, 3); grey: uint8 (n, 75, 100); classes: int64 (n,), indices into CLASSES.
    """

    photos: pd.DataFrame
    colour: npt.NDArray[np.uint8]
    grey: npt.NDArray[np.uint8]
    classes: npt.NDArray[np.int64]


def select_seven_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Select the photos of the seven classes, with scc counted as akiec, in the table's order, with a new index."""
    labelled = table.assign(diagnosis=table["diagnosis"].replace({"scc": "akiec"}))
    return labelled[labelled["diagnosis"].isin(CLASSES)].reset_index(drop=True)


def squeeze(photo: Photo) -> np.ndarray:
    """Resize a photo to uint8 (75, 100, 3), whatever its aspect ratio; area interpolation avoids aliasing."""
    return cv2.resize(photo.pixels, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)


def write_arrays(table_path: Path, folder: Path, data_root: Path, progress: Progress, one_hot: bool = False) -> int:
    """Write X.npy (uint8 n, 75, 100, 3), X_g.npy (uint8 n, 75, 100), y.npy and arrays.json; return n.

    y is int64 (n,), 0 to 6 in the order of CLASSES, or with `one_hot` float32 (n, 7) of 0 and 1. Rows are the photos of
    `select_seven_classes`. arrays.json is deleted first and written last, so it is there only if the others are
    complete. Raises DatasetError where no photo is of the seven classes, PhotoError where one cannot be read.
    """
    photos = select_seven_classes(read_table(table_path))
    if photos.empty:
        raise DatasetError(f"{table_path} has no photo of {', '.join(CLASSES)}. Name a table with these diagnoses.")
    (folder / FACTS_FILE).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    colour = np.stack(decode_photos(photos, data_root, squeeze, progress))
    grey = np.stack([cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) for pixels in colour])
    classes = _encode_classes(photos)
    truth = np.eye(len(CLASSES), dtype=np.float32)[classes] if one_hot else classes
    for name, array in ((COLOUR_FILE, colour), (GREY_FILE, grey), (CLASS_FILE, truth)):
        with replace_file(folder / name) as aside, aside.open("wb") as file:
            np.save(file, array)
    facts = {"table_sha256": compute_sha256(table_path), "photos": len(photos), "classes": CLASSES, "one_hot": one_hot}
    with replace_file(folder / FACTS_FILE) as aside:
        aside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return len(photos)


def load_arrays(table_path: Path, root: Path, data_root: Path, progress: Progress) -> SqueezedArrays:
    """Return the arrays of a table; they are written once to a folder below `root`, named by the table's sha256."""
    sha256 = compute_sha256(table_path)
    folder = root / f"arrays-{sha256[:12]}"
    if not (folder / FACTS_FILE).is_file():
        write_arrays(table_path, folder, data_root, progress)
    colour, grey = (np.load(folder / name, mmap_mode="r") for name in (COLOUR_FILE, GREY_FILE))
    photos = select_seven_classes(read_table(table_path))
    return SqueezedArrays(photos, colour, grey, _encode_classes(photos))


def _encode_classes(photos: pd.DataFrame) -> npt.NDArray[np.int64]:
    return pd.Categorical(photos["diagnosis"], categories=CLASSES).codes.astype(np.int64)
