"""Paired differences of two runs in the metrics that are made of counts, fast enough for a page."""

from dataclasses import replace

import numpy as np
import pandas as pd

from skinapp.metrics import classification
from skinapp.metrics.bootstrap import draw_replicate_sums, percentile_interval, sum_by_lesion
from skinapp.metrics.classification import Floats
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.runs.baselines import select_photos
from skinapp.runs.lookup import find_indices
from skinapp.runs.stored import StoredRun

FIGURES = {"macro_f1": classification.macro_f1, "balanced_accuracy": classification.balanced_accuracy}


def compute_differences(a: StoredRun, b: StoredRun) -> pd.DataFrame:
    """Return the differences of two runs with the same classes, a minus b, on their common photos.

    Columns: figure (of FIGURES), difference, low, high: the 95% interval by bootstrap over lesions, the same draws for
    both runs. `runs.views.compare` does this for every metric, which takes a hundred times as long. RunError if they
    have no photo in common.
    """
    common_a = select_photos(a, b.frame["image_id"])
    index = find_indices(common_a.frame["image_id"], b.frame["image_id"])
    common_b = replace(b, frame=b.frame.iloc[index].reset_index(drop=True))
    k, lesion = len(a.classes), common_a.lesion_index()
    cells = np.hstack([_one_hot_cells(common_a), _one_hot_cells(common_b)])
    drawn = draw_replicate_sums(sum_by_lesion(cells, lesion), REPLICATES, SEED)
    rows = []
    for name, compute in FIGURES.items():
        whole, replicates = (
            compute(confusion[..., 0, :, :]) - compute(confusion[..., 1, :, :])
            for confusion in (cells.sum(axis=0).reshape(2, k, k), drawn.reshape(-1, 2, k, k))
        )
        rows.append((name, float(whole), *percentile_interval(replicates)))
    return pd.DataFrame(rows, columns=["figure", "difference", "low", "high"])


def _one_hot_cells(run: StoredRun) -> Floats:
    """Return the cell of the confusion matrix of each photo as a one-hot row: float64 (n, k * k), truth in rows.

    The order of the classes may differ between the runs: neither metric depends on it.
    """
    k = len(run.classes)
    cells: Floats = np.eye(k * k)[run.truth_index() * k + run.probabilities().argmax(axis=1)]
    return cells
