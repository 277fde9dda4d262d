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

MAX_POINTS = 300
"""Points per curve: the area under it then differs from that of all points by less than 0.0001."""


def has_malignancy(run: Predictions) -> bool:
    """Return whether a run has both malignant and benign classes, and knows this for every class."""
    malignant = run.malignant_classes()
    return malignant is not None and bool(malignant.any() and not malignant.all())


def mark_malignant(run: Predictions) -> Flags:
    """Return which classes of a run are malignant, (k,) bool; RunError where `has_malignancy` is False."""
    malignant = run.malignant_classes()
    if malignant is None:
        unknown = [label for label in run.classes if malignant_mask((label,), run.stated) is None]
        raise RunError(
            f"The run {run.name} does not tell malignant from benign: of {', '.join(unknown)} it is not known which "
            f"they are. Choose one of its classes: {', '.join(run.classes)}."
        )
    if malignant.all() or not malignant.any():
        raise RunError(
            f"The run {run.name} does not tell malignant from benign: its classes are {', '.join(run.classes)}. "
            "Choose one of them."
        )
    return malignant


def select_positives(run: Predictions, label: str | None = None) -> tuple[Flags, Floats]:
    """Return which photos are positive, (n,) bool, and each photo's score for that, (n,) in 0 to 1.

    Without a `label`, malignant photos are positive, and the score is the sum of the malignant classes. With one, the
    photos of that class are. Raises RunError where the run lacks that class, or malignant or benign classes.
    """
    truth, scores = run.truth_index(), run.probabilities()
    if label is None:
        malignant = mark_malignant(run)
        # A sum of rounded probabilities may exceed 1 a little.
        return malignant[truth], np.minimum(scores[:, malignant].sum(axis=1), 1.0)
    if label not in run.classes:
        raise RunError(f"The run {run.name} has no class {label}. Choose one of {', '.join(run.classes)}.")
    place = run.classes.index(label)
    return truth == place, scores[:, place]


def compute_roc_points(positive: Flags, scores: Floats, most: int = MAX_POINTS) -> pd.DataFrame:
    """Return the ROC curve from (0, 0) to (1, 1), at most `most` rows, the highest threshold first.

    Columns: threshold (a photo is called positive if it scores at least that; infinite in the first row),
    false_positive_rate and sensitivity (0 to 1; NaN where there is no negative or no positive).
    """
    return _sample_roc(sort_scores(positive, scores), most)


def compute_precision_recall_points(positive: Flags, scores: Floats, most: int = MAX_POINTS) -> pd.DataFrame:
    """Return precision and recall by threshold, at most `most` rows, the highest threshold first.

    Columns: threshold, recall (NaN where there is no positive), precision (both 0 to 1). The curve starts at the
    highest score, because precision is undefined where no photo is called positive.
    """
    return _sample_precision_recall(sort_scores(positive, scores), most)


def compute_average_precision(positive: Flags, scores: Floats) -> float:
    """Return the mean precision over all thresholds, weighted by the gain in recall, 0 to 1; NaN if undefined.

    Nothing is interpolated between scores, as in scikit-learn (for the reason see Davis and Goadrich, 2006).
    """
    return sort_scores(positive, scores).average_precision()


def compute_roc_curves(run: Predictions) -> pd.DataFrame:
    """Return the ROC curves of a run: that of malignancy first, if the classes are lesion types, then one per class.

    Columns: class ("malignant" or a label), name (in words), area (the AUROC), then those of `compute_roc_points`.
    There is no curve for a class that no photo or every photo has.
    """
    return _compute_curves(run, _sample_roc, SortedScores.auroc)


def compute_precision_recall_curves(run: Predictions) -> pd.DataFrame:
    """Return the precision-recall curves of a run, like `compute_roc_curves`; area is the average precision."""
    return _compute_curves(run, _sample_precision_recall, SortedScores.average_precision)


def _compute_curves(
    run: Predictions, points: Callable[[SortedScores, int], pd.DataFrame], area: Callable[[SortedScores], float]
) -> pd.DataFrame:
    truth, scores = run.truth_index(), run.probabilities()
    groups = [(label, np.arange(len(run.classes)) == place) for place, label in enumerate(run.classes)]
    if has_malignancy(run) and MALIGNANT not in run.classes:
        groups.insert(0, (MALIGNANT, mark_malignant(run)))

    def curve(of: tuple[str, Flags]) -> pd.DataFrame | None:
        label, places = of
        split = sort_scores(places[truth], scores[:, places].sum(axis=1))
        if not len(split.positives) or not len(split.negatives):
            return None
        frame = points(split, MAX_POINTS)
        frame.insert(0, "class", label)
        frame.insert(1, "name", get_class_name(label))
        frame.insert(2, "area", area(split))
        return frame

    with ThreadPoolExecutor() as pool:  # most of the work is sorting, which releases the interpreter lock
        frames = [frame for frame in pool.map(curve, groups) if frame is not None]
    return pd.concat(frames, ignore_index=True) if frames else _build_empty(points)


def _build_empty(points: Callable[[SortedScores, int], pd.DataFrame]) -> pd.DataFrame:
    columns = points(SortedScores(np.zeros(0), np.zeros(0)), 2).columns
    return pd.DataFrame({"class": pd.Series(dtype=str), "name": pd.Series(dtype=str)}).reindex(
        columns=["class", "name", "area", *columns]
    )


def _sample_roc(split: SortedScores, most: int) -> pd.DataFrame:
    thresholds = np.concatenate([[np.inf], split.pick_thresholds(most - 1)])
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "false_positive_rate": split.false_positive_rate(thresholds),
            "sensitivity": split.sensitivity(thresholds),
        }
    )


def _sample_precision_recall(split: SortedScores, most: int) -> pd.DataFrame:
    thresholds = split.pick_thresholds(most)
    true_positives = split.count_true_positives(thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "recall": split.sensitivity(thresholds),
            "precision": true_positives / (true_positives + split.count_false_positives(thresholds)),
        }
    )
