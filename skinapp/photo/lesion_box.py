"""Where the lesion is in a photo, from its contrast to the skin around it; no network is needed.

The skin's colour is the median of the lighter pixels near the frame. The lesion is what is darker, redder or of another
hue than that, split off by Otsu's threshold (1979); of several such spots the one near the centre that stands out most.
How often the box fits HAM10000's lesion masks is in the card of a model (`skinapp gate`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

SIDE_PX = 64
"""Short side at which a lesion is looked for: a lesion is far larger than a pixel of this, a hair is not."""

LEAST_CONTRAST = 2.0
"""In units of CIELAB. A difference of 2.3 is just visible (Mahy et al., 1994); below this there is nothing to find."""

_RING, _LIGHTER = 0.12, 0.4
"""Skin is looked for in a ring along the frame, this share of the short side wide, among pixels above this quantile."""

_YELLOW_WEIGHT, _OTSU_SHARE, _CENTRE_SPREAD = 0.3, 0.65, 0.35
"""Chosen on 300 training photos of HAM10000: the weight of b* beside L* and a*, the share of Otsu's threshold, and the
standard deviation of the weight of the centre in short sides."""

_OUTSIDE_FIELD = 25.0
"""L* below which pixels that reach a corner are the dark outside of a dermatoscope's round field."""


@dataclass(frozen=True)
class LesionBox:
    """The box around a lesion, as shares (0 to 1) of the photo's width and height, from its left and top edges.

    `area` is the lesion's share of the photo, 0 to 1. `edge` is the share of the photo's edge that the lesion lies on,
    0 to 1. `contrast` is how far the lesion's mean colour is from the skin's, in units of CIELAB.
    """

    left: float
    top: float
    right: float
    bottom: float
    area: float
    edge: float
    contrast: float

    @property
    def centre(self) -> tuple[float, float]:
        """The centre of the box, from the left and from the top."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def locate_lesion(pixels: Pixels) -> LesionBox | None:
    """Find the lesion in a photo, uint8 (h, w, 3), sRGB; None where nothing stands out from the skin."""
    lab = _shrink_to_lab(pixels)
    field = find_field(lab)
    contrast, skin = _measure_contrast(lab, field)
    spot = _pick_spot(contrast, field)
    if spot is None or contrast[spot].mean() < LEAST_CONTRAST:
        return None
    height, width = spot.shape
    columns, rows = np.flatnonzero(spot.any(axis=0)), np.flatnonzero(spot.any(axis=1))
    edge = np.concatenate([spot[0], spot[-1], spot[1:-1, 0], spot[1:-1, -1]])
    return LesionBox(
        left=float(columns[0] / width),
        top=float(rows[0] / height),
        right=float((columns[-1] + 1) / width),
        bottom=float((rows[-1] + 1) / height),
        area=float(spot.mean()),
        edge=float(edge.mean()),
        contrast=float(np.linalg.norm(lab[spot].mean(axis=0) - skin)),
    )


def find_field(lab: npt.NDArray[np.float32]) -> Mask:
    """Return which pixels, (h, w), lie in the field of view; `lab` is float32 (h, w, 3).

    The dark outside of a dermatoscope's round field, which reaches the corners, does not; a photo that is all dark has
    no field at all.
    """
    dark = (lab[..., 0] < _OUTSIDE_FIELD).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    corners = {int(labels[row, column]) for row in (0, -1) for column in (0, -1)} - {0}
    outside = np.isin(labels, list(corners)).astype(np.uint8)
    return np.asarray(cv2.dilate(outside, np.ones((5, 5), np.uint8)) == 0)


def _shrink_to_lab(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Return a photo in CIELAB, float32 (h, w, 3), shrunk to SIDE_PX, with thin dark hairs closed over."""
    height, width = pixels.shape[:2]
    scale = SIDE_PX / min(height, width)
    small = cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    smooth = cv2.GaussianBlur(closed.astype(np.float32) / 255, (0, 0), 1.0)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB))


def _measure_contrast(
    lab: npt.NDArray[np.float32], field: Mask
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how much each pixel, (h, w), is darker, redder or otherwise coloured than the skin; and the skin, (3,)."""
    width = round(_RING * SIDE_PX)
    ring = field.copy()
    ring[width:-width, width:-width] = False
    near_frame = lab[ring] if ring.any() else lab.reshape(-1, 3)
    lighter = near_frame[:, 0] >= np.quantile(near_frame[:, 0], _LIGHTER)
    skin = np.median(near_frame[lighter], axis=0)
    darker, redder = np.maximum(skin[0] - lab[..., 0], 0), np.maximum(lab[..., 1] - skin[1], 0)
    return darker + redder + _YELLOW_WEIGHT * np.abs(lab[..., 2] - skin[2]), skin


def _pick_spot(contrast: npt.NDArray[np.float32], field: Mask) -> Mask | None:
    """Return the spot, bool (h, w), that stands out most near the centre; None where there is none."""
    if not field.any():
        return None
    low, high = np.quantile(contrast[field], (0.01, 0.99))
    levels = np.clip((contrast - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels[field].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    marked = ((levels > _OTSU_SHARE * threshold) & field).astype(np.uint8)
    opened = cv2.morphologyEx(marked, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    spots, labels = cv2.connectedComponents(opened, connectivity=4)
    if spots < 2:
        return None
    weight = np.bincount(labels.ravel(), weights=(contrast * _weigh_centre(contrast.shape)).ravel(), minlength=spots)
    return np.asarray(labels == 1 + int(weight[1:].argmax()))


def _weigh_centre(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return a Gaussian weight, (h, w), of 1 at the centre."""
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in shape)
    squares = rows[:, None] ** 2 + columns[None] ** 2
    weight: npt.NDArray[np.float64] = np.exp(-squares / (2 * (_CENTRE_SPREAD * SIDE_PX) ** 2))
    return weight
