"""ROC and precision-recall curves of a stored run, thinned to what a chart can show."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics.classification import Flags, Floats, malignant_mask
from skinapp.metrics.ranking import SortedScores, sort_scores
from skinapp.runs.predictions import Predictions
from skinapp.taxonomy import MALIGNANT, get_class_name

MOST_POINTS = 300
"""Points of a curve: the area below it then differs from that of all points by less than 0.0001."""


def tells_malignancy(run: Predictions) -> bool:
    """Tell whether a run has both malignant and benign classes."""
    malignant = malignant_mask(run.classes)
    return bool(malignant.any() and not malignant.all())


def positives(run: Predictions, label: str | None = None) -> tuple[Flags, Floats]:
    """Return which photos are positive, (n,) bool, and the score of each for that, (n,) in 0 to 1.

    `label` None asks for malignancy, whose score is the sum of the malignant classes; a label asks for that class
    against all others. Raises RunError where the run has no such class, or not both malignant and benign ones.
    """
    truth, scores = run.truth_index(), run.probabilities()
    if label is None:
        _check_malignancy(run)
        asked = malignant_mask(run.classes)
        # A sum of rounded probabilities may pass 1 by a hair.
        return asked[truth], np.minimum(scores[:, asked].sum(axis=1), 1.0)
    if label not in run.classes:
        raise RunError(f"The run {run.name} has no class {label}. Choose one of {', '.join(run.classes)}.")
    place = run.classes.index(label)
    return truth == place, scores[:, place]


def roc_points(positive: Flags, scores: Floats, most: int = MOST_POINTS) -> pd.DataFrame:
    """Return the ROC curve from (0, 0) to (1, 1), at most `most` rows, the highest threshold first.

    Columns: threshold (a photo that scores at least it is called positive; infinite in the first row),
    false_positive_rate and sensitivity (0 to 1; NaN where there is no negative or no positive).
    """
    return _roc(sort_scores(positive, scores), most)


def precision_recall_points(positive: Flags, scores: Floats, most: int = MOST_POINTS) -> pd.DataFrame:
    """Return precision against recall, at most `most` rows, the highest threshold first.

    Columns: threshold, recall (NaN where there is no positive), precision (both 0 to 1). The curve begins where the
    highest score lies: without a photo called positive there is no precision.
    """
    return _precision_recall(sort_scores(positive, scores), most)


def average_precision(positive: Flags, scores: Floats) -> float:
    """Return the mean of the precision at each score, weighted by the recall that it adds, 0 to 1; NaN if undefined.

    Nothing is interpolated between scores, as in scikit-learn (Davis and Goadrich, 2006, say why).
    """
    return sort_scores(positive, scores).average_precision()


def roc_curves(run: Predictions) -> pd.DataFrame:
    """Return the ROC curves of a run: malignancy first, where it is told by several classes, then each class.

    Columns: class ("malignant" or a label), name (in words), area (the AUROC), then those of `roc_points`. A class
    that no photo has, or all have, has no curve.
    """
    return _curves(run, _roc, SortedScores.auroc)


def precision_recall_curves(run: Predictions) -> pd.DataFrame:
    """Return the precision-recall curves of a run, as `roc_curves` does; area is the average precision."""
    return _curves(run, _precision_recall, SortedScores.average_precision)


def _curves(
    run: Predictions, points: Callable[[SortedScores, int], pd.DataFrame], area: Callable[[SortedScores], float]
) -> pd.DataFrame:
    truth, scores = run.truth_index(), run.probabilities()
    asked = [(label, np.arange(len(run.classes)) == place) for place, label in enumerate(run.classes)]
    if tells_malignancy(run) and MALIGNANT not in run.classes:
        asked.insert(0, (MALIGNANT, malignant_mask(run.classes)))

    def curve(of: tuple[str, Flags]) -> pd.DataFrame | None:
        label, places = of
        split = sort_scores(places[truth], scores[:, places].sum(axis=1))
        if not len(split.positives) or not len(split.negatives):
            return None
        frame = points(split, MOST_POINTS)
        frame.insert(0, "class", label)
        frame.insert(1, "name", get_class_name(label))
        frame.insert(2, "area", area(split))
        return frame

    with ThreadPoolExecutor() as pool:  # most of it is sorting, which leaves other threads alone
        frames = [frame for frame in pool.map(curve, asked) if frame is not None]
    return pd.concat(frames, ignore_index=True) if frames else _empty(points)


def _empty(points: Callable[[SortedScores, int], pd.DataFrame]) -> pd.DataFrame:
    columns = points(SortedScores(np.zeros(0), np.zeros(0)), 2).columns
    return pd.DataFrame({"class": pd.Series(dtype=str), "name": pd.Series(dtype=str)}).reindex(
        columns=["class", "name", "area", *columns]
    )


def _roc(split: SortedScores, most: int) -> pd.DataFrame:
    thresholds = np.concatenate([[np.inf], split.pick_thresholds(most - 1)])
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "false_positive_rate": split.false_positive_rate(thresholds),
            "sensitivity": split.sensitivity(thresholds),
        }
    )


def _precision_recall(split: SortedScores, most: int) -> pd.DataFrame:
    thresholds = split.pick_thresholds(most)
    true_positives = split.count_true_positives(thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "recall": split.sensitivity(thresholds),
            "precision": true_positives / (true_positives + split.count_false_positives(thresholds)),
        }
    )


def _check_malignancy(run: Predictions) -> None:
    if not tells_malignancy(run):
        raise RunError(
            f"The run {run.name} does not tell malignant from benign: its classes are {', '.join(run.classes)}. "
            "Choose one of them."
        )
