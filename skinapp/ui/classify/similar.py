"""Similar cases on the page: pictures where the data root holds them, else links to the ISIC Archive."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import streamlit as st

from skinapp.charts.style import get_short_class_name
from skinapp.inference.similar import SimilarCase
from skinapp.taxonomy import get_class_name
from skinapp.ui import loaders
from skinapp.ui.thumbnails import ARCHIVE_PAGE, read_thumbnail

UNKNOWN = "not recorded"
SOURCE = "Photos: HAM10000 (Tschandl et al., 2018), CC BY-NC 4.0."

_PICTURE_PX = 130


def show_cases(cases: Sequence[SimilarCase], table: str) -> None:
    """Show cases, the nearest first, with diagnosis and confirmation; `table` names the image table of their photos."""
    pictures = _read_pictures(cases, table)
    if not any(picture is not None for picture in pictures):
        _list_cases(cases)
        return
    with st.container(horizontal=True):
        for case, picture in zip(cases, pictures, strict=True):
            if picture is not None:
                alt = f"{get_class_name(case.diagnosis)}: dermoscopy photo {case.image_id}"
                st.image(picture, _format_caption(case), width=_PICTURE_PX, link=_build_link(case), alt=alt)
    if missing := [case for case, picture in zip(cases, pictures, strict=True) if picture is None]:
        _list_cases(missing)
    st.caption(SOURCE)


def _read_pictures(cases: Sequence[SimilarCase], table: str) -> list[np.ndarray | None]:
    root, known = loaders.get_data_root(), loaders.get_tables_root() / f"{table}.parquet"
    if root is None or not known.is_file():
        return [None] * len(cases)
    photos = loaders.get_table(known)
    ids = [case.image_id for case in cases]
    paths = photos[photos["image_id"].isin(ids)].set_index("image_id")["path"].reindex(ids)
    with ThreadPoolExecutor() as readers:
        return list(readers.map(lambda path: read_thumbnail(path, root, _PICTURE_PX), paths))


def _list_cases(cases: Sequence[SimilarCase]) -> None:
    rows = [
        (get_class_name(case.diagnosis), case.confirmation or UNKNOWN, f"{case.similarity:.3f}", _build_link(case))
        for case in cases
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["Diagnosis", "Confirmed by", "Similarity", "Photo"]),
        hide_index=True,
        column_config={"Photo": st.column_config.LinkColumn("ISIC Archive", display_text="open")},
    )


def _format_caption(case: SimilarCase) -> str:
    return f"**{get_short_class_name(case.diagnosis)}**  \n{case.confirmation or UNKNOWN} · {case.similarity:.3f}"


def _build_link(case: SimilarCase) -> str:
    return f"{ARCHIVE_PAGE}{case.image_id}/"
