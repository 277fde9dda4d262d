"""Training photos once more, changed: the augmentation of an earlier system, as it was meant.

That system appended to its training photos a copy of each, flipped left to right or zoomed "to 33% of the centre". The
radius that its code computes, (1 - 0.33) x side x 2, is 1.34 sides, counted from the middle to both sides: from -0.84
to 1.84 of the photo. No crop of the centre comes of that. Where a crop is cut off at the photo's edges, it is the
whole photo: no zoom. Where a start below zero counts from the end, as in a slice of NumPy, it begins at 0.16 of the
side: of 75 x 100 px the lower right 63 x 84 px, a slight zoom off the centre. Here the central third is taken.

Its framework then validates on the last 40% of what it is given, before it shuffles. These are all copies, each of a
photo that is trained on: no validation; and of the copies only a fifth is trained on. `appended` makes the two parts as
they were, so that a recipe can show this curve beside that of photos which were put aside before anything was copied.
"""

import cv2
import numpy as np
import numpy.typing as npt

ZOOM_SHARE = 0.33
"""How much of each side a zoomed copy shows, around the centre."""

Pixels = npt.NDArray[np.uint8]


def changed(photos: Pixels, seed: int) -> Pixels:
    """Copy photos, uint8 (n, h, w, 3) or (n, h, w): half of them, drawn by the seed, flipped, the others zoomed."""
    flipped = np.random.default_rng(seed).permutation(len(photos)) < len(photos) / 2
    return np.stack([photo[:, ::-1] if flip else zoomed(photo) for photo, flip in zip(photos, flipped, strict=True)])


def zoomed(photo: Pixels) -> Pixels:
    """Enlarge the central third of a photo, uint8 (h, w, 3) or (h, w), to its whole size, in the same shape."""
    height, width = photo.shape[:2]
    rows, columns = round(ZOOM_SHARE * height), round(ZOOM_SHARE * width)
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = photo[top : top + rows, left : left + columns]
    return cv2.resize(middle, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def appended(photos: Pixels, classes: np.ndarray, share: float, seed: int) -> tuple[tuple[Pixels, np.ndarray], ...]:
    """Append changed copies to photos, then cut a share (0 to 1) off the end, as Keras' validation_split does.

    `classes` is int64 (n,). Returns photos and classes of what is trained on and of what was cut off; with a share up
    to a half all of the latter are copies of photos among the former.
    """
    both, truth = np.concatenate([photos, changed(photos, seed)]), np.concatenate([classes, classes])
    cut = int(len(both) * (1 - share))
    return (both[:cut], truth[:cut]), (both[cut:], truth[cut:])
