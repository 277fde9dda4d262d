"""Predictions in the format of ISIC 2018 task 3, so that the challenge's own scorer can read them."""

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.evaluation.metrics import Floats
from skinapp.taxonomy import CODES

COLUMNS = {"MEL": "mel", "NV": "nv", "BCC": "bcc", "AKIEC": "akiec", "BKL": "bkl", "DF": "df", "VASC": "vasc"}
"""The challenge's classes in its order, and their codes in the taxonomy."""

JOINED = {"scc": "akiec"}
"""What the challenge has no class for, and the one that its photos were labelled with in HAM10000."""


def submission(image_ids: "pd.Series[str]", probabilities: Floats, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return predictions, (n, k) with a column a class, as columns image, MEL, NV, BCC, AKIEC, BKL, DF and VASC.

    Squamous cell carcinoma is added to AKIEC; a class that the model does not know gets 0 throughout. Raises as
    `check_classes` does.
    """
    check_classes(classes)
    meant = [JOINED.get(label, label) for label in classes]
    frame = pd.DataFrame({"image": image_ids.to_numpy()})
    for column, code in COLUMNS.items():
        joined = probabilities[:, [label == code for label in meant]].sum(axis=1)
        frame[column] = np.minimum(joined, 1.0)  # a sum may be a rounding above what the scorer takes
    return frame


def check_classes(classes: tuple[str, ...]) -> None:
    """Raise RunError for classes that are none of the taxonomy's codes: the format has no column for them."""
    strange = sorted(set(classes) - set(CODES))
    if strange:
        raise RunError(
            f"The challenge's format has no column for {', '.join(strange)}: its classes are "
            f"{', '.join(COLUMNS.values())}, with scc in akiec. Take a model of lesion types."
        )
