"""Predictions in the format of ISIC 2018 task 3, so that the challenge's own scorer can read them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics.classification import Floats
from skinapp.runs.prevalence import restate_for_equal_shares
from skinapp.runs.seven import INTO, MERGED
from skinapp.taxonomy import CODES

COLUMNS = {"MEL": "mel", "NV": "nv", "BCC": "bcc", "AKIEC": "akiec", "BKL": "bkl", "DF": "df", "VASC": "vasc"}
"""The challenge's classes in its order, and their codes in the taxonomy."""

JOINED = {MERGED: INTO}
"""Types that the challenge has no class for, and the class they had in HAM10000."""


def format_submission(
    image_ids: "pd.Series[str]", probabilities: Floats, classes: tuple[str, ...], shares: Sequence[float] = ()
) -> pd.DataFrame:
    """Return predictions, (n, k) with one column per class, as columns image, MEL, NV, BCC, AKIEC, BKL, DF and VASC.

    Squamous cell carcinoma is added to AKIEC; a class that the model does not know gets 0. With `shares`, the class
    shares (k, above 0) that the probabilities hold for, the result is restated for equally frequent classes, as the
    challenge's balanced accuracy weights them. Raises RunError as `check_classes` does.
    """
    check_classes(classes)
    of_column = np.array([[JOINED.get(label, label) == code for code in COLUMNS.values()] for label in classes])
    scores = probabilities @ of_column
    if shares:
        scores = restate_for_equal_shares(scores, np.asarray(shares) @ of_column)
    frame = pd.DataFrame(np.minimum(scores, 1.0), columns=list(COLUMNS))  # rounded sums may exceed 1
    frame.insert(0, "image", image_ids.to_numpy())
    return frame


def check_classes(classes: tuple[str, ...]) -> None:
    """Raise RunError for classes outside the taxonomy, because the format has no column for them."""
    strange = sorted(set(classes) - set(CODES))
    if strange:
        raise RunError(
            f"The challenge's format has no column for {', '.join(strange)}: its classes are "
            f"{', '.join(COLUMNS.values())}, with scc in akiec. Take a model of lesion types."
        )
