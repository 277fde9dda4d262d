"""One figure of a stored run as a row of a model's card."""

import math

from skinapp.metrics.estimate import Estimate
from skinapp.models.card import CardFigure, Task
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import MALIGNANCY_CLASSES

ALL = "all"

DECIMALS = 6
"""Figures are written with so many: far more than their intervals allow, and the same on every machine."""


def card_figure(
    run: StoredRun,
    group: str,
    name: str,
    found: Estimate,
    label: str | None = None,
    counts: tuple[int, int] | None = None,
) -> CardFigure:
    """Make the row of a figure; `counts` are the photos and lesions of its group, None for those of the whole run."""
    photos, lesions = counts or (len(run.predictions), run.predictions["lesion_id"].nunique())
    return CardFigure(
        task=task_of(run),
        run=run.name,
        split=run.split,
        group=group,
        figure=name,
        label=label,
        value=_or_none(found.value),
        low=_or_none(found.low),
        high=_or_none(found.high),
        photos=photos,
        lesions=lesions,
    )


def at_point(name: str, sensitivity: float) -> str:
    """Name a figure at the operating point of a sensitivity (0..1), as "specificity at 0.95"."""
    return f"{name} at {sensitivity:g}"


def task_of(run: StoredRun) -> Task:
    """Tell which head of a model a run is of, by its classes."""
    return "malignancy" if set(run.classes) == set(MALIGNANCY_CLASSES) else "lesion_type"


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), DECIMALS)
