"""Twins: two files that show the same picture, perhaps squashed, slightly cropped, resized or recompressed.

The search has two steps. First each photo, whole and cropped, is compared with all others as a coarse colour picture,
which proposes pairs. Then each proposed pair is laid over one another (skinapp.datasets.audit.overlay); their fine
structure must agree everywhere.

Two photos of one lesion taken at one sitting can agree in fine structure too, as they show the same skin. A split keeps
them together as well; `is_copy` tells them from copies of the same exposure.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.audit.overlay import (
    SAME_PICTURE,
    THUMBNAIL_PX,
    Mask,
    Overlay,
    Thumbnails,
    make_thumbnail,
    overlay,
)
from skinapp.datasets.files import Progress, ignore_progress
from skinapp.errors import DatasetError, PhotoError
from skinapp.photo import read_photo_file

MIN_WHOLE, MIN_SHARED = 0.9, 0.6
"""Share of either photo that both show: at least the first for a copy of the whole picture, the second if cropped."""

SAME_CROP, SAME_COLOUR = 0.8, 5.0
"""A copy that shows less than MIN_WHOLE must reach this correlation of fine structure, with at most this mean
difference of smoothed colours (grey values, 0 to 255). MSK's photos in malignant-vs-benign, cropped to two thirds,
mostly differ by 1 to 3; another photo of the same lesion differs by about 12."""

_GRID = 16
_MARGINS = (0.0, 0.05, 0.1)
"""Shares cut off each side of a photo before it is compared with whole photos, to find cropped copies."""

_NEIGHBOURS = 8
_MIN_ALIKE = 0.7
"""Minimum cosine of the coarse colour pictures of a proposed pair; twins cropped by 10% lie above it."""

_BLOCK = 512
"""Photos compared with all others at a time: 60 MB for 30,000 photos."""

Vectors = npt.NDArray[np.float32]


def read_thumbnails(files: Sequence[Path], progress: Progress = ignore_progress) -> tuple[Thumbnails, Mask]:
    """Read photos in parallel: their thumbnails, uint8 (n, 96, 96, 3), and which photos could be read, bool (n,).

    The thumbnail of a photo that could not be read is black; `progress` is called with (photos done, photos in all).
    """
    thumbnails, readable = (
        np.zeros((len(files), THUMBNAIL_PX, THUMBNAIL_PX, 3), dtype=np.uint8),
        np.zeros(len(files), dtype=bool),
    )

    def read(number: int) -> None:
        try:
            thumbnails[number] = make_thumbnail(read_photo_file(files[number]).pixels)
        except PhotoError:
            return
        readable[number] = True

    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(read, range(len(files))), start=1):
            progress(done, len(files))
    return thumbnails, readable


def find_twin_ids(
    table: pd.DataFrame, data_root: Path, progress: Progress = ignore_progress
) -> tuple[pd.DataFrame, int]:
    """Find the twins among the photos of an image table: columns image_a, image_b and similarity.

    Photos that cannot be read are ignored, and their number is the second value returned. `progress` is called while
    photos are read, then while pairs are compared. DatasetError if none can be read: then nothing was looked at.
    """
    with_path = table[table["path"].notna()]
    thumbnails, readable = read_thumbnails([data_root / path for path in with_path["path"]], progress)
    if len(table) and not readable.any():
        raise DatasetError(
            f"None of the {len(table):,} photos can be read below {data_root}. Correct --data or SKINAPP_DATA."
        )
    photos = with_path[readable].reset_index(drop=True)
    twins = find_twins(thumbnails[readable], photos["lesion_id"], progress)
    ids = photos["image_id"].to_numpy()
    found = {"image_a": ids[twins["first"]], "image_b": ids[twins["second"]], "similarity": twins["similarity"]}
    return pd.DataFrame(found), len(table) - len(photos)


def find_twins(
    thumbnails: Thumbnails, lesion_ids: "pd.Series[str]", progress: Progress = ignore_progress
) -> pd.DataFrame:
    """Find the pairs of photos that show the same picture, or the same skin at one sitting.

    `thumbnails` is uint8 (n, 96, 96, 3); `lesion_ids` names each photo's lesion, NA where it is unknown. All photos of
    one lesion are compared with each other, and photos of different lesions if their coarse colour pictures are near
    neighbours. Returns columns first, second (row numbers, first < second), similarity (SAME_PICTURE to 1), shared and
    colour_gap (see Overlay), the most similar first. Mirrored and turned copies are not found. `progress` is called
    with (pairs compared, pairs in all).
    """
    lesions = pd.factorize(lesion_ids.fillna(pd.Series([f"photo {n}" for n in range(len(thumbnails))])))[0]
    pairs = np.unique(np.concatenate([_pair_same_lesion(lesions), *_find_neighbours(thumbnails, lesions)]), axis=0)
    blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
    overlays: list[Overlay] = []
    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # thumbnails are too small to divide among threads; the pairs are divided instead
    try:
        with ThreadPoolExecutor() as pool:
            for compared_block in pool.map(
                lambda block: [overlay(thumbnails[a], thumbnails[b]) for a, b in block], blocks
            ):
                overlays += compared_block
                progress(len(overlays), len(pairs))
    finally:
        cv2.setNumThreads(opencv_threads)
    compared = pd.DataFrame(overlays, columns=["similarity", "shared", "colour_gap"], dtype=float)
    twins = pd.concat([pd.DataFrame(pairs, columns=["first", "second"]), compared], axis=1)
    twins = twins[twins["similarity"] >= SAME_PICTURE]
    return twins.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def is_copy(twins: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which of the twins from `find_twins` are copies of one exposure, bool (n,).

    These are twins that both show the whole picture, and cropped ones that share at least MIN_SHARED with the same
    colours.
    """
    cropped = (twins["similarity"] >= SAME_CROP) & (twins["colour_gap"] <= SAME_COLOUR)
    return (twins["shared"] >= MIN_WHOLE) | ((twins["shared"] >= MIN_SHARED) & cropped)


def _pair_same_lesion(lesions: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """List every pair of photos of one lesion, (pairs, 2)."""
    photos = pd.DataFrame({"lesion": lesions, "row": np.arange(len(lesions))})
    pairs = photos.merge(photos, on="lesion")
    ordered = pairs[pairs["row_x"] < pairs["row_y"]]
    return ordered[["row_x", "row_y"]].to_numpy(dtype=np.intp)


def _find_neighbours(thumbnails: Thumbnails, lesions: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield pairs of photos of different lesions with similar coarse colour pictures, (pairs, 2)."""
    variants = [_compute_vectors(thumbnails, margin) for margin in _MARGINS]
    k = min(_NEIGHBOURS, len(thumbnails) - 1)
    for start in range(0, len(thumbnails), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(thumbnails)))
        similarity = np.maximum.reduce([variants[0][rows] @ variant.T for variant in variants])
        similarity[lesions[rows][:, None] == lesions[None]] = -1
        nearest = np.argpartition(-similarity, k, axis=1)[:, :k]
        pairs = np.stack([np.repeat(rows, k), nearest.ravel()], axis=1)
        likely = np.take_along_axis(similarity, nearest, axis=1).ravel() >= _MIN_ALIKE
        yield np.sort(pairs[likely], axis=1)


def _compute_vectors(thumbnails: Thumbnails, margin: float) -> Vectors:
    """Reduce each thumbnail, less a margin on every side, to a coarse grid of colours: float32 (n, 768), length 1."""
    cut = round(THUMBNAIL_PX * margin)
    vectors = np.empty((len(thumbnails), _GRID * _GRID * 3), dtype=np.float32)
    for number, picture in enumerate(thumbnails):
        inside = picture[cut : THUMBNAIL_PX - cut, cut : THUMBNAIL_PX - cut]
        cells = cv2.resize(inside, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
        cells -= cells.mean(axis=(0, 1))
        vectors[number] = cells.ravel() / (np.linalg.norm(cells) + 1e-6)
    return vectors
