"""The figures of a run: overall, by class, and as a confusion matrix."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics import classification
from skinapp.metrics.summary import OVERALL, PER_CLASS, OverallFigures, compute_figures
from skinapp.runs.predictions import Predictions
from skinapp.taxonomy import get_class_name


@dataclass(frozen=True)
class Headline(OverallFigures[float]):
    """The numbers of photos and lesions of a run, and its overall figures (0 to 1; log_loss in nats)."""

    photos: int
    lesions: int


def compute_headline(run: Predictions) -> Headline:
    """Compute the overall figures of a run."""
    figures = compute_figures(run.truth_index(), run.probabilities(), run.classes, stated=run.stated)
    overall = {name: float(getattr(figures, name)) for name in OVERALL}
    return Headline(photos=len(run.frame), lesions=run.frame["lesion_id"].nunique(), **overall)


def compute_per_class(run: Predictions) -> pd.DataFrame:
    """Compute the figures of each class of a run, one row per class in the run's order.

    Columns: class, name (in words), support and lesions (photos and lesions with that truth), precision,
    recall, f1, auroc (one against all others), predicted (photos whose most likely class it is).
    """
    scores = run.probabilities()
    figures = compute_figures(run.truth_index(), scores, run.classes)
    by_truth = run.frame.groupby("truth")["lesion_id"]
    frame = pd.DataFrame({"class": run.classes, "name": [get_class_name(label) for label in run.classes]})
    frame["support"] = frame["class"].map(by_truth.size()).fillna(0).astype(int)
    frame["lesions"] = frame["class"].map(by_truth.nunique()).fillna(0).astype(int)
    for name in PER_CLASS:
        frame[name] = getattr(figures, name)
    return frame.assign(predicted=np.bincount(scores.argmax(axis=1), minlength=len(run.classes)))


def count_confusion(run: Predictions) -> pd.DataFrame:
    """Count the photos by truth (rows) and most likely class (columns), both in the order of the classes."""
    k = len(run.classes)
    counts = classification.confusion_matrix(run.truth_index(), run.probabilities().argmax(axis=1), k).astype(int)
    return pd.DataFrame(
        counts,
        index=pd.Index(run.classes, name="truth"),
        columns=pd.Index(run.classes, name="prediction"),
    )
