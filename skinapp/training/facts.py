"""Texts and facts for a card: the photos of a training, their limits, the licence and the intended use."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from skinapp.files import compute_sha256
from skinapp.models.card import DataFacts, SplitFacts, TableFacts

LICENCE = "CC BY-NC 4.0: trained on photos under that licence; not for commercial use"
INTENDED_USE = (
    "Study and audit of dermoscopy classifiers; an aid to a trained reader of dermoscopy, in addition to the reader's "
    "own judgement."
)
NOT_FOR = (
    "Diagnosis, reassurance, or any decision without a doctor; photos taken without a dermatoscope; lesions of "
    "mucous membranes, nails or eyes; kinds of lesion that are not among its classes."
)
LIMITS = (
    "Skin tone is not recorded; nearly all photos are of light skin.",
    "Patients are not recorded: one patient's lesions may be in training and in test.",
    "The photos come from a few clinics and cameras. "
    "On other cameras expect worse results; the threshold may not carry over.",
)


def describe_data(
    table: Path, photos: pd.DataFrame, parts: Mapping[str, pd.DataFrame], others: Sequence[Path] = ()
) -> DataFacts:
    """Return the data facts of a card: of the table's file, of all photos, and of the "train" and "validation" photos.

    `others` are the files of further tables with training photos.
    """

    def facts(part: pd.DataFrame) -> SplitFacts:
        return SplitFacts(
            photos=len(part),
            lesions=part["lesion_id"].nunique(),
            malignant_share=float(part["malignant"].mean()),
        )

    return DataFacts(
        table=table.stem,
        table_sha256=compute_sha256(table),
        others=tuple(TableFacts(table=path.stem, sha256=compute_sha256(path)) for path in others),
        sources=tuple(sorted(photos["source"].dropna().unique())),
        train=facts(parts["train"]),
        validation=facts(parts["validation"]),
        limits=LIMITS,
    )
