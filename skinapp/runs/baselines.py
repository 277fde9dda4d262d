"""What a run is compared with: a guess without looking at the photo, and other runs on the same photos."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.runs.lookup import find_indices
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.runs.summary import Headline, compute_headline

P = TypeVar("P", bound=Predictions)


def compute_no_skill(run: Predictions) -> Headline:
    """Return the figures of a model that gives every photo the class shares of this run's photos."""
    k = len(run.classes)
    shares = np.bincount(run.truth_index(), minlength=k) / len(run.frame)
    frame = run.frame[["image_id", "lesion_id", "truth"]].copy()
    for column, share in zip(probability_columns(run.classes), shares, strict=True):
        frame[column] = share
    return compute_headline(replace(run, frame=frame))


def select_photos(run: P, image_ids: Iterable[str]) -> P:
    """Return a run with the predictions for these photos only, in the run's order; RunError where it has none."""
    wanted = pd.Series(list(image_ids), dtype="string").drop_duplicates()
    kept = find_indices(run.frame["image_id"], wanted) >= 0
    if not kept.any():
        raise RunError(f"The run {run.name} holds none of these photos. Choose a run that was made on them.")
    return replace(run, frame=run.frame[kept].reset_index(drop=True))
