"""Thumbnails of photos, and the page of a photo in the ISIC Archive."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from skinapp.datasets.audit.table import ARCHIVE_ID
from skinapp.errors import PhotoError
from skinapp.photo import read_photo_file

THUMBNAIL_PX = 160


ARCHIVE_PAGE = "https://api.isic-archive.com/images/"
"""The archive's page of one photo for readers, to which its id is added."""


def thumbnail(path: object, root: Path, side_px: int = THUMBNAIL_PX) -> "np.ndarray | None":
    """Read a photo and reduce it to a square's inside, uint8 (h, w, 3), in memory alone.

    None where it cannot be read, or where its path leads out of `root`: a table is not trusted to name any file.
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


def archive_page(image_ids: "pd.Series[str]") -> "pd.Series[str]":
    """Return the archive's page of each photo by its id, NA for ids that are not the archive's."""
    named = image_ids.str.fullmatch(ARCHIVE_ID).fillna(False)
    return (ARCHIVE_PAGE + image_ids.str.removesuffix("_downsampled") + "/").where(named)
