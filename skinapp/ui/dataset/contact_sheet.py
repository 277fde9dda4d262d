"""The filtered photos: thumbnails if the photos are present, else a list of their ids with links."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.charts.style import get_short_class_name
from skinapp.ui.dataset.filters import FilteredTable
from skinapp.ui.thumbnails import THUMBNAIL_PX, build_archive_links, read_thumbnail

PAGE_SIZE = 24
MAX_ROWS = 1_000
"""Rows of a list that go to the browser; Export has all of them."""


def show_contact_sheet(filtered: FilteredTable, root: Path | None) -> None:
    """Show the filtered photos, one page at a time, if they are below `root`, else list them."""
    photos = filtered.columns("image_id", "path", "diagnosis", "malignant", "lesion_id", "split")
    if root is None or not _has_photos(photos["path"], root):
        st.caption("The photos themselves are not here. Ids of the ISIC Archive link to its page of the photo.")
        _show_list(photos)
        return
    pages = -(-len(photos) // PAGE_SIZE)
    page = st.pagination(pages, key="sheet-page") if pages > 1 else 1
    shown = photos.iloc[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    with ThreadPoolExecutor() as readers:
        pictures = list(readers.map(lambda path: read_thumbnail(path, root), shown["path"]))
    with st.container(horizontal=True):
        for picture, row in zip(pictures, shown.itertuples(), strict=True):
            if picture is not None:
                st.image(picture, caption=_format_caption(row), width=THUMBNAIL_PX)
    missing = sum(picture is None for picture in pictures)
    if missing:
        st.caption(f"{missing} photos on this page are missing or cannot be read.")


def _has_photos(paths: "pd.Series[str]", root: Path) -> bool:
    """Tell whether any of the first few photos is there; if not, the others are not either."""
    return any((root / path).is_file() for path in paths.dropna().head(PAGE_SIZE))


def _show_list(photos: pd.DataFrame) -> None:
    rows = photos.head(MAX_ROWS)
    shown = rows[["image_id", "diagnosis", "lesion_id", "split"]].assign(page=build_archive_links(rows["image_id"]))
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
    if len(photos) > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS:,} of {len(photos):,}. Export has all of them.")


def _format_caption(row: object) -> str:
    diagnosis = getattr(row, "diagnosis", None)
    label = "no label" if pd.isna(diagnosis) else get_short_class_name(str(diagnosis))
    return f"{label}  \n{getattr(row, 'image_id', '')}"
