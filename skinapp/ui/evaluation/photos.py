"""A run's photos as a table with scores, and as pictures if the data folder is present."""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import streamlit as st

from skinapp.charts.style import get_short_class_name
from skinapp.formatting import format_score_percent
from skinapp.runs.open_run import OpenRun
from skinapp.taxonomy import get_class_name
from skinapp.ui import loaders
from skinapp.ui.thumbnails import build_archive_links, read_thumbnail

MALIGNANT_SCORE = "malignant_score"
MAX_ROWS = 200
MAX_PICTURES = 12

_TITLES = {
    "image_id": "Photo",
    "lesion_id": "Lesion",
    "truth": "Truth",
    "prediction": "Answer",
    MALIGNANT_SCORE: "Malignant score",
    "p_truth": "Score of the true class",
    "p_prediction": "Score of the predicted class",
}


def show(opened: OpenRun, photos: pd.DataFrame, key: str, of: int | None = None) -> None:
    """List photos with truth, answer and scores; show the first ones as pictures if their files are present.

    `of` is the number of such photos where the frame holds only the first of them.
    """
    if photos.empty:
        st.caption("No photo here.")
        return
    shown = photos.head(MAX_ROWS)
    _show_pictures(opened, shown.head(MAX_PICTURES))
    words = {"truth": shown["truth"].map(get_class_name)}
    if "prediction" in shown:
        words["prediction"] = shown["prediction"].map(get_class_name)
    scores = [c for c in shown.columns if c not in ("image_id", "lesion_id", "truth", "prediction")]
    st.dataframe(
        shown.assign(**words, page=build_archive_links(shown["image_id"].astype("string"))),
        hide_index=True,
        key=f"photos-{key}",
        column_config={
            **{column: _TITLES[column] for column in ("image_id", "lesion_id", "truth", "prediction")},
            **{column: st.column_config.NumberColumn(_name_column(column), format="percent") for column in scores},
            "page": st.column_config.LinkColumn("ISIC Archive", display_text="open"),
        },
    )
    if (total := of or len(photos)) > len(shown):
        st.caption(f"The first {len(shown):,} of {total:,}.")


def _name_column(column: str) -> str:
    return _TITLES.get(column) or get_short_class_name(column.removeprefix("p_"))


def _show_pictures(opened: OpenRun, photos: pd.DataFrame) -> None:
    root = loaders.get_data_root()
    if root is None or opened.paths is None:
        return
    paths = opened.paths.reindex(photos["image_id"])
    with ThreadPoolExecutor() as readers:
        pictures = list(readers.map(lambda path: read_thumbnail(path, root), paths))
    with st.container(horizontal=True):
        for picture, row in zip(pictures, photos.to_dict("records"), strict=True):
            if picture is not None:
                st.image(picture, caption=_describe(row), width=130)


def _describe(row: "dict[object, object]") -> str:
    truth, prediction = get_short_class_name(str(row["truth"])), get_short_class_name(str(row["prediction"]))
    score = row.get(MALIGNANT_SCORE, row.get("p_prediction"))
    called = f"{truth}, called {prediction}"
    return called if score is None else f"{called}, {format_score_percent(float(str(score)))}"
