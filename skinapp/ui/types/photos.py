"""The example photos of each lesion type: pictures where they are at hand, links to the ISIC Archive else."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from PIL import Image

from skinapp.datasets.showcase import Example, fetch_example, find_example, get_examples_folder
from skinapp.errors import ExampleError
from skinapp.photo import read_photo
from skinapp.taxonomy import CODES, Diagnosis
from skinapp.ui import loaders
from skinapp.ui.thumbnails import ARCHIVE_PAGE

MOST = 3
WIDTH_PX = 130

SOURCE = (
    "Photos: HAM10000 (Tschandl et al., 2018), CC BY-NC 4.0. They were drawn at random, not chosen as typical, and no "
    "network was trained on them. The word below a photo says how its diagnosis was confirmed. Three photos do not "
    "show how different the lesions of one type can look."
)


@dataclass(frozen=True)
class TypePhoto:
    """An example photo of a type: its id, its path below the data root, and how its diagnosis was confirmed."""

    image_id: str
    path: str | None
    confirmation: str | None


def choose_photos(examples: Sequence[Example], table: pd.DataFrame) -> dict[str, tuple[TypePhoto, ...]]:
    """Return the first photos of the showcase of each type, at most MOST, by code, with their facts of a table."""
    rows = table[table["image_id"].isin([example.image_id for example in examples])].set_index("image_id")
    known = rows[["path", "confirmation"]].astype(object)
    known = known.where(known.notna(), None)
    facts = dict(zip(known.index, known.itertuples(index=False, name=None), strict=True))
    chosen: dict[str, list[TypePhoto]] = {code: [] for code in CODES}
    for example in examples:
        if len(chosen[example.diagnosis]) < MOST:
            chosen[example.diagnosis].append(TypePhoto(example.image_id, *facts.get(example.image_id, (None, None))))
    return {code: tuple(photos) for code, photos in chosen.items()}


def show(diagnosis: Diagnosis, photos: Sequence[TypePhoto]) -> None:
    """Show photos of a type, links to those that are not at hand, and a button that fetches these."""
    with ThreadPoolExecutor() as readers:
        pictures = list(readers.map(_read_picture, photos))
    with st.container(horizontal=True, gap="xsmall"):
        for photo, picture in zip(photos, pictures, strict=True):
            if picture:
                alt = f"{diagnosis.name}: dermoscopy photo {photo.image_id}"
                st.image(picture, caption=photo.confirmation, width=WIDTH_PX, alt=alt)
    if missing := [photo for photo, picture in zip(photos, pictures, strict=True) if not picture]:
        _offer(diagnosis, missing)


def _read_picture(photo: TypePhoto) -> Image.Image | None:
    root = loaders.get_data_root()
    file = root / photo.path if root and photo.path else None
    found = find_example(photo.image_id, get_examples_folder(), file)
    if found is None:
        return None
    picture = Image.fromarray(read_photo(found.data).pixels)
    picture.thumbnail((3 * WIDTH_PX, 2 * WIDTH_PX))
    return picture


def _offer(diagnosis: Diagnosis, missing: Sequence[TypePhoto]) -> None:
    links = [f"[{photo.image_id}]({ARCHIVE_PAGE}{photo.image_id}/)" for photo in missing]
    st.markdown(f"Photos in the ISIC Archive: {', '.join(links)}")
    if get_examples_folder() is None and st.button("Fetch them", key=f"fetch-{diagnosis.code}"):
        _fetch(missing)


def _fetch(photos: Sequence[TypePhoto]) -> None:
    """Fetch photos into the cache of examples and show the page anew, or say why the archive has none."""
    try:
        with st.spinner("Fetching photos from the ISIC Archive"):
            for photo in photos:
                fetch_example(photo.image_id, None)
    except ExampleError as error:
        st.warning(str(error))
    else:
        st.rerun()
