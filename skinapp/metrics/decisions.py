"""What a threshold means for people: who is sent on, who is missed, and whether the score is of use at all."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics import classification
from skinapp.metrics.bootstrap import rate_interval
from skinapp.metrics.classification import ClassIndex, Flags, Floats
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.metrics.ranking import ranked

PEOPLE = 1000

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Decision:
    """What sending on everyone who scores at least `threshold` does, at a prevalence (a share, 0 to 1).

    Sensitivity and specificity are those of the photos, ppv and npv what they make of the prevalence (Bayes' rule);
    all 0 to 1, NaN where undefined. The last four count people of 1,000: sent on, of them found (ill) and
    false_alarms (not ill), and missed (ill but not sent on).
    """

    threshold: float
    prevalence: float
    sensitivity: float
    specificity: float
    ppv: float
    npv: float
    sent_on: float
    missed: float
    found: float
    false_alarms: float


def decision(positive: Flags, scores: Floats, threshold: float, prevalence: float) -> Decision:
    """Say what a threshold does at a prevalence; `positive` and `scores` (n,), a score of the threshold is sent on."""
    sensitivity = float(classification.sensitivity(positive, scores, threshold))
    specificity = float(classification.specificity(positive, scores, threshold))
    ill, well = PEOPLE * prevalence, PEOPLE * (1 - prevalence)
    found, false_alarms = ill * sensitivity, well * (1 - specificity)
    missed = ill * (1 - sensitivity)
    ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    return Decision(
        threshold=threshold,
        prevalence=prevalence,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=ppv,
        npv=npv,
        sent_on=found + false_alarms,
        missed=missed,
        found=found,
        false_alarms=false_alarms,
    )


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Return PPV and NPV, the shares of those above and below a threshold that it is right about, by Bayes' rule.

    All are 0 to 1; NaN where nobody is above, or below. Both grow with sensitivity and with specificity.
    """
    found, false_alarms = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    left_alone, missed = (1 - prevalence) * specificity, prevalence * (1 - sensitivity)
    return _share(found, found + false_alarms), _share(left_alone, left_alone + missed)


def threshold_at_sensitivity(positive: Flags, scores: Floats, wanted: float) -> float:
    """Return the highest threshold whose sensitivity is at least `wanted` (0 to 1); NaN without a positive."""
    ordered = np.sort(scores[positive])[::-1]
    if not len(ordered):
        return float("nan")
    needed = int(np.ceil(wanted * len(ordered) - _ROUNDING))  # 0.07 * 100 is a hair above 7
    return float(ordered[max(needed, 1) - 1])


def rate_intervals(
    positive: Flags,
    scores: Floats,
    lesion: ClassIndex,
    threshold: float,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Return sensitivity and specificity at a threshold with 95% intervals by bootstrap over lesions.

    `lesion` (n,) holds the place of each photo's lesion, 0 to lesions - 1. Columns: figure, value, low, high (0 to 1,
    NaN where undefined). See bootstrap.rate_interval for a rate of 0 or 1.
    """
    sent_on = scores >= threshold
    rows = []
    for figure, right, whole in (
        ("sensitivity", sent_on & positive, positive),
        ("specificity", ~sent_on & ~positive, ~positive),
    ):
        part, of = right.astype(np.float64), whole.astype(np.float64)
        rows.append((figure, _share(part.sum(), of.sum()), *rate_interval(part, of, lesion, replicates, seed)))
    return pd.DataFrame(rows, columns=["figure", "value", "low", "high"])


def net_benefit(positive: Flags, scores: Floats, prevalence: float | None = None) -> pd.DataFrame:
    """Return the net benefit of the score against sending on everyone or nobody, at thresholds 0.01 to 0.99.

    Net benefit = sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * t / (1 - t): the ill who are found
    less the well who are sent on, these weighted by the odds of the threshold t (Vickers and Elkin, 2006). `prevalence`
    None takes that of the photos. Columns: threshold, model, all, none, in found ill people a person seen.
    """
    ill = float(np.mean(positive)) if prevalence is None else prevalence
    thresholds = np.arange(1, 100) / 100
    odds, split = thresholds / (1 - thresholds), ranked(positive, scores)
    found, false_alarms = split.sensitivity(thresholds), split.false_positive_rate(thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "model": found * ill - false_alarms * (1 - ill) * odds,
            "all": ill - (1 - ill) * odds,
            "none": 0.0,
        }
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
