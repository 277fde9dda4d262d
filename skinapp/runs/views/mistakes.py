"""Which photos a run got wrong: the missed cancers first, then the most confident mistakes and the confused pairs."""

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics import classification
from skinapp.metrics.classification import ClassIndex, Flags, Floats, malignant_mask
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.runs.views.curves import positives
from skinapp.taxonomy import get_class_name

MOST_PHOTOS = 200

_IDS = ["image_id", "lesion_id", "truth"]


def cancers(run: Predictions) -> int:
    """Count the photos of malignant lesions; RunError where the run does not tell malignant from benign."""
    return int(positives(run)[0].sum())


def missed(run: Predictions) -> int:
    """Count the photos of malignant lesions whose likeliest class is benign; RunError as in `cancers`."""
    return int(_missed(run).sum())


def missed_cancers(run: Predictions, most: int = MOST_PHOTOS) -> pd.DataFrame:
    """List the photos of malignant lesions whose likeliest class is benign, the most confidently wrong first.

    Columns: image_id, lesion_id, truth, prediction (labels), malignant_score (the sum of the malignant classes, 0 to 1,
    the lowest first) and p_prediction (the probability of the prediction). At most `most` rows. RunError where the run
    does not tell malignant from benign.
    """
    _, malignant_score = positives(run)
    places = np.flatnonzero(_missed(run))
    first = places[np.argsort(malignant_score[places], kind="stable")[:most]]
    scores = run.probabilities()[first]
    return _answers(run, first, scores).assign(
        malignant_score=malignant_score[first], p_prediction=scores.max(axis=1, initial=0)
    )


def confident_mistakes(run: Predictions, most: int = MOST_PHOTOS) -> pd.DataFrame:
    """List the photos given a wrong class, the most confident first, at most `most` rows.

    Columns: image_id, lesion_id, truth, prediction (labels), p_truth and p_prediction (their probabilities, 0 to 1).
    """
    truth, scores = run.truth_index(), run.probabilities()
    confidence = scores.max(axis=1)
    wrong = np.flatnonzero(scores.argmax(axis=1) != truth)
    first = wrong[np.argsort(-confidence[wrong], kind="stable")[:most]]
    return _answers(run, first, scores[first]).assign(
        p_truth=scores[first, truth[first]], p_prediction=confidence[first]
    )


def confused_pairs(run: Predictions) -> pd.DataFrame:
    """Count how often a class was taken for another, most photos first; what never happened is left out.

    Columns: truth and prediction (labels), truth_name and prediction_name (in words), photos, and share_of_truth (of
    all photos of that truth, 0 to 1).
    """
    k = len(run.classes)
    counts = classification.confusion_matrix(run.truth_index(), run.probabilities().argmax(axis=1), k)
    truth, prediction = np.nonzero(counts * (1 - np.eye(k)))
    labels = np.array(run.classes)
    frame = pd.DataFrame(
        {
            "truth": labels[truth],
            "truth_name": [get_class_name(labels[place]) for place in truth],
            "prediction": labels[prediction],
            "prediction_name": [get_class_name(labels[place]) for place in prediction],
            "photos": counts[truth, prediction].astype(int),
            "share_of_truth": counts[truth, prediction] / classification.support(counts)[truth],
        }
    )
    return frame.sort_values("photos", ascending=False, kind="stable", ignore_index=True)


def cell(run: Predictions, truth: str, prediction: str) -> pd.DataFrame:
    """List the photos of one cell of the confusion matrix, the most confident first.

    Columns: image_id, lesion_id, truth, prediction, then p_<class> of each class. RunError for a label that is none of
    the run's classes.
    """
    for label in (truth, prediction):
        if label not in run.classes:
            raise RunError(f"The run {run.name} has no class {label}. Choose one of {', '.join(run.classes)}.")
    scores, given = run.probabilities(), run.classes.index(prediction)
    of_truth = run.truth_index() == run.classes.index(truth)
    places = np.flatnonzero(of_truth & (scores.argmax(axis=1) == given))
    first = places[np.argsort(-scores[places, given], kind="stable")]
    chances = pd.DataFrame(scores[first], columns=probability_columns(run.classes))
    return pd.concat([_answers(run, first, scores[first]), chances], axis=1)


def _missed(run: Predictions) -> Flags:
    positive, _ = positives(run)
    called: Flags = malignant_mask(run.classes)[run.probabilities().argmax(axis=1)]
    return positive & ~called


def _answers(run: Predictions, places: ClassIndex, scores: Floats) -> pd.DataFrame:
    """Return ids, truth and prediction of the photos at these places, whose probabilities are `scores`."""
    given = scores.argmax(axis=1) if len(places) else places
    frame = run.frame[_IDS].iloc[places].reset_index(drop=True)
    return frame.assign(prediction=np.array(run.classes)[given])
