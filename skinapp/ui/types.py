"""The Lesion types page: one card per type."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from skinapp.datasets.summary import count_classes
from skinapp.taxonomy import DIAGNOSES, Diagnosis


@dataclass(frozen=True)
class TypeCard:
    """A diagnosis and how many photos and lesions of it a table holds."""

    diagnosis: Diagnosis
    photos: int
    lesions: int


def count_types(table: pd.DataFrame) -> list[TypeCard]:
    """Count the photos and lesions of each diagnosis in an image table, 0 where it has none."""
    counts = count_classes(table).set_index("diagnosis").reindex([d.code for d in DIAGNOSES], fill_value=0)
    rows = zip(DIAGNOSES, counts["photos"], counts["lesions"], strict=True)
    return [TypeCard(diagnosis, int(photos), int(lesions)) for diagnosis, photos, lesions in rows]


def show(card: TypeCard) -> None:
    """Show one lesion type."""
    diagnosis = card.diagnosis
    badge = ":orange-badge[counted as malignant]" if diagnosis.malignant else ":blue-badge[counted as benign]"
    with st.container(border=True):
        st.subheader(f"{diagnosis.name} ({diagnosis.code})", anchor=diagnosis.code)
        st.markdown(f"{badge} {card.photos:,} photos of {card.lesions:,} lesions in HAM10000")
        st.markdown(diagnosis.what)
        st.markdown(f"**In this data:** {diagnosis.covers}")
        st.markdown(f"**Why {'malignant' if diagnosis.malignant else 'benign'}:** {diagnosis.why}")
