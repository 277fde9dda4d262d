"""One photo laid over another: how well they agree even if one was squashed, cropped, resized or recompressed.

A pair is compared unmoved, then after an affine registration (Evangelidis and Psarakis 2008, by OpenCV's
findTransformECC). Only fine structure counts: hairs, pores and edges. Its contrast is evened out first, because the
outline of a dark lesion or of a round field would dominate otherwise. The black around a round field is left out.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

SAME_PICTURE = 0.6
"""Minimum correlation of fine structure for two photos to be twins.

Unmoved, 300 photos of HAM10000 and their squashed and recompressed copies in malignant-vs-benign all reach 0.89. No
photo of HAM10000 was found to be a copy of one from another clinic; before round fields were left out, the nearest
pair had 0.58.
"""

THUMBNAIL_PX = 96
"""Side in pixels of the thumbnails, photos squashed to a square, that are compared."""

_HALF_PX = THUMBNAIL_PX // 2
_MIN_HALF_SIZE, _MIN_HALF_SIZE_UNMOVED = 0.55, 0.85
"""Minimum correlation at half size, registered and unmoved, for a pair to be compared at full size. Squashed copies
reach 0.88 unmoved. Registration can fail for pictures with little structure, so either is enough."""

_NOISE, _FINE, _NEAR, _FORM = 1.0, 2.0, 4.0, 4.0
"""Standard deviations of Gaussian filters, in pixels of a thumbnail: the first removes noise, the second fine
structure; the third evens out its contrast; the fourth, halved for half size, separates large forms."""

_MIN_CONTRAST, _BLACK = 1.0, 35.0
"""Grey values, 0 to 255: contrast below the first is not amplified; darker than the second is outside a round field."""

_RIM = 8
"""Pixels of a thumbnail beside the black that are left out too, because a round field fades towards its edge."""

_MIN_OVERLAP, _MIN_LIT = 0.5, 0.2
"""Minimum shares of a thumbnail that both photos cover, and that lies inside a round field. With less, the edge of the
field, which is the same in all photos of a device, dominates the comparison."""

_SAME_UNMOVED = 0.75
"""Correlation of fine structure at which a pair needs no registration; squashed copies reach 0.89 unmoved."""

_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-3)

Thumbnails = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def make_thumbnail(pixels: npt.NDArray[np.uint8]) -> Thumbnails:
    """Squash a photo, uint8 (h, w, 3), to the thumbnail for comparisons: uint8 (96, 96, 3)."""
    small = cv2.resize(pixels, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8)


class Overlay(NamedTuple):
    """The result of laying one thumbnail over another; `similarity` is the correlation of fine structure (-1 to 1).

    `shared` is the share of either that both show (0 to 1, the smaller of the two), `colour_gap` the mean difference of
    their smoothed colours there, in grey values.
    """

    similarity: float
    shared: float
    colour_gap: float


NO_MATCH = Overlay(0.0, 0.0, 255.0)
"""The result for thumbnails that differ at half size, cannot be registered, or share too little."""


def measure_similarity(first: Thumbnails, second: Thumbnails) -> float:
    """Lay one thumbnail, uint8 (96, 96, 3), over another and return the correlation of fine structure, -1 to 1."""
    return overlay(first, second).similarity


def overlay(first: Thumbnails, second: Thumbnails) -> Overlay:
    """Lay one thumbnail, uint8 (96, 96, 3), over another, unmoved or registered, whichever agrees better."""
    greys = _to_grey(first), _to_grey(second)
    halves = [cv2.resize(grey, (_HALF_PX, _HALF_PX), interpolation=cv2.INTER_AREA) for grey in greys]
    unmoved, identity = NO_MATCH, np.eye(2, 3, dtype=np.float32)
    if _correlate_form(halves[0], halves[1], identity) >= _MIN_HALF_SIZE_UNMOVED:
        unmoved = _compare_overlaid((first, second), greys, identity)
        if unmoved.similarity >= _SAME_UNMOVED:
            return unmoved
    warp = _register(halves[0], halves[1])
    if warp is None or _correlate_form(halves[0], halves[1], warp) < _MIN_HALF_SIZE:
        return unmoved
    warp = _register(*greys)
    return unmoved if warp is None else max(unmoved, _compare_overlaid((first, second), greys, warp))


def _correlate_form(still: MatLike, moved: MatLike, warp: MatLike) -> float:
    """Correlate two grey half-size thumbnails without their large forms; 0 if they overlap too little."""
    overlap = _find_overlap(still, warp)
    if overlap.mean() < _MIN_OVERLAP:
        return 0.0
    laid_over = _warp(moved, warp, cv2.INTER_LINEAR)
    return _correlate(_remove_form(still, _FORM / 2), _remove_form(laid_over, _FORM / 2), overlap)


def _compare_overlaid(
    thumbnails: tuple[Thumbnails, Thumbnails], greys: tuple[MatLike, MatLike], warp: MatLike
) -> Overlay:
    still, moved = greys
    overlap, laid_over = _find_overlap(still, warp), _warp(moved, warp, cv2.INTER_LINEAR)
    lit = _shrink_mask((still > _BLACK) & (laid_over > _BLACK), _RIM) & _shrink_mask(overlap, 1)
    if overlap.mean() < _MIN_OVERLAP or lit.mean() < _MIN_LIT:
        return NO_MATCH
    similarity = _correlate(_even_contrast(still), _even_contrast(laid_over), lit)
    if similarity < SAME_PICTURE:
        return Overlay(similarity, 0.0, NO_MATCH.colour_gap)
    shared = overlap.mean() * min(1.0, abs(float(np.linalg.det(warp[:, :2]))))
    colours = [cv2.GaussianBlur(picture.astype(np.float32), (0, 0), _NEAR) for picture in thumbnails]
    gap = np.abs(colours[0] - _warp(colours[1], warp, cv2.INTER_LINEAR))[overlap].mean()
    return Overlay(similarity, float(shared), float(gap))


def _register(still: MatLike, moved: MatLike) -> MatLike | None:
    """Register the second grey picture, float32 (s, s), on the first: an affine warp (2, 3), None if that fails."""
    identity, everywhere = np.eye(2, 3, dtype=np.float32), np.ones(moved.shape, dtype=np.uint8)
    try:
        return cv2.findTransformECC(still, moved, identity, cv2.MOTION_AFFINE, _STEPS, everywhere, 3)[1]
    except cv2.error:  # no convergence: the pictures have nothing in common
        return None


def _find_overlap(still: MatLike, warp: MatLike) -> Mask:
    return np.asarray(_warp(np.ones_like(still), warp, cv2.INTER_NEAREST) > 0)


def _warp(picture: MatLike, warp: MatLike, interpolation: int) -> MatLike:
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(picture, warp, size, flags=interpolation | cv2.WARP_INVERSE_MAP)


def _to_grey(picture: Thumbnails) -> MatLike:
    return cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), _NOISE)


def _remove_form(grey: MatLike, sigma: float) -> MatLike:
    return grey - cv2.GaussianBlur(grey, (0, 0), sigma)


def _even_contrast(grey: MatLike) -> MatLike:
    fine = _remove_form(grey, _FINE)
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), _NEAR))
    return fine / (contrast + _MIN_CONTRAST)


def _shrink_mask(mask: Mask, pixels: int) -> Mask:
    """Remove `pixels` from a mask's edges, but not along the edges of the picture."""
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    shrunk: Mask = cv2.erode(mask.astype(np.uint8), kernel, borderValue=1) > 0
    return shrunk


def _correlate(first: MatLike, second: MatLike, where: Mask) -> float:
    a, b = first[where], second[where]
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else 0.0
