"""What each metric is called and what it means: the one table that pages, cards, charts and commands read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricLabel:
    """A metric's name, its meaning in a sentence or two, and a shorter name where the space is narrow."""

    name: str
    meaning: str = ""
    short: str = ""


LABELS = {
    "accuracy": MetricLabel(
        "Accuracy", "Share of photos whose top answer is right. It looks too good if one class is frequent."
    ),
    "balanced_accuracy": MetricLabel("Balanced accuracy", "Recall of each class, averaged: every class counts alike."),
    "macro_f1": MetricLabel("Macro F1", "F1 of each class, averaged."),
    "top3": MetricLabel(
        "Truth among the top three", "Share of photos whose truth is among the three highest scores.", short="Top three"
    ),
    "log_loss": MetricLabel(
        "Log loss",
        "The negative logarithm of the score of the true class, averaged. Training minimises it. Lower is better, but "
        "the model with the lower loss is not always more useful.",
    ),
    "macro_auroc": MetricLabel(
        "Macro AUROC", "How often a photo of a class scores above one of another, averaged by class."
    ),
    "mean_auroc": MetricLabel("Mean AUROC"),
    "malignant_auroc": MetricLabel(
        "Malignant AUROC",
        "How often a malignant photo scores above a benign one. The malignant score of a run of lesion types is the "
        "sum of melanoma, basal cell carcinoma, actinic keratosis and squamous cell carcinoma.",
    ),
    "ece": MetricLabel(
        "Calibration error",
        "Average difference between the score of the most likely class and how often it is right, in 15 equal bins.",
    ),
    "ece_if_perfect": MetricLabel(
        "Calibration error if perfect",
        "The calibration error that perfectly calibrated scores would show by chance with this many photos. Compare "
        "the calibration error with this.",
        short="If it were perfect",
    ),
    "brier": MetricLabel("Brier score", "Mean squared distance of the scores from the truth; 0 is perfect."),
    "slope": MetricLabel("Slope", "1 is ideal. Below 1 the scores are too extreme, above 1 too close to the middle."),
    "intercept": MetricLabel("Intercept", "0 is ideal. Below 0 the scores are too high overall, above 0 too low."),
    "sensitivity": MetricLabel("Sensitivity", "Share of malignant photos that are called malignant."),
    "specificity": MetricLabel("Specificity", "Share of benign photos that are called benign."),
    "ppv": MetricLabel("PPV", "Among the photos called malignant: the share that is malignant."),
    "npv": MetricLabel("NPV", "Among the photos called benign: the share that is benign."),
    "f1": MetricLabel("F1"),
    "precision": MetricLabel("Precision"),
    "recall": MetricLabel("Recall"),
    "auroc": MetricLabel("AUROC"),
    "benign_first": MetricLabel("Benign type most likely above the threshold"),
}
"""By the metric's name in code and in stored files, for example "macro_auroc"."""


def get_metric_name(metric: str) -> str:
    """Return a metric's name as a heading: "Macro AUROC"; of an unknown metric its key in words."""
    return LABELS[metric].name if metric in LABELS else metric.replace("_", " ").capitalize()


def get_short_name(metric: str) -> str:
    """Return a metric's name for a tile or a column: "Top three"."""
    return (LABELS[metric].short if metric in LABELS else "") or get_metric_name(metric)


def get_inline_name(metric: str) -> str:
    """Return a metric's name as it stands within a sentence: "macro AUROC", "F1"."""
    name = get_metric_name(metric)
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def get_meaning(metric: str) -> str | None:
    """Return what a metric means, as the help beside it; None where the table does not say."""
    return (LABELS[metric].meaning if metric in LABELS else "") or None
