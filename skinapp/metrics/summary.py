"""All metrics of a set of predictions in one call."""

from dataclasses import dataclass, fields

import numpy as np

from skinapp.metrics import classification
from skinapp.metrics.classification import ClassIndex, Floats


@dataclass(frozen=True)
class Figures:
    """All metrics of a set of predictions, (...); precision, recall, f1 and auroc are per class, (..., k)."""

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


def compute_figures(
    truth: ClassIndex, probabilities: Floats, classes: tuple[str, ...], sample_weight: Floats | None = None
) -> Figures:
    """Compute all metrics; truth (n,) indices, probabilities (n, k); top3 is NaN for fewer than four classes."""
    k = len(classes)
    confusion = classification.confusion_matrix(truth, probabilities.argmax(axis=1), k, sample_weight)
    areas = classification.auroc_per_class(truth, probabilities, sample_weight)
    malignant = classification.malignant_mask(classes)
    top3 = classification.top_k_accuracy(truth, probabilities, 3, sample_weight)
    return Figures(
        accuracy=classification.accuracy(confusion),
        balanced_accuracy=classification.balanced_accuracy(confusion),
        macro_f1=classification.macro_f1(confusion),
        top3=top3 if k > 3 else np.full_like(top3, np.nan),
        log_loss=classification.log_loss(truth, probabilities, sample_weight),
        macro_auroc=classification.mean_ignoring_nan(areas),
        malignant_auroc=classification.auroc(malignant[truth], probabilities[:, malignant].sum(axis=1), sample_weight),
        ece=classification.expected_calibration_error(truth, probabilities, sample_weight),
        precision=classification.precision(confusion),
        recall=classification.recall(confusion),
        f1=classification.f1(confusion),
        auroc=areas,
    )
