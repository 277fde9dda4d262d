"""All metrics of a set of predictions in one call."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

import numpy as np

from skinapp.metrics import classification
from skinapp.metrics.classification import NOTHING_STATED, ClassIndex, Floats

T = TypeVar("T")


@dataclass(frozen=True)
class OverallFigures(Generic[T]):
    """The metrics of all classes together: 0 to 1, log_loss in nats; each a number, or an array of replicates."""

    accuracy: T
    balanced_accuracy: T
    macro_f1: T
    top3: T
    log_loss: T
    macro_auroc: T
    malignant_auroc: T
    ece: T


@dataclass(frozen=True)
class Figures(OverallFigures[Floats]):
    """All metrics of a set of predictions, (...); precision, recall, f1 and auroc are per class, (..., k)."""

    precision: Floats
    recall: Floats
    f1: Floats
    auroc: Floats


PER_CLASS = ("precision", "recall", "f1", "auroc")


OVERALL = tuple(field.name for field in fields(OverallFigures))


def compute_figures(
    truth: ClassIndex,
    probabilities: Floats,
    classes: tuple[str, ...],
    sample_weight: Floats | None = None,
    stated: Mapping[str, bool] = NOTHING_STATED,
) -> Figures:
    """Compute all metrics; truth (n,) indices, probabilities (n, k); top3 is NaN for fewer than four classes.

    malignant_auroc is NaN where a class is neither known to be malignant or benign nor `stated` (see malignant_mask).
    """
    k = len(classes)
    confusion = classification.confusion_matrix(truth, probabilities.argmax(axis=1), k, sample_weight)
    areas = classification.auroc_per_class(truth, probabilities, sample_weight)
    malignant = classification.malignant_mask(classes, stated)
    top3 = classification.top_k_accuracy(truth, probabilities, 3, sample_weight)
    return Figures(
        accuracy=classification.accuracy(confusion),
        balanced_accuracy=classification.balanced_accuracy(confusion),
        macro_f1=classification.macro_f1(confusion),
        top3=top3 if k > 3 else np.full_like(top3, np.nan),
        log_loss=classification.log_loss(truth, probabilities, sample_weight),
        macro_auroc=classification.mean_ignoring_nan(areas),
        malignant_auroc=np.full_like(top3, np.nan)
        if malignant is None
        else classification.auroc(malignant[truth], probabilities[:, malignant].sum(axis=1), sample_weight),
        ece=classification.expected_calibration_error(truth, probabilities, sample_weight),
        precision=classification.precision(confusion),
        recall=classification.recall(confusion),
        f1=classification.f1(confusion),
        auroc=areas,
    )
