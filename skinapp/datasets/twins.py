"""Twins: two files that show one and the same picture, though squashed, cropped a little, resized or recompressed.

Two steps. Small colour pictures propose neighbours: each photo, and its middle, is compared with all others. Then
each proposed pair is laid over one another, first as it lies, then by an affine registration (Evangelidis and Psarakis
2008, as OpenCV's findTransformECC does it), and fine structure alone, hairs, pores and edges, must agree everywhere.
Its contrast is evened out first, because the outline of a dark lesion or of a round field would drown all else, and
the black around a round field is left out.

Two photos taken of one lesion at one sitting can agree in fine structure as well, where they show the same skin. A
split keeps these together too; `is_copy` tells them from copies of one and the same exposure.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from cv2.typing import MatLike

from skinapp.datasets.files import Progress, no_progress
from skinapp.errors import PhotoError
from skinapp.photo import read_photo_file

SAME_PICTURE = 0.6
"""Correlation of fine structure from which two photos are twins.

300 photos of HAM10000 that lie squashed and recompressed in malignant-vs-benign all reach 0.89; no photo of HAM10000
reaches 0.6 with one of BCN20000 or MSK, of other clinics: the nearest has 0.58.
"""

WHOLE, LEAST_SHARED = 0.9, 0.6
"""Share of either photo that both must show: from the first on they are the whole picture, below the second none."""

SAME_CROP, SAME_COLOUR = 0.8, 5.0
"""What a copy must reach that was cropped by more than WHOLE: correlation of fine structure, and at most so many grey
values (0 to 255) of mean difference in its smoothed colours. Another photo of the same lesion differs by about 12."""

LOOK_PX = 96
_GRID = 16
_MARGINS = (0.0, 0.05, 0.1)
"""What is cut off each side of a photo before it is compared with whole photos: finds pictures that were cropped."""

_NEIGHBOURS = 8
_LEAST_ALIKE = 0.7
"""Cosine of the small colour pictures below which a pair is not looked at; twins cropped by 10% lie above it."""

_BLOCK = 512
"""Photos compared with all others at once: 60 MB for 30,000 photos."""

_HALF_PX = LOOK_PX // 2
_WORTH_A_CLOSER_LOOK, _WORTH_A_CLOSER_LOOK_AS_IT_LIES = 0.55, 0.85
"""Pairs are compared at half size first, contrast as it is: registered, and as they lie, where squashed copies agree to
0.88 or better. The registration of pictures with little in them can go astray, so either is enough."""

_NOISE, _FINE, _NEAR, _FORM = 1.0, 2.0, 4.0, 4.0
"""Standard deviations of Gaussians, in pixels of a look: below the first is noise; fine structure is what the second
takes away, its contrast evened out over the third; the fourth, at half size, takes form away."""

_LEAST_CONTRAST, _BLACK = 1.0, 35.0
"""Grey values, 0 to 255: contrast below the first is not blown up; darker than the second is outside a round field."""

_RIM = 8
"""Pixels of a look beside the black that are left out as well: a round field fades towards its edge."""

_LEAST_OVERLAP, _LEAST_LIT = 0.5, 0.2
"""Shares of a look: that both photos must cover, and that must lie inside a round field. In less of it the field's
edge, the same in all photos of one device, is most of what can be compared."""

_AS_IT_LIES = 0.75
"""Correlation of fine structure from which a pair needs no registration; squashed copies reach 0.89 without."""

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


class Overlay(NamedTuple):
    """Two looks laid over one another: how far their fine structure agrees (-1 to 1) and what more is known of it.

    `shared` is the share of either that both show (0 to 1, the smaller of two), `colour_gap` the mean difference of
    their smoothed colours there, in grey values.
    """

    similarity: float
    shared: float
    colour_gap: float


APART = Overlay(0.0, 0.0, 255.0)
"""What is returned for looks that differ already at half size, cannot be laid over one another, or share too little."""


def same_picture(first: Looks, second: Looks) -> float:
    """Lay one look, uint8 (96, 96, 3), over another and return how far their fine structure agrees, -1 to 1."""
    return overlay(first, second).similarity


def overlay(first: Looks, second: Looks) -> Overlay:
    """Lay one look, uint8 (96, 96, 3), over another, as it lies or by registration, whichever agrees better."""
    greys = _grey(first), _grey(second)
    halves = [cv2.resize(grey, (_HALF_PX, _HALF_PX), interpolation=cv2.INTER_AREA) for grey in greys]
    as_it_lies, unmoved = APART, np.eye(2, 3, dtype=np.float32)
    if _form_agrees(halves[0], halves[1], unmoved) >= _WORTH_A_CLOSER_LOOK_AS_IT_LIES:
        as_it_lies = _laid((first, second), greys, unmoved)
        if as_it_lies.similarity >= _AS_IT_LIES:
            return as_it_lies
    warp = _registered(halves[0], halves[1])
    if warp is None or _form_agrees(halves[0], halves[1], warp) < _WORTH_A_CLOSER_LOOK:
        return as_it_lies
    warp = _registered(*greys)
    return as_it_lies if warp is None else max(as_it_lies, _laid((first, second), greys, warp))


def _form_agrees(still: MatLike, moved: MatLike, warp: MatLike) -> float:
    """Correlate two grey half-size looks without their large forms; 0 where they overlap too little."""
    overlap = _overlap(still, warp)
    if overlap.mean() < _LEAST_OVERLAP:
        return 0.0
    laid_over = _warped(moved, warp, cv2.INTER_LINEAR)
    return _correlation(_without_form(still, _FORM / 2), _without_form(laid_over, _FORM / 2), overlap)


def _laid(looks: tuple[Looks, Looks], greys: tuple[MatLike, MatLike], warp: MatLike) -> Overlay:
    still, moved = greys
    overlap, laid_over = _overlap(still, warp), _warped(moved, warp, cv2.INTER_LINEAR)
    lit = _shrunk((still > _BLACK) & (laid_over > _BLACK), _RIM) & _shrunk(overlap, 1)
    if overlap.mean() < _LEAST_OVERLAP or lit.mean() < _LEAST_LIT:
        return APART
    similarity = _correlation(_even_contrast(still), _even_contrast(laid_over), lit)
    if similarity < SAME_PICTURE:
        return Overlay(similarity, 0.0, APART.colour_gap)
    shared = overlap.mean() * min(1.0, abs(float(np.linalg.det(warp[:, :2]))))
    colours = [cv2.GaussianBlur(picture.astype(np.float32), (0, 0), _NEAR) for picture in looks]
    gap = np.abs(colours[0] - _warped(colours[1], warp, cv2.INTER_LINEAR))[overlap].mean()
    return Overlay(similarity, float(shared), float(gap))


def _registered(still: MatLike, moved: MatLike) -> MatLike | None:
    """Find how the second grey picture, float32 (s, s), lies over the first: an affine warp (2, 3), None if not."""
    start, everywhere = np.eye(2, 3, dtype=np.float32), np.ones(moved.shape, dtype=np.uint8)
    try:
        return cv2.findTransformECC(still, moved, start, cv2.MOTION_AFFINE, _STEPS, everywhere, 3)[1]
    except cv2.error:  # it does not converge where there is nothing in common
        return None


def _overlap(still: MatLike, warp: MatLike) -> Mask:
    return np.asarray(_warped(np.ones_like(still), warp, cv2.INTER_NEAREST) > 0)


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
