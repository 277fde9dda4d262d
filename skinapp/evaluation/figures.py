"""The figures of a stored run: in one line, by class, and as a confusion matrix."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from skinapp.evaluation import metrics
from skinapp.evaluation.metrics import Floats, Places
from skinapp.evaluation.run import StoredRun, probabilities, truth_index
from skinapp.taxonomy import class_name


@dataclass(frozen=True)
class Figures:
    """Every figure of some predictions, (...); precision, recall, f1 and auroc are per class, (..., k)."""

    accuracy: Floats
    balanced_accuracy: Floats
    macro_f1: Floats
    top3: Floats
    log_loss: Floats
    macro_auroc: Floats
    malignant_auroc: Floats
    ece: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    auroc: Floats


PER_CLASS = ("precision", "recall", "f1", "auroc")
OVERALL = tuple(field.name for field in fields(Figures) if field.name not in PER_CLASS)


def figures(truth: Places, probabilities: Floats, classes: tuple[str, ...], weights: Floats | None = None) -> Figures:
    """Compute every figure of some predictions; top3 is NaN for fewer than four classes."""
    k = len(classes)
    confusion = metrics.confusion_counts(truth, probabilities.argmax(axis=1), k, weights)
    areas = metrics.auroc_per_class(truth, probabilities, weights)
    malignant = metrics.malignant_places(classes)
    top3 = metrics.top_k_accuracy(truth, probabilities, 3, weights)
    return Figures(
        accuracy=metrics.accuracy(confusion),
        balanced_accuracy=metrics.balanced_accuracy(confusion),
        macro_f1=metrics.macro_f1(confusion),
        top3=top3 if k > 3 else np.full_like(top3, np.nan),
        log_loss=metrics.log_loss(truth, probabilities, weights),
        macro_auroc=metrics.mean_of_defined(areas),
        malignant_auroc=metrics.auroc(malignant[truth], probabilities[:, malignant].sum(axis=1), weights),
        ece=metrics.calibration_error(truth, probabilities, weights),
        precision=metrics.precision(confusion),
        recall=metrics.recall(confusion),
        f1=metrics.f1(confusion),
        auroc=areas,
    )


@dataclass(frozen=True)
class Headline:
    """A run in one line: photos and lesions counted, then the overall figures (0 to 1; log_loss in nats)."""

    photos: int
    lesions: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    top3: float
    log_loss: float
    macro_auroc: float
    malignant_auroc: float
    ece: float


def headline(run: StoredRun) -> Headline:
    """Compute the overall figures of a run."""
    found = figures(truth_index(run), probabilities(run), run.classes)
    overall = {name: float(getattr(found, name)) for name in OVERALL}
    return Headline(len(run.predictions), run.predictions["lesion_id"].nunique(), **overall)


def per_class(run: StoredRun) -> pd.DataFrame:
    """Compute the figures of each class of a run, a row a class in the run's order.

    Columns: class, name (in words), support and lesions (photos and lesions of that truth), precision,
    recall, f1, auroc (one against all others), predicted (photos given that class).
    """
    scores = probabilities(run)
    found = figures(truth_index(run), scores, run.classes)
    by_truth = run.predictions.groupby("truth")["lesion_id"]
    frame = pd.DataFrame({"class": run.classes, "name": [class_name(label) for label in run.classes]})
    frame["support"] = frame["class"].map(by_truth.size()).fillna(0).astype(int)
    frame["lesions"] = frame["class"].map(by_truth.nunique()).fillna(0).astype(int)
    for name in PER_CLASS:
        frame[name] = getattr(found, name)
    return frame.assign(predicted=np.bincount(scores.argmax(axis=1), minlength=len(run.classes)))


def confusion_frame(run: StoredRun) -> pd.DataFrame:
    """Count each truth (rows) against each prediction (columns), in class order, as whole photos."""
    k = len(run.classes)
    counts = metrics.confusion_counts(truth_index(run), probabilities(run).argmax(axis=1), k).astype(int)
    return pd.DataFrame(
        counts,
        index=pd.Index(run.classes, name="truth"),
        columns=pd.Index(run.classes, name="prediction"),
    )
