"""Add a changed copy of each training photo: the augmentation of an earlier system, as it was meant.

That system appended a copy of each training photo, flipped left to right or zoomed "to 33% of the centre". Its code
computes a radius of (1 - 0.33) x side x 2 = 1.34 sides about the centre, which spans -0.84 to 1.84 of the photo. This
does not crop the centre. If the crop is clipped at the edges, it is the whole photo: no zoom. If a negative start
counts from the end, as in a NumPy slice, the crop starts at 0.16 of the side: the lower right 63 x 84 px of
75 x 100 px, a slight zoom off the centre. Here the zoom takes the central third.

Its framework validates on the last 40% of the photos, before shuffling. All of these are copies of training photos, so
this validates nothing, and only a fifth of the copies is trained on. `append_copies` makes the same two parts, so a
recipe can show this curve beside that of photos held out before any were copied.
"""

import cv2
import numpy as np
import numpy.typing as npt

ZOOM_SHARE = 0.33
"""Share of each side that a zoomed copy shows, around the centre."""

Pixels = npt.NDArray[np.uint8]


def make_copies(photos: Pixels, seed: int) -> Pixels:
    """Copy photos, uint8 (n, h, w, 3) or (n, h, w): a random half flipped, the others zoomed."""
    flipped = np.random.default_rng(seed).permutation(len(photos)) < len(photos) / 2
    return np.stack([photo[:, ::-1] if flip else zoom(photo) for photo, flip in zip(photos, flipped, strict=True)])


def zoom(photo: Pixels) -> Pixels:
    """Enlarge the central third of a photo, uint8 (h, w, 3) or (h, w), to its whole size, in the same shape."""
    height, width = photo.shape[:2]
    rows, columns = round(ZOOM_SHARE * height), round(ZOOM_SHARE * width)
    top, left = (height - rows) // 2, (width - columns) // 2
    centre = photo[top : top + rows, left : left + columns]
    return cv2.resize(centre, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def append_copies(
    photos: Pixels, classes: np.ndarray, share: float, seed: int
) -> tuple[tuple[Pixels, np.ndarray], ...]:
    """Append changed copies to photos, then split off the last share (0 to 1), as Keras' validation_split does.

    `classes` is int64 (n,). Returns (photos, classes) for training and for validation. With a share of up to a half,
    all validation photos are copies of training photos.
    """
    both, truth = np.concatenate([photos, make_copies(photos, seed)]), np.concatenate([classes, classes])
    cut = int(len(both) * (1 - share))
    return (both[:cut], truth[:cut]), (both[cut:], truth[cut:])
