"""How much the answers vary between photos of one lesion."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics.bootstrap import sum_by_lesion
from skinapp.metrics.classification import ClassIndex, Floats
from skinapp.metrics.estimate import estimate_proportion
from skinapp.runs.predictions import Predictions
from skinapp.runs.views.curves import has_malignancy, select_positives


@dataclass(frozen=True)
class Repeatability:
    """How much a run's answers vary within a lesion.

    `lesions` counts the lesions with several photos, `photos` their photos. `changed_share` is the share of these
    lesions with different most likely classes, `changed_low` and `changed_high` its 95% interval (Wilson, 1927: one
    trial per lesion). `median_range` and `p90_range` are the median and the 90th percentile of the range of the
    malignant score within a lesion (highest minus lowest, 0 to 1); NaN where the run lacks malignant or benign classes.
    """

    lesions: int
    photos: int
    changed_share: float
    changed_low: float
    changed_high: float
    median_range: float
    p90_range: float


def list_repeated_lesions(run: Predictions) -> pd.DataFrame:
    """List the lesions with several photos, in the order of their first photo, with the spread of their answers.

    Columns: lesion_id, truth (of the first photo), photos, answers (number of different most likely classes),
    malignant_low, malignant_high and malignant_range (of the malignant score, 0 to 1; NaN where the run lacks malignant
    or benign classes).
    """
    lesion, ids = pd.factorize(run.frame["lesion_id"])
    photos = np.bincount(lesion, minlength=len(ids))
    several = photos > 1
    order = np.argsort(lesion, kind="stable")
    starts = np.cumsum(photos) - photos
    low, high = _malignant_range(run, order, starts)
    answered = sum_by_lesion(np.eye(len(run.classes))[run.probabilities().argmax(axis=1)], lesion)
    truth = run.frame["truth"].iloc[order[starts[several]]]
    return pd.DataFrame(
        {
            "lesion_id": ids[several],
            "truth": truth.array,
            "photos": photos[several],
            "answers": (answered > 0).sum(axis=1)[several],
            "malignant_low": low[several],
            "malignant_high": high[several],
            "malignant_range": (high - low)[several],
        }
    )


def compute_repeatability(run: Predictions) -> Repeatability | None:
    """Summarise how much a run's answers vary within a lesion; None where no lesion has two photos."""
    seen = list_repeated_lesions(run)
    if seen.empty:
        return None
    changed = estimate_proportion(int((seen["answers"] > 1).sum()), len(seen), "wilson")
    return Repeatability(
        lesions=len(seen),
        photos=int(seen["photos"].sum()),
        changed_share=changed.value,
        changed_low=changed.low,
        changed_high=changed.high,
        median_range=float(seen["malignant_range"].quantile(0.5)),
        p90_range=float(seen["malignant_range"].quantile(0.9)),
    )


def _malignant_range(run: Predictions, order: ClassIndex, starts: ClassIndex) -> tuple[Floats, Floats]:
    if not has_malignancy(run):
        nothing = np.full(len(starts), np.nan)
        return nothing, nothing
    ordered = select_positives(run)[1][order]
    return np.minimum.reduceat(ordered, starts), np.maximum.reduceat(ordered, starts)
