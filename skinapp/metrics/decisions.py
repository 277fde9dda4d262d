"""What a threshold means for people: how many are referred, how many cancers are missed, and the net benefit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinapp.metrics import classification
from skinapp.metrics.bootstrap import compute_rate_interval
from skinapp.metrics.classification import ClassIndex, Flags, Floats
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.metrics.ranking import sort_scores

PEOPLE = 1000
"""The people that a Decision counts."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Decision:
    """What happens if everyone with a score of at least `threshold` is referred, at a prevalence (0 to 1).

    Sensitivity and specificity are those of the photos; ppv and npv follow from them and the prevalence (Bayes' rule);
    all 0 to 1, NaN where undefined. The last four count people out of 1,000: referred = true_positives +
    false_positives; false_negatives have the disease and are not referred.
    """

    threshold: float
    prevalence: float
    sensitivity: float
    specificity: float
    ppv: float
    npv: float
    referred: float
    false_negatives: float
    true_positives: float
    false_positives: float


@dataclass(frozen=True)
class People:
    """Whole people out of 1,000 that add up: `referred` is rightly + needlessly, `ill` is rightly + missed."""

    ill: int
    referred: int
    rightly: int
    needlessly: int
    missed: int


def count_people(decision: Decision) -> People:
    """Round a decision to whole people; ValueError where it is undefined."""
    ill, rightly = round(PEOPLE * decision.prevalence), round(decision.true_positives)
    needlessly = round(decision.false_positives)
    return People(ill, rightly + needlessly, rightly, needlessly, ill - rightly)


def compute_decision(positive: Flags, scores: Floats, threshold: float, prevalence: float) -> Decision:
    """Compute what a threshold does at a prevalence; `positive` (n,) bool, `scores` (n,)."""
    sensitivity = float(classification.sensitivity(positive, scores, threshold))
    specificity = float(classification.specificity(positive, scores, threshold))
    ill, well = PEOPLE * prevalence, PEOPLE * (1 - prevalence)
    true_positives, false_positives = ill * sensitivity, well * (1 - specificity)
    ppv, npv = compute_predictive_values(sensitivity, specificity, prevalence)
    return Decision(
        threshold=threshold,
        prevalence=prevalence,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=ppv,
        npv=npv,
        referred=true_positives + false_positives,
        false_negatives=ill * (1 - sensitivity),
        true_positives=true_positives,
        false_positives=false_positives,
    )


def compute_predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Return PPV and NPV by Bayes' rule: TP / (TP + FP) and TN / (TN + FN).

    Arguments and results are 0 to 1; PPV is NaN if nobody is above the threshold, NPV if nobody is below. Both grow
    with sensitivity and with specificity.
    """
    tp, fp = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    tn, fn = (1 - prevalence) * specificity, prevalence * (1 - sensitivity)
    return _divide(tp, tp + fp), _divide(tn, tn + fn)


def find_threshold_at_sensitivity(positive: Flags, scores: Floats, minimum: float) -> float:
    """Return the highest threshold with a sensitivity of at least `minimum` (0 to 1); NaN without a positive."""
    ordered = np.sort(scores[positive])[::-1]
    if not len(ordered):
        return float("nan")
    needed = int(np.ceil(minimum * len(ordered) - _ROUNDING))  # 0.07 * 100 is a hair above 7
    return float(ordered[max(needed, 1) - 1])


def compute_rate_intervals(
    positive: Flags,
    scores: Floats,
    lesion: ClassIndex,
    threshold: float,
    replicates: int = REPLICATES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Return sensitivity and specificity at a threshold with 95% intervals by bootstrap over lesions.

    `lesion` (n,) is the index of each photo's lesion, 0 to lesions - 1. Columns: figure, value, low, high (0 to 1,
    NaN where undefined). See `bootstrap.compute_rate_interval` for a rate of 0 or 1.
    """
    above = scores >= threshold
    rows = []
    for name, correct, group in (
        ("sensitivity", above & positive, positive),
        ("specificity", ~above & ~positive, ~positive),
    ):
        part, whole = correct.astype(np.float64), group.astype(np.float64)
        interval = compute_rate_interval(part, whole, lesion, replicates, seed)
        rows.append((name, _divide(part.sum(), whole.sum()), *interval))
    return pd.DataFrame(rows, columns=["figure", "value", "low", "high"])


def net_benefit(positive: Flags, scores: Floats, prevalence: float | None = None) -> pd.DataFrame:
    """Return the net benefit of the model, of referring everyone and of referring nobody, at thresholds 0.01 to 0.99.

    Net benefit = sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * t / (1 - t): true positives minus
    false positives, the latter weighted by the odds of the threshold t (Vickers and Elkin, 2006). Without `prevalence`
    that of the photos is used. Columns: threshold, model, all, none (net true positives per person).
    """
    ill = float(np.mean(positive)) if prevalence is None else prevalence
    thresholds = np.arange(1, 100) / 100
    odds, ranked = thresholds / (1 - thresholds), sort_scores(positive, scores)
    tpr, fpr = ranked.sensitivity(thresholds), ranked.false_positive_rate(thresholds)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "model": tpr * ill - fpr * (1 - ill) * odds,
            "all": ill - (1 - ill) * odds,
            "none": 0.0,
        }
    )


def _divide(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
