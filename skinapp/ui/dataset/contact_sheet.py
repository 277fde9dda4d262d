"""The photos of a selection: a sheet of thumbnails where the photos are present, else their ids with links."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.charts.style import short_name
from skinapp.ui.dataset.filters import FilteredTable
from skinapp.ui.thumbnails import THUMBNAIL_PX, archive_page, thumbnail

A_PAGE = 24
MOST_ROWS = 1_000
"""Rows of a list that go to the browser; the rest is had by export."""


def contact_sheet(kept: FilteredTable, root: Path | None) -> None:
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
