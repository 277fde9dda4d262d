"""Where in a photo a network's evidence for a class lies: the class activation map of Zhou et al. 2016 (CVPR).

A ResNet averages the maps of its last convolutional block over the photo and feeds the means to one linear layer. So
the layer can be applied before the averaging instead: the mean of the class map plus the bias is the logit, exactly. No
gradient and no hook is needed, and the one pass that gave the answer gives the maps too.
"""

from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from skinapp.inference.assessment import Scores
from skinapp.models.card import Head, Task
from skinapp.taxonomy import BENIGN, MALIGNANT, is_malignant

Floats = npt.NDArray[np.floating]
Pixels = npt.NDArray[np.uint8]

CONTOUR = 0.5
"""Share of the strongest evidence at which the outline is drawn."""

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_THIN_PX, _THICK_PX = 2, 4


def compute_class_map(maps: Floats, weight: Floats, place: int) -> npt.NDArray[np.float32]:
    """Return the evidence for one class, (h, w): above 0 speaks for it, below 0 against it, in units of the logit.

    `maps` (d, h, w) are those of the last block, `weight` (k, d) is that of the linear layer, `place` the number of the
    class. Only differences of logits count in a softmax, so the mean of all classes is taken away: what speaks for all
    alike speaks for none. The mean of the map is the logit minus the mean logit, but for the biases.
    """
    centred = weight[place] - weight.mean(axis=0)
    return np.tensordot(centred, maps, axes=1).astype(np.float32)


def compute_class_maps(
    maps: Floats, heads: Sequence[Head], weights: Mapping[Task, Floats]
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the class map (h, w) of malignant and of each lesion type, by label, of the heads that have `weights`.

    What speaks for benign is what speaks against malignant, so benign has no map of its own.
    """
    return {
        label: compute_class_map(maps, weights[head.name], place)
        for head in heads
        for place, label in enumerate(head.classes)
        if head.name in weights and label != BENIGN
    }


def choose_label(lesion_type: Scores, labels: Iterable[str], flagged: bool) -> str:
    """Return the class whose map is shown first: the likeliest type, on a flagged photo the likeliest malignant one.

    Where no lesion type is among the `labels` of maps it is malignant.
    """
    known = [code for code, _ in lesion_type.rank() if code in set(labels)]
    wanted = [code for code in known if is_malignant(code)] if flagged else known
    return next(iter([*wanted, *known]), MALIGNANT)


def enlarge_map(class_map: Floats, side_px: int) -> npt.NDArray[np.float32]:
    """Enlarge a map (h, w) to (side_px, side_px), bilinearly."""
    size = (side_px, side_px)
    return cv2.resize(class_map.astype(np.float32), size, interpolation=cv2.INTER_LINEAR).astype(np.float32)


def keep_positive(evidence: Floats) -> npt.NDArray[np.float32]:
    """Return the evidence for a class alone, of the same shape, as a share of its maximum; zeros without any."""
    positive = np.maximum(evidence, 0)
    most = positive.max(initial=0.0)
    return (positive / most if most > 0 else positive).astype(np.float32)


def measure_share_inside(evidence: Floats, mask: Floats) -> float:
    """Return the share of the positive evidence (h, w) that lies inside a mask (h, w) of 0 to 1; NaN without any.

    The energy-based pointing game of Wang et al. 2020 (Score-CAM, CVPR workshops), with an outline in place of a box.
    """
    positive = np.maximum(evidence, 0, dtype=np.float64)
    total = float(positive.sum())
    return float((positive * mask).sum() / total) if total > 0 else float("nan")


def draw_evidence(view: Pixels, class_map: Floats, opacity: float, side_px: int) -> Pixels:
    """Lay the positive evidence of a class map (h, w) over a view, uint8 (s, s, 3), enlarged to `side_px`."""
    enlarged = cv2.resize(view, (side_px, side_px), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return draw_overlay(enlarged, keep_positive(enlarge_map(class_map, side_px)), opacity)


def draw_overlay(view: Pixels, evidence: Floats, opacity: float) -> Pixels:
    """Lay evidence of 0 to 1, (s, s), over a view, uint8 (s, s, 3): viridis, the clearer the less there is.

    `opacity` is that of the strongest evidence, 0 to 1. The outline is that of half the strongest; it stays at any
    opacity. Viridis gets lighter with more evidence, so that every kind of colour vision reads it; skin has none of its
    blue and green.
    """
    colours = cv2.cvtColor(cv2.applyColorMap(_to_bytes(evidence), cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    weight = (opacity * np.sqrt(np.clip(evidence, 0, 1)))[..., None]
    laid = np.rint(view * (1 - weight) + colours * weight).astype(np.uint8)
    if opacity > 0 and evidence.max(initial=0) > 0:
        _draw_outline(laid, evidence)
    return laid


def draw_scale(width_px: int, height_px: int) -> Pixels:
    """Draw the colours of `draw_overlay` from none to the strongest, uint8 (height_px, width_px, 3)."""
    row = np.tile(np.linspace(0, 1, width_px, dtype=np.float32), (height_px, 1))
    return cv2.cvtColor(cv2.applyColorMap(_to_bytes(row), cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB).astype(np.uint8)


def _draw_outline(pixels: Pixels, evidence: Floats) -> None:
    """Draw the outline of the strong evidence on pixels: white on black, which shows on any skin."""
    beyond = _THICK_PX + 1  # the outline goes on beyond the edge of the picture, not along it
    strong = np.pad((evidence >= CONTOUR).astype(np.uint8), beyond, mode="edge")
    outlines, _ = cv2.findContours(strong, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(-beyond, -beyond))
    cv2.drawContours(pixels, outlines, -1, _BLACK, _THICK_PX, cv2.LINE_AA)
    cv2.drawContours(pixels, outlines, -1, _WHITE, _THIN_PX, cv2.LINE_AA)


def _to_bytes(shares: Floats) -> Pixels:
    return np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
