"""What a run is measured against: a guess without looking, and other models on the same photos."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.runs.lookup import places_among
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.runs.summary import Headline, headline

P = TypeVar("P", bound=Predictions)


def no_skill(run: Predictions) -> Headline:
    """Return the figures of predictions that give every photo the share of each class among this run's photos."""
    k = len(run.classes)
    shares = np.bincount(run.truth_index(), minlength=k) / len(run.frame)
    frame = run.frame[["image_id", "lesion_id", "truth"]].copy()
    for column, share in zip(probability_columns(run.classes), shares, strict=True):
        frame[column] = share
    return headline(replace(run, frame=frame))


def on_photos(run: P, image_ids: Iterable[str]) -> P:
    """Return a run with the predictions of these photos alone, in the run's order; RunError where it has none."""
    wanted = pd.Series(list(image_ids), dtype="string").drop_duplicates()
    kept = places_among(run.frame["image_id"], wanted) >= 0
    if not kept.any():
        raise RunError(f"The run {run.name} holds none of these photos. Choose a run that was made on them.")
    return replace(run, frame=run.frame[kept].reset_index(drop=True))
