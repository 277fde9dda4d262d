"""One photo laid over another: how far they agree, whatever was squashed, cropped, resized or recompressed in between.

A pair is compared as it lies, then after an affine registration (Evangelidis and Psarakis 2008, as OpenCV's
findTransformECC does it). Fine structure alone, hairs, pores and edges, counts. Its contrast is evened out first,
because the outline of a dark lesion or of a round field would drown all else, and the black around a round field is
left out.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

SAME_PICTURE = 0.6
"""Correlation of fine structure from which two photos are twins.

As they lie, 300 photos of HAM10000 and their squashed and recompressed copies in malignant-vs-benign all reach 0.89. Of
the photos of HAM10000 and those of other clinics none was found a copy; before round fields were left out the nearest
had 0.58.
"""

LOOK_PX = 96
"""Side of the small square picture, squashed, that photos are compared by."""

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
Mask = npt.NDArray[np.bool_]


def look(pixels: npt.NDArray[np.uint8]) -> Looks:
    """Squash a photo, uint8 (h, w, 3), to the small picture that twins are told by: uint8 (96, 96, 3)."""
    small = cv2.resize(pixels, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8)


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
