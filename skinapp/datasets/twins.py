"""Twins: two files that show one and the same picture, though squashed, cropped a little, resized or recompressed.

Two steps. Small colour pictures propose neighbours: each photo, and its middle, is compared with all others. Then
each proposed pair is laid over one another by an affine registration (Evangelidis and Psarakis 2008, as OpenCV's
findTransformECC does it) and fine structure alone, hairs, pores and edges, must agree everywhere. Its contrast is
evened out first, because the outline of a dark lesion or of a round field would drown all else, and the black around
a round field is left out. Two photos of one lesion agree in their large forms but not in these.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from cv2.typing import MatLike

from skinapp.datasets.files import Progress, no_progress
from skinapp.errors import PhotoError
from skinapp.photo import read_photo_file

SAME_PICTURE = 0.6
"""Correlation of fine structure from which two photos count as one picture.

Of 1,500 photos cropped by up to 5% a side, squashed and recompressed all stay above 0.8; among the nearest photos of
HAM10000 and of other clinics none reaches 0.55.
"""

LOOK_PX = 96
_GRID = 16
_MARGINS = (0.0, 0.05, 0.1)
"""What is cut off each side of a photo before it is compared with whole photos: finds pictures that were cropped."""

_NEIGHBOURS = 8
_LEAST_ALIKE = 0.7
"""Cosine of the small colour pictures below which a pair is not looked at; twins cropped by 10% lie above it."""

_BLOCK = 512
"""Photos compared with all others at once: 60 MB for 30,000 photos."""

_HALF_PX, _WORTH_A_CLOSER_LOOK = LOOK_PX // 2, 0.55
"""Pairs are compared at half size first, contrast as it is; twins agree there to 0.75 or better, most others less."""

_NOISE, _FINE, _NEAR, _FORM = 1.0, 2.0, 4.0, 4.0
"""Standard deviations of Gaussians, in pixels of a look: below the first is noise; fine structure is what the second
takes away, its contrast evened out over the third; the fourth, at half size, takes form away."""

_LEAST_CONTRAST, _BLACK = 1.0, 35.0
"""Grey values, 0 to 255: contrast below the first is not blown up; darker than the second is outside a round field."""

_RIM = 8
"""Pixels of a look beside the black that are left out as well: a round field fades towards its edge."""

_LEAST_OVERLAP, _LEAST_LIT = 0.5, 0.1

_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-3)

Looks = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def look(pixels: npt.NDArray[np.uint8]) -> Looks:
    """Squash a photo, uint8 (h, w, 3), to the small picture that twins are told by: uint8 (96, 96, 3)."""
    small = cv2.resize(pixels, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8)


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
    """Find the pairs of photos that show the same picture.

    `looks` is uint8 (n, 96, 96, 3), `lesion_ids` names each photo's lesion, NA where it is not known. Photos of one
    lesion are all compared with each other; photos of different lesions where their small pictures are near
    neighbours. Returns columns first, second (places in the arrays, first < second) and similarity (SAME_PICTURE
    to 1), most alike first. Mirrored and turned copies are not looked for. `progress` is called with pairs compared
    and pairs in all.
    """
    lesions = pd.factorize(lesion_ids.fillna(pd.Series([f"photo {n}" for n in range(len(looks))])))[0]
    pairs = np.unique(np.concatenate([_same_lesion(lesions), *_neighbours(looks, lesions)]), axis=0)
    blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
    found: list[float] = []
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the pictures are too small to be shared among threads; the pairs are shared instead
    try:
        with ThreadPoolExecutor() as pool:
            for similarities in pool.map(lambda block: [same_picture(looks[a], looks[b]) for a, b in block], blocks):
                found += similarities
                progress(len(found), len(pairs))
    finally:
        cv2.setNumThreads(threads)
    twins = pd.DataFrame({"first": pairs[:, 0], "second": pairs[:, 1], "similarity": found})
    twins = twins[twins["similarity"] >= SAME_PICTURE]
    return twins.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def same_picture(first: Looks, second: Looks) -> float:
    """Lay one look, uint8 (96, 96, 3), over another and return how far their fine structure agrees, -1 to 1.

    0 where they differ already at half size, cannot be laid over one another, or overlap by less than half.
    """
    still, moved = _grey(first), _grey(second)
    halves = [cv2.resize(picture, (_HALF_PX, _HALF_PX), interpolation=cv2.INTER_AREA) for picture in (still, moved)]
    registered = _registered(*halves)
    if registered is None:
        return 0.0
    laid_over, overlap = registered
    form = _FORM / 2
    if _correlation(_without_form(halves[0], form), _without_form(laid_over, form), overlap) < _WORTH_A_CLOSER_LOOK:
        return 0.0
    registered = _registered(still, moved)
    if registered is None:
        return 0.0
    laid_over, overlap = registered
    lit = _shrunk((still > _BLACK) & (laid_over > _BLACK), _RIM) & _shrunk(overlap, 1)
    seen = lit if lit.mean() >= _LEAST_LIT else overlap
    return _correlation(_even_contrast(still), _even_contrast(laid_over), seen)


def _registered(still: MatLike, moved: MatLike) -> tuple[MatLike, Mask] | None:
    """Lay the second grey picture, float32 (s, s), over the first; with it where they overlap, bool (s, s)."""
    start, everywhere = np.eye(2, 3, dtype=np.float32), np.ones(moved.shape, dtype=np.uint8)
    try:
        _, warp = cv2.findTransformECC(still, moved, start, cv2.MOTION_AFFINE, _STEPS, everywhere, 3)
    except cv2.error:  # it does not converge where there is nothing in common
        return None
    overlap: Mask = _warped(np.ones_like(still), warp, cv2.INTER_NEAREST) > 0
    return (_warped(moved, warp, cv2.INTER_LINEAR), overlap) if overlap.mean() >= _LEAST_OVERLAP else None


def _warped(picture: MatLike, warp: MatLike, interpolation: int) -> MatLike:
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(picture, warp, size, flags=interpolation | cv2.WARP_INVERSE_MAP)


def _grey(picture: Looks) -> MatLike:
    return cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), _NOISE)


def _without_form(grey: MatLike, sigma: float) -> MatLike:
    return grey - cv2.GaussianBlur(grey, (0, 0), sigma)


def _even_contrast(grey: MatLike) -> MatLike:
    fine = _without_form(grey, _FINE)
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), _NEAR))
    return fine / (contrast + _LEAST_CONTRAST)


def _shrunk(mask: Mask, pixels: int) -> Mask:
    """Take so many pixels off a mask's edges, but not off the picture's own."""
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    shrunk: Mask = cv2.erode(mask.astype(np.uint8), kernel, borderValue=1) > 0
    return shrunk


def _correlation(first: MatLike, second: MatLike, where: Mask) -> float:
    a, b = first[where], second[where]
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else 0.0


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
