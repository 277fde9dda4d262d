"""The photos of a selection: a sheet of thumbnails where the photos are present, else their ids with links."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from skinapp.charts.style import short_name
from skinapp.datasets.audit import ARCHIVE_ID
from skinapp.errors import PhotoError
from skinapp.photo import read_photo_file
from skinapp.ui.filters import Kept

A_PAGE = 24
MOST_ROWS = 1_000
"""Rows of a list that go to the browser; the rest is had by export."""

THUMBNAIL_PX = 160

ARCHIVE_PAGE = "https://api.isic-archive.com/images/"
"""The archive's page of one photo for readers, to which its id is added."""


def contact_sheet(kept: Kept, root: Path | None) -> None:
    """Show the kept photos a page at a time where they lie below `root`, else a list of them."""
    photos = kept.columns("image_id", "path", "diagnosis", "malignant", "lesion_id", "split")
    if root is None or not _any_present(photos["path"], root):
        st.caption("The photos themselves are not here. Ids of the ISIC Archive link to the photo there.")
        _list(photos)
        return
    pages = -(-len(photos) // A_PAGE)
    page = st.pagination(pages, key="sheet-page") if pages > 1 else 1
    shown = photos.iloc[(page - 1) * A_PAGE : page * A_PAGE]
    with ThreadPoolExecutor() as readers:
        pictures = list(readers.map(lambda path: thumbnail(path, root), shown["path"]))
    with st.container(horizontal=True):
        for picture, row in zip(pictures, shown.itertuples(), strict=True):
            if picture is not None:
                st.image(picture, caption=_caption(row), width=THUMBNAIL_PX)
    missing = sum(picture is None for picture in pictures)
    if missing:
        st.caption(f"{missing} photos of this page are not here or cannot be read.")


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


def _any_present(paths: "pd.Series[str]", root: Path) -> bool:
    """Look for the first few photos: a folder that holds none of them holds none of the others."""
    return any((root / path).is_file() for path in paths.dropna().head(A_PAGE))


def _list(photos: pd.DataFrame) -> None:
    rows = photos.head(MOST_ROWS)
    shown = rows[["image_id", "diagnosis", "lesion_id", "split"]].assign(page=archive_page(rows["image_id"]))
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "image_id": "Photo",
            "diagnosis": "Diagnosis",
            "lesion_id": "Lesion",
            "split": "Split",
            "page": st.column_config.LinkColumn("ISIC Archive", display_text="open"),
        },
    )
    if len(photos) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(photos):,}; all of them under Export.")


def _caption(row: object) -> str:
    diagnosis = getattr(row, "diagnosis", None)
    label = "no label" if pd.isna(diagnosis) else short_name(str(diagnosis))
    return f"{label}  \n{getattr(row, 'image_id', '')}"
