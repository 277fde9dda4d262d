"""One figure of a stored run, as a model's card keeps it."""

import math

from skinapp.metrics.estimate import Estimate
from skinapp.models.card import CardFigure, Stage, Task
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import MALIGNANCY_CLASSES

DECIMALS = 6
"""Decimals that a card keeps: far more than the intervals allow, and the same on every machine."""


def build_figure(
    run: StoredRun,
    metric: str,
    estimate: Estimate,
    label: str | None = None,
    *,
    sensitivity: float | None = None,
    stage: Stage = "final",
    grouped_by: str | None = None,
    group: str | None = None,
    counts: tuple[int, int] | None = None,
) -> CardFigure:
    """Build a figure of a card; `counts` are the photos and lesions of its group, None for those of the whole run."""
    photos, lesions = counts or (len(run.frame), run.frame["lesion_id"].nunique())
    return CardFigure(
        task=find_task(run),
        run=run.name,
        split=run.split,
        grouped_by=grouped_by,
        group=group,
        metric=metric,
        label=label,
        sensitivity=sensitivity,
        stage=stage,
        value=_round(estimate.value),
        low=_round(estimate.low),
        high=_round(estimate.high),
        photos=photos,
        lesions=lesions,
    )


def find_task(run: StoredRun) -> Task:
    """Find which head of a model a run is of, by its classes."""
    return "malignancy" if set(run.classes) == set(MALIGNANCY_CLASSES) else "lesion_type"


def _round(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), DECIMALS)
