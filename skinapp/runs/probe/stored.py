"""A stored shortcut probe as a reader needs it: how far trivial facts carry each class, and which of them do."""

from pathlib import Path

import pandas as pd

from skinapp.errors import RunError

FEATURES_FILE = "features.csv"
"""Lies beside a probe's predictions: what each fact tells alone, and what is lost without it."""

FEATURE_COLUMNS = ("feature", "class", "auroc_alone", "auroc_drop")

MOST_NAMED, LEAST_DROP = 3, 0.005
"""So many facts are named for a class, and none whose loss costs less than this AUROC."""


def read_features(folder: Path) -> pd.DataFrame:
    """Read which facts carry a stored probe: the FEATURE_COLUMNS; RunError where they are missing or no such table."""
    path = folder / FEATURES_FILE
    try:
        return pd.read_csv(path, usecols=list(FEATURE_COLUMNS), dtype={"feature": "string", "class": "string"})
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} does not say which facts carry the probe ({error}). Run `skinapp probe` anew."
        ) from error


def shortcuts(classes: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Say for each class of a probe how well trivial facts tell it, and which facts do.

    `classes` is the frame of figures.per_class with intervals, `features` that of `read_features`. Returns the columns
    name, support (photos), auroc, auroc_low, auroc_high and carried_by, in words: the facts whose shuffling costs
    most, the costliest first, each with that cost; empty where none costs LEAST_DROP.
    """
    kept = classes[["name", "support", "auroc", "auroc_low", "auroc_high"]]
    return kept.assign(carried_by=[_carried_by(features[features["class"] == label]) for label in classes["class"]])


def _carried_by(features: pd.DataFrame) -> str:
    telling = features[features["auroc_drop"] >= LEAST_DROP].nlargest(MOST_NAMED, "auroc_drop")
    named = zip(telling["feature"], telling["auroc_drop"], strict=True)
    return ", ".join(f"{feature} ({drop:.2f})" for feature, drop in named)
