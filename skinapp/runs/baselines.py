"""What a run is measured against: a guess without looking, and other models on the same photos."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.runs.lookup import places_among
from skinapp.runs.stored import StoredRun, probability_columns, truth_index
from skinapp.runs.summary import Headline, headline


def no_skill(run: StoredRun) -> Headline:
    """Return the figures of predictions that give every photo the share of each class among this run's photos."""
    k = len(run.classes)
    shares = np.bincount(truth_index(run), minlength=k) / len(run.predictions)
    frame = run.predictions[["image_id", "lesion_id", "truth"]].copy()
    for column, share in zip(probability_columns(run.classes), shares, strict=True):
        frame[column] = share
    return headline(replace(run, predictions=frame))


def on_photos(run: StoredRun, image_ids: Iterable[str]) -> StoredRun:
    """Return a run with the predictions of these photos alone, in the run's order; RunError where it has none."""
    wanted = pd.Series(list(image_ids), dtype="string").drop_duplicates()
    kept = places_among(run.predictions["image_id"], wanted) >= 0
    if not kept.any():
        raise RunError(f"The run {run.name} holds none of these photos. Choose a run that was made on them.")
    return replace(run, predictions=run.predictions[kept].reset_index(drop=True))
