"""Thumbnails of photos, and links to photos in the ISIC Archive."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from skinapp.datasets.audit.checks import ARCHIVE_ID
from skinapp.errors import PhotoError
from skinapp.photo import read_photo_file

THUMBNAIL_PX = 160

ARCHIVE_PAGE = "https://api.isic-archive.com/images/"
"""The address of a photo's page in the archive, without its id."""


def read_thumbnail(path: object, root: Path, side_px: int = THUMBNAIL_PX) -> "np.ndarray | None":
    """Read a photo and reduce it to fit a square of 2 * `side_px`, uint8 (h, w, 3), in memory only.

    Returns None where it cannot be read or its path leads out of `root`: a table must not name files elsewhere.
    """
    try:
        file = (root / str(path)).resolve()
        if not isinstance(path, str) or not file.is_relative_to(root.resolve()):
            return None
        picture = Image.fromarray(read_photo_file(file).pixels)
    except (PhotoError, OSError, ValueError):
        return None
    picture.thumbnail((2 * side_px, 2 * side_px))
    return np.asarray(picture)


def build_archive_links(image_ids: "pd.Series[str]") -> "pd.Series[str]":
    """Return the address of each photo's page in the archive, NA for ids of other sources."""
    is_archived = image_ids.str.fullmatch(ARCHIVE_ID).fillna(False)
    return (ARCHIVE_PAGE + image_ids.str.removesuffix("_downsampled") + "/").where(is_archived)
