"""A stored shortcut probe: how well trivial facts predict each class, and which facts do."""

from pathlib import Path

import pandas as pd

from skinapp.errors import RunError

FEATURES_FILE = "features.csv"
"""A file beside a probe's predictions: the AUROC of each fact alone, and the loss of AUROC without it."""

FEATURE_COLUMNS = ("feature", "class", "auroc_alone", "auroc_drop")

MOST_NAMED, LEAST_DROP = 3, 0.005
"""The most facts named for a class, and the least drop of AUROC of a fact that is named."""


def read_features(folder: Path) -> pd.DataFrame:
    """Read the FEATURE_COLUMNS of a stored probe; RunError where the file is missing or damaged."""
    path = folder / FEATURES_FILE
    try:
        return pd.read_csv(path, usecols=list(FEATURE_COLUMNS), dtype={"feature": "string", "class": "string"})
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} cannot be read as the facts of a probe ({error}). Run `skinapp probe` again."
        ) from error


def summarise_probe(classes: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return for each class of a probe how well trivial facts predict it, and which facts do.

    `classes` is the frame of `compute_per_class` with intervals, `features` that of `read_features`. Returns the
    columns name, support (photos), auroc, auroc_low, auroc_high and carried_by, in words: the facts with the largest
    drop of AUROC when shuffled, largest first, each with that drop; empty where all are below LEAST_DROP.
    """
    kept = classes[["name", "support", "auroc", "auroc_low", "auroc_high"]]
    return kept.assign(carried_by=[_describe_facts(features[features["class"] == label]) for label in classes["class"]])


def _describe_facts(features: pd.DataFrame) -> str:
    strongest = features[features["auroc_drop"] >= LEAST_DROP].nlargest(MOST_NAMED, "auroc_drop")
    named = zip(strongest["feature"], strongest["auroc_drop"], strict=True)
    return ", ".join(f"{feature} ({drop:.2f})" for feature, drop in named)
