"""How far two runs differ on the same photos in the figures that are made of counts, fast enough for a page."""

from dataclasses import replace

import numpy as np
import pandas as pd

from skinapp.metrics import classification
from skinapp.metrics.bootstrap import lesion_sums, percentile_interval, replicate_sums
from skinapp.metrics.classification import Floats
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.runs.baselines import on_photos
from skinapp.runs.lookup import places_among
from skinapp.runs.stored import StoredRun, lesion_index, probabilities, truth_index

FIGURES = {"macro_f1": classification.macro_f1, "balanced_accuracy": classification.balanced_accuracy}


def gaps(a: StoredRun, b: StoredRun) -> pd.DataFrame:
    """Return the differences of two runs with the same classes, a less b, on their common photos.

    Columns: figure (of FIGURES), difference, low, high: the 95% interval by draws of lesions, the same for both runs.
    `compare.paired_differences` does this for every figure, which takes a hundred times as long. RunError where they
    share no photo.
    """
    common_a = on_photos(a, b.predictions["image_id"])
    place = places_among(common_a.predictions["image_id"], b.predictions["image_id"])
    common_b = replace(b, predictions=b.predictions.iloc[place].reset_index(drop=True))
    k, lesion = len(a.classes), lesion_index(common_a)
    cells = np.hstack([_cells(common_a), _cells(common_b)])
    drawn = replicate_sums(lesion_sums(cells, lesion), REPLICATES, SEED)
    rows = []
    for name, compute in FIGURES.items():
        whole, replicates = (
            compute(confusion[..., 0, :, :]) - compute(confusion[..., 1, :, :])
            for confusion in (cells.sum(axis=0).reshape(2, k, k), drawn.reshape(-1, 2, k, k))
        )
        rows.append((name, float(whole), *percentile_interval(replicates)))
    return pd.DataFrame(rows, columns=["figure", "difference", "low", "high"])


def _cells(run: StoredRun) -> Floats:
    """Mark the cell of the confusion matrix that each photo falls into: float64 (n, k * k), truths by rows.

    The order of the classes is the run's own: it matters to neither figure.
    """
    k = len(run.classes)
    cells: Floats = np.eye(k * k)[truth_index(run) * k + probabilities(run).argmax(axis=1)]
    return cells
