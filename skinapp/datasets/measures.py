"""Measures of a photo that ignore the lesion: colour, brightness, sharpness, dark corners, perceptual hash.

A network can learn to predict labels from these too; the shortcut probe measures how well they alone predict them.
To add a measure, add its name to MEASURES and its value to `measure`.
"""

import cv2
import imagehash
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike
from PIL import Image

MEASURES = ("red", "green", "blue", "brightness", "contrast", "sharpness", "dark_corners")
"""Columns of an image table that hold numbers measured on the stored photo, Float32; see `measure`."""

SIDE_PX = 224
"""Short side at which photos are measured, near to what networks see, so that a larger copy is not a sharper one."""

HASH_SIDE = 16
"""Rows and columns of the perceptual hash: 256 bits, 64 hexadecimal digits."""

_CORNER_SHARE = 0.1
_DARK_BELOW = 50

Pixels = npt.NDArray[np.uint8]


def measure(pixels: Pixels) -> dict[str, float]:
    """Measure a photo, uint8 (h, w, 3), sRGB.

    red, green and blue are means over all pixels; brightness and contrast are the mean and standard deviation of the
    luma (ITU-R BT.601); all are 0 to 255. sharpness is the variance of the luma's Laplacian (Pech-Pacheco et al. 2000).
    dark_corners is the share (0 to 1) of pixels with a luma below 50 in the four corners (squares of a tenth of the
    short side), which is high for a dermatoscope's round field.
    """
    height, width = pixels.shape[:2]
    scale = SIDE_PX / min(height, width)
    size = (max(SIDE_PX, round(width * scale)), max(SIDE_PX, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    red, green, blue, _ = cv2.mean(small)
    brightness, contrast = (float(value.item()) for value in cv2.meanStdDev(luma))
    values = (
        red,
        green,
        blue,
        brightness,
        contrast,
        cv2.Laplacian(luma, cv2.CV_32F).var(),
        _measure_dark_corners(luma),
    )
    return {name: round(float(value), 3) for name, value in zip(MEASURES, values, strict=True)}


def compute_perceptual_hash(pixels: Pixels) -> str:
    """Compute the DCT hash of a photo, uint8 (h, w, 3), as 64 hexadecimal digits (Zauner 2010, by imagehash).

    Squashed, resized and recompressed copies differ in few bits; cropped copies differ in many.
    """
    return str(imagehash.phash(Image.fromarray(pixels), hash_size=HASH_SIDE))


def _measure_dark_corners(luma: MatLike) -> float:
    side = round(_CORNER_SHARE * min(luma.shape))
    ends = (slice(side), slice(-side, None))
    corners = [luma[rows, columns] for rows in ends for columns in ends]
    return float(np.mean([corner < _DARK_BELOW for corner in corners]))
