"""Photos that a run got wrong: missed malignant lesions, confident mistakes and confused pairs of classes."""

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.metrics import classification
from skinapp.metrics.classification import ClassIndex, Flags, Floats
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.runs.views.curves import mark_malignant, select_positives
from skinapp.taxonomy import get_class_name

MAX_PHOTOS = 200

_IDS = ["image_id", "lesion_id", "truth"]


def count_malignant(run: Predictions) -> int:
    """Count the photos of malignant lesions; RunError where the run lacks malignant or benign classes."""
    return int(select_positives(run)[0].sum())


def count_missed(run: Predictions) -> int:
    """Count the photos of malignant lesions whose most likely class is benign; RunError as in `count_malignant`."""
    return int(_mark_missed(run).sum())


def list_missed(run: Predictions, most: int = MAX_PHOTOS) -> pd.DataFrame:
    """List the photos of malignant lesions whose most likely class is benign, the lowest malignant score first.

    Columns: image_id, lesion_id, truth, prediction (labels), malignant_score (sum of the malignant classes, 0 to 1) and
    p_prediction (probability of the prediction). At most `most` rows. RunError where the run lacks malignant or benign
    classes.
    """
    _, malignant_score = select_positives(run)
    places = np.flatnonzero(_mark_missed(run))
    first = places[np.argsort(malignant_score[places], kind="stable")[:most]]
    scores = run.probabilities()[first]
    return _list_answers(run, first, scores).assign(
        malignant_score=malignant_score[first], p_prediction=scores.max(axis=1, initial=0)
    )


def count_mistakes(run: Predictions) -> int:
    """Count the photos whose most likely class is wrong."""
    return int((run.probabilities().argmax(axis=1) != run.truth_index()).sum())


def list_confident_mistakes(run: Predictions, most: int = MAX_PHOTOS) -> pd.DataFrame:
    """List the photos whose most likely class is wrong, the most confident first, at most `most` rows.

    Columns: image_id, lesion_id, truth, prediction (labels), p_truth and p_prediction (their probabilities, 0 to 1).
    """
    truth, scores = run.truth_index(), run.probabilities()
    confidence = scores.max(axis=1)
    wrong = np.flatnonzero(scores.argmax(axis=1) != truth)
    first = wrong[np.argsort(-confidence[wrong], kind="stable")[:most]]
    return _list_answers(run, first, scores[first]).assign(
        p_truth=scores[first, truth[first]], p_prediction=confidence[first]
    )


def count_confused_pairs(run: Predictions) -> pd.DataFrame:
    """Count how often each class was mistaken for another, most photos first; pairs without a photo are left out.

    Columns: truth and prediction (labels), truth_name and prediction_name (in words), photos, and share_of_truth (0 to
    1, of all photos with that truth).
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


def list_cell(run: Predictions, truth: str, prediction: str) -> pd.DataFrame:
    """List the photos of one cell of the confusion matrix, the most confident first.

    Columns: image_id, lesion_id, truth, prediction, then p_<class> for each class. RunError for a label that is not a
    class of the run.
    """
    for label in (truth, prediction):
        if label not in run.classes:
            raise RunError(f"The run {run.name} has no class {label}. Choose one of {', '.join(run.classes)}.")
    scores, given = run.probabilities(), run.classes.index(prediction)
    of_truth = run.truth_index() == run.classes.index(truth)
    places = np.flatnonzero(of_truth & (scores.argmax(axis=1) == given))
    first = places[np.argsort(-scores[places, given], kind="stable")]
    chances = pd.DataFrame(scores[first], columns=probability_columns(run.classes))
    return pd.concat([_list_answers(run, first, scores[first]), chances], axis=1)


def _mark_missed(run: Predictions) -> Flags:
    positive, _ = select_positives(run)
    called: Flags = mark_malignant(run)[run.probabilities().argmax(axis=1)]
    return positive & ~called


def _list_answers(run: Predictions, places: ClassIndex, scores: Floats) -> pd.DataFrame:
    """Return ids, truth and prediction of the photos at these indices; `scores` are their probabilities."""
    given = scores.argmax(axis=1) if len(places) else places
    frame = run.frame[_IDS].iloc[places].reset_index(drop=True)
    return frame.assign(prediction=np.array(run.classes)[given])
