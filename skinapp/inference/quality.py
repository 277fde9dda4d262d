"""Checks of a photo's quality: blur, light, reflections, colour cast, hair, ink, and the lesion's place and size.

Each check measures one number that grows as the photo gets worse, on what the network sees. The limits are in the
model's card, fitted on training photos by `skinapp quality`. No torch is imported here.
"""

from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from skinapp.inference.findings import Finding, Severity
from skinapp.models.quality import QualityFacts
from skinapp.photo.lesion_box import LesionBox, locate_lesion

View = npt.NDArray[np.uint8]
Channel = npt.NDArray[np.float32]

SIDE_PX = 224
"""Side at which views are measured, so that the limits mean the same for any input size."""

WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "too_small": (
            "The photo has too few pixels: enlarged for the network, it is blurred.",
            "Use the original photo, not a thumbnail or a screenshot, and frame a larger part of it.",
        ),
        "blurred": (
            "The photo is blurred.",
            "Hold the dermatoscope still on the skin, focus on the lesion and take the photo again.",
        ),
        "dark": ("The photo is too dark.", "Switch on the light of the dermatoscope and take the photo again."),
        "bright": ("The photo is overexposed.", "Use less light and take the photo again."),
        "glare": (
            "Reflections hide part of the skin.",
            "Use polarised light or contact fluid and take the photo again.",
        ),
        "cast": (
            "The colours are unusual for dermoscopy.",
            "Switch off other lights and filters, let the camera set the white balance and take the photo again.",
        ),
        "no_lesion": (
            "Hardly anything stands out from the skin, so there may be no lesion in the picture.",
            "Frame the lesion in the centre, with some skin around it.",
        ),
        "tiny": (
            "The lesion is very small in the picture.",
            "Frame it closer, so that it fills about a quarter of the picture.",
        ),
        "cut": (
            "The frame cuts the lesion off.",
            "Move the frame, or take the photo again with the whole lesion and some skin around it.",
        ),
        "hair": (
            "Hair or other dark lines cover much of the skin.",
            "Part the hair or press it flat with contact fluid, and take the photo again.",
        ),
        "ink": (
            "There is ink of a marker, or something else that is blue, on the skin.",
            "Wipe off marks, keep rulers out of the picture and take the photo again.",
        ),
    }
)
"""The sentence and the advice of each finding, in the order in which findings are told."""

HIDES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "too_small": ("blurred",),
        "dark": ("blurred", "cast", "no_lesion", "tiny", "cut", "hair", "ink"),
        "no_lesion": ("tiny", "cut", "blurred"),
    }
)
"""Findings that another one explains and that are not told beside it; bare skin has no detail that could be sharp."""

_WHITE, _BRIGHTER, _DARK_LINE, _LIT = 215, 50, 25, 20
"""The least channel of a reflection and how much brighter it is than what is around it; how much darker a hair is (all
in grey levels); L* of lit skin."""

_HAIR_PX, _SPOT_PX = 9, 21
"""Hairs are thinner than the first, at SIDE_PX, and reflections smaller than the second, at half of it."""

_BLUER, _COLOURED = 22, 10
"""How much lower b* is in ink than in the skin, and its least chroma (CIELAB)."""

_DETAIL_PX, _COARSE_PX, _MOST_DETAIL, _LEAST_STRUCTURE = 1.0, 4.0, 8.0, 1.0
"""Blur compares what lies between these two scales with what is finer; a reflection counts no more than the third. The
last (grey levels) stands in where a strong blur takes both away; 2 of 100 training photos have less by themselves."""

_AT_EDGE = 0.02


def measure_quality(view: View) -> dict[str, float]:
    """Measure a view, uint8 (s, s, 3), sRGB: one number for each check, larger where the photo is worse.

    `a` and `b` are the mean colour (CIELAB), which `measure_cast` turns into the number of the check "cast".
    """
    view = _resize(view, SIDE_PX)
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    half = cv2.resize(view, (SIDE_PX // 2, SIDE_PX // 2), interpolation=cv2.INTER_AREA)
    lab: Channel = np.asarray(cv2.cvtColor(half.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    box = locate_lesion(view)
    lines = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((_HAIR_PX, _HAIR_PX), np.uint8))
    return {
        "blurred": _measure_blur(grey.astype(np.float32)),
        "dark": float(100 - np.quantile(lab[..., 0], 0.8)),
        "bright": float(np.median(lab[..., 0])),
        "glare": _measure_glare(half.min(axis=2)),
        "a": float(lab[..., 1].mean()),
        "b": float(lab[..., 2].mean()),
        "no_lesion": -(box.contrast if box else 0.0),
        "tiny": -(box.area if box else 0.0),
        "cut": _measure_cut(box),
        "hair": float((lines > _DARK_LINE).mean()),
        "ink": _measure_ink(lab, box),
    }


def measure_cast(a: npt.ArrayLike, b: npt.ArrayLike, facts: QualityFacts) -> npt.NDArray[np.float64]:
    """Return how far mean colours, a* and b* (n,), are from those of training photos: their Mahalanobis distance."""
    variance_a, variance_b, covariance = facts.colour_spread
    # A pseudo-inverse, because grey photos have no spread of colour at all.
    inverse = np.linalg.pinv(np.array([[variance_a, covariance], [covariance, variance_b]]))
    difference = np.stack([np.asarray(a) - facts.colour[0], np.asarray(b) - facts.colour[1]], axis=-1)
    distance: npt.NDArray[np.float64] = np.sqrt(np.einsum("...i,ij,...j->...", difference, inverse, difference))
    return distance


def check_quality(view: View, side_px: int, facts: QualityFacts) -> tuple[Finding, ...]:
    """Check what the network sees of a photo, uint8 (s, s, 3); `side_px` is the short side of the framed photo, px.

    Returns the findings in the order of WORDS; one that refuses says that the photo cannot be judged.
    """
    measured = measure_quality(view)
    measured["cast"] = float(measure_cast(measured.pop("a"), measured.pop("b"), facts))
    found: dict[str, Severity] = {}
    for limit in facts.limits:
        if limit.refuses_beyond is not None and measured[limit.code] > limit.refuses_beyond:
            found[limit.code] = "refuses"
        elif measured[limit.code] > limit.warns_beyond:
            found[limit.code] = "warns"
    if side_px < facts.smallest_px:
        found["too_small"] = "warns"
    return build_findings(found)


def build_findings(found: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """Return findings by code in the order of WORDS, without those that another one explains.

    A refusal is told all the same, unless what explains it refuses too.
    """
    explained = {(hidden, found[code]) for code in found for hidden in HIDES.get(code, ())}
    severities: dict[str, tuple[Severity, ...]] = {"warns": ("warns", "refuses"), "refuses": ("refuses",)}
    told = [
        code for code in WORDS if code in found and not any((code, s) in explained for s in severities[found[code]])
    ]
    return tuple(Finding(code, *WORDS[code], found[code]) for code in told)


def _resize(view: View, side: int) -> View:
    if view.shape[0] == side:
        return view
    way = cv2.INTER_AREA if view.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(view, (side, side), interpolation=way), np.uint8)


def _measure_blur(grey: Channel) -> float:
    """Compare fine detail with coarser detail: a sharp photo has both, a blurred one only the coarser."""
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), scale) for scale in (_DETAIL_PX, _COARSE_PX))
    detail, structure = (np.minimum(np.abs(part), _MOST_DETAIL).mean() for part in (grey - fine, fine - coarse))
    return float(-np.log((detail + 0.02) / (max(structure, _LEAST_STRUCTURE) + 0.02)))


def _measure_glare(darkest: npt.NDArray[np.uint8]) -> float:
    """Return the share of pixels that are white and brighter than what is around; `darkest` is the least channel."""
    spots = cv2.morphologyEx(darkest, cv2.MORPH_TOPHAT, np.ones((_SPOT_PX, _SPOT_PX), np.uint8))
    return float(((spots > _BRIGHTER) & (darkest > _WHITE)).mean())


def _measure_cut(box: LesionBox | None) -> float:
    """Return how far the lesion's centre is moved towards an edge that the lesion lies on, 0 to 0.5; 0 if on none."""
    if box is None:
        return 0.0
    across, down = box.centre
    towards = [
        (0.5 - across) * (box.left < _AT_EDGE),
        (across - 0.5) * (box.right > 1 - _AT_EDGE),
        (0.5 - down) * (box.top < _AT_EDGE),
        (down - 0.5) * (box.bottom > 1 - _AT_EDGE),
    ]
    return max(0.0, *map(float, towards))


def _measure_ink(lab: Channel, box: LesionBox | None) -> float:
    """Return the share of pixels that are far bluer than the skin outside the lesion's box."""
    side = lab.shape[0]
    lit = lab[..., 0] > _LIT
    skin = lit.copy()
    if box is not None:
        rows, columns = ((round(start * side), round(end * side)) for start, end in _list_ranges(box))
        skin[slice(*rows), slice(*columns)] = False
    reference = lab[..., 2][skin] if skin.any() else lab[..., 2].ravel()
    bluer = lab[..., 2] < np.median(reference) - _BLUER
    return float((bluer & lit & (np.hypot(lab[..., 1], lab[..., 2]) > _COLOURED)).mean())


def _list_ranges(box: LesionBox) -> tuple[tuple[float, float], tuple[float, float]]:
    return (box.top, box.bottom), (box.left, box.right)
