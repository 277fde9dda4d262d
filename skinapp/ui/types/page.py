"""The Lesion types page: one card per type, malignant ones first, those that the address names before all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from skinapp.datasets.summary import count_classes
from skinapp.taxonomy import BY_CODE, CODES, DIAGNOSES, MELANOMA, Diagnosis
from skinapp.ui import loaders
from skinapp.ui.types import photos

TYPE = "type"
"""The query parameter that names types, by their codes: `?type=mel&type=nv`."""


@dataclass(frozen=True)
class TypeCard:
    """A diagnosis and how many photos and lesions of it a table holds."""

    diagnosis: Diagnosis
    photos: int
    lesions: int


def show(path: Path) -> None:
    """Show the lesion types with their counts in an image table, one card each."""
    named, unknown = _read_named()
    if unknown:
        st.info("The link names a lesion type that does not exist here. All types are listed below.")
    table = loaders.get_table(path)
    cards = count_types(table)
    if named:
        st.caption("The types that the link names come first.")
    else:
        st.markdown(_list_links())
    shown = photos.choose_photos(loaders.get_showcase(), table)
    for code in order_types(named):
        _show_card(cards[code], shown[code])
    st.caption(photos.SOURCE)


def count_types(table: pd.DataFrame) -> dict[str, TypeCard]:
    """Count the photos and lesions of each diagnosis in an image table, 0 where it has none; by code."""
    counts = count_classes(table).set_index("diagnosis").reindex(list(CODES), fill_value=0)
    rows = zip(DIAGNOSES, counts["photos"], counts["lesions"], strict=True)
    return {diagnosis.code: TypeCard(diagnosis, int(photos), int(lesions)) for diagnosis, photos, lesions in rows}


def order_types(named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the codes in the order of the page: named ones, then melanoma, other malignant types, benign ones."""

    def rank(code: str) -> tuple[int, bool, bool]:
        place = named.index(code) if code in named else len(named)
        return place, not BY_CODE[code].malignant, code != MELANOMA

    return tuple(sorted(CODES, key=rank))


def _read_named() -> tuple[list[str], list[str]]:
    """Return the codes that the address names, in its order, and what it names that is no code."""
    given = list(dict.fromkeys(st.query_params.get_all(TYPE)))
    return [code for code in given if code in BY_CODE], [code for code in given if code not in BY_CODE]


def _list_links() -> str:
    lines = []
    for title, malignant in (("Counted as malignant", True), ("Counted as benign", False)):
        links = [f"[{BY_CODE[code].name}](#{code})" for code in order_types() if BY_CODE[code].malignant is malignant]
        lines.append(f"**{title}:** {' · '.join(links)}")
    return "  \n".join(lines)


def _show_card(card: TypeCard, shown: Sequence[photos.TypePhoto]) -> None:
    diagnosis = card.diagnosis
    badge = ":orange-badge[counted as malignant]" if diagnosis.malignant else ":blue-badge[counted as benign]"
    with st.container(border=True):
        words, pictures = st.columns([3, 2], gap="medium")
        with words:
            st.subheader(f"{diagnosis.name} ({diagnosis.code})", anchor=diagnosis.code)
            st.markdown(f"{badge} {card.photos:,} photos of {card.lesions:,} lesions in HAM10000")
            st.markdown(diagnosis.what)
            st.markdown(f"**In this data:** {diagnosis.covers}")
            st.markdown(f"**Why {'malignant' if diagnosis.malignant else 'benign'}:** {diagnosis.why}")
        with pictures:
            photos.show(diagnosis, shown)
