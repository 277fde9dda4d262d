"""A photo as a browser shows it: reduced, as a JPEG in a data URL, which no server or cache has to hold."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PREVIEW_PX = 1_000
"""The longest side of a preview in which a visitor frames the lesion."""

THUMBNAIL_PX = 192
"""The longest side of a thumbnail: twice the size in which it is shown, for screens with two pixels to one."""

_QUALITY = 85


def make_preview(pixels: NDArray[np.uint8], longest_px: int = PREVIEW_PX) -> str:
    """Return pixels, uint8 (H, W, 3), as a data URL of a JPEG without metadata, no side above `longest_px`."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((longest_px, longest_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    file = BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
