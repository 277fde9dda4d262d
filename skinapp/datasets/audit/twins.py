"""Twins: two files that show one and the same picture, though squashed, cropped a little, resized or recompressed.

Two steps. Small colour pictures propose neighbours: each photo, and its middle, is compared with all others. Then
each proposed pair is laid over one another (skinapp.datasets.audit.overlay), and fine structure must agree everywhere.

Two photos taken of one lesion at one sitting can agree in fine structure as well, where they show the same skin. A
split keeps these together too; `is_copy` tells them from copies of one and the same exposure.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.audit.overlay import LOOK_PX, SAME_PICTURE, Looks, Mask, Overlay, look, overlay
from skinapp.datasets.files import Progress, no_progress
from skinapp.errors import PhotoError
from skinapp.photo import read_photo_file

WHOLE, LEAST_SHARED = 0.9, 0.6
"""Share of either photo that both must show: from the first on they are the whole picture, below the second none."""

SAME_CROP, SAME_COLOUR = 0.8, 5.0
"""What a copy must reach that was cropped by more than WHOLE: correlation of fine structure, and at most so many grey
values (0 to 255) of mean difference in its smoothed colours. Photos of MSK
in malignant-vs-benign, cropped to two thirds, mostly differ by 1 to 3; another photo of the same lesion by about 12."""

_GRID = 16
_MARGINS = (0.0, 0.05, 0.1)
"""What is cut off each side of a photo before it is compared with whole photos: finds pictures that were cropped."""

_NEIGHBOURS = 8
_LEAST_ALIKE = 0.7
"""Cosine of the small colour pictures below which a pair is not looked at; twins cropped by 10% lie above it."""

_BLOCK = 512
"""Photos compared with all others at once: 60 MB for 30,000 photos."""

Vectors = npt.NDArray[np.float32]


def read_looks(files: Sequence[Path], progress: Progress = no_progress) -> tuple[Looks, Mask]:
    """Read photos in parallel and return their looks, uint8 (n, 96, 96, 3), and which could be read, bool (n,).

    The look of a photo that could not be read is black; `progress` is called with (photos done, photos in all).
    """
    looks, readable = np.zeros((len(files), LOOK_PX, LOOK_PX, 3), dtype=np.uint8), np.zeros(len(files), dtype=bool)

    def read(place: int) -> None:
        try:
            looks[place] = look(read_photo_file(files[place]).pixels)
        except PhotoError:
            return
        readable[place] = True

    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(read, range(len(files))), start=1):
            progress(done, len(files))
    return looks, readable


def twin_ids(table: pd.DataFrame, data_root: Path, progress: Progress = no_progress) -> pd.DataFrame:
    """Find the twins among the photos of an image table: columns image_a, image_b and similarity.

    Photos that cannot be read have none. `progress` is called while photos are read, then while pairs are compared.
    """
    looks, readable = read_looks([data_root / path for path in table["path"]], progress)
    seen = table[readable].reset_index(drop=True)
    twins = find_twins(looks[readable], seen["lesion_id"], progress)
    ids = seen["image_id"].to_numpy()
    return pd.DataFrame(
        {"image_a": ids[twins["first"]], "image_b": ids[twins["second"]], "similarity": twins["similarity"]}
    )


def find_twins(looks: Looks, lesion_ids: "pd.Series[str]", progress: Progress = no_progress) -> pd.DataFrame:
    """Find the pairs of photos that show the same picture, or the same skin at one sitting.

    `looks` is uint8 (n, 96, 96, 3), `lesion_ids` names each photo's lesion, NA where it is not known. Photos of one
    lesion are all compared with each other; photos of different lesions where their small pictures are near
    neighbours. Returns columns first, second (places in the arrays, first < second), similarity (SAME_PICTURE
    to 1), shared and colour_gap (see Overlay), most alike first. Mirrored and turned copies are not looked for.
    `progress` is called with pairs compared and pairs in all.
    """
    lesions = pd.factorize(lesion_ids.fillna(pd.Series([f"photo {n}" for n in range(len(looks))])))[0]
    pairs = np.unique(np.concatenate([_same_lesion(lesions), *_neighbours(looks, lesions)]), axis=0)
    blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
    found: list[Overlay] = []
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the pictures are too small to be shared among threads; the pairs are shared instead
    try:
        with ThreadPoolExecutor() as pool:
            for overlays in pool.map(lambda block: [overlay(looks[a], looks[b]) for a, b in block], blocks):
                found += overlays
                progress(len(found), len(pairs))
    finally:
        cv2.setNumThreads(threads)
    laid = pd.DataFrame(found, columns=["similarity", "shared", "colour_gap"], dtype=float)
    twins = pd.concat([pd.DataFrame(pairs, columns=["first", "second"]), laid], axis=1)
    twins = twins[twins["similarity"] >= SAME_PICTURE]
    return twins.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def is_copy(twins: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which of the twins that `find_twins` returned are copies of one exposure, bool (n,).

    Those that show the same whole, and those cropped of which at least LEAST_SHARED is left, in the same colours.
    """
    cropped = (twins["similarity"] >= SAME_CROP) & (twins["colour_gap"] <= SAME_COLOUR)
    return (twins["shared"] >= WHOLE) | ((twins["shared"] >= LEAST_SHARED) & cropped)


def _same_lesion(lesions: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """List every pair of photos of one lesion, (pairs, 2)."""
    photos = pd.DataFrame({"lesion": lesions, "place": np.arange(len(lesions))})
    pairs = photos.merge(photos, on="lesion")
    kept = pairs[pairs["place_x"] < pairs["place_y"]]
    return kept[["place_x", "place_y"]].to_numpy(dtype=np.intp)


def _neighbours(looks: Looks, lesions: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield pairs of photos of different lesions whose small colour pictures are near neighbours, (pairs, 2)."""
    variants = [_vectors(looks, margin) for margin in _MARGINS]
    k = min(_NEIGHBOURS, len(looks) - 1)
    for start in range(0, len(looks), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(looks)))
        alike = np.maximum.reduce([variants[0][rows] @ variant.T for variant in variants])
        alike[lesions[rows][:, None] == lesions[None]] = -1
        nearest = np.argpartition(-alike, k, axis=1)[:, :k]
        pairs = np.stack([np.repeat(rows, k), nearest.ravel()], axis=1)
        likely = np.take_along_axis(alike, nearest, axis=1).ravel() >= _LEAST_ALIKE
        yield np.sort(pairs[likely], axis=1)


def _vectors(looks: Looks, margin: float) -> Vectors:
    """Describe each look, less a margin on every side, by its colours on a coarse grid: float32 (n, 768), length 1."""
    cut = round(LOOK_PX * margin)
    vectors = np.empty((len(looks), _GRID * _GRID * 3), dtype=np.float32)
    for place, picture in enumerate(looks):
        inside = picture[cut : LOOK_PX - cut, cut : LOOK_PX - cut]
        cells = cv2.resize(inside, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
        cells -= cells.mean(axis=(0, 1))
        vectors[place] = cells.ravel() / (np.linalg.norm(cells) + 1e-6)
    return vectors
