from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from skinapp.metrics.classification import Flags, Floats
from skinapp.metrics.decisions import (
    compute_decision,
    compute_rate_intervals,
    count_people,
    find_threshold_at_sensitivity,
    net_benefit,
)
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.curves import select_positives

MakeRun = Callable[..., StoredRun]
Case = tuple[Flags, Floats]


@pytest.fixture
def case(make_run: MakeRun) -> Case:
    positive, scores = select_positives(make_run(photos=200))
    return positive, scores.round(2)


# Ten photos, four of them positive. At 0.5 three are true positives (0.9, 0.7, 0.5) and one is a
# false negative (0.3); two of the six negatives are false positives (0.8, 0.5).
POSITIVE = np.array([True, True, True, True, False, False, False, False, False, False])
SCORES = np.array([0.9, 0.7, 0.5, 0.3, 0.8, 0.5, 0.4, 0.2, 0.2, 0.1])


def test_a_decision_worked_by_hand() -> None:
    made = compute_decision(POSITIVE, SCORES, threshold=0.5, prevalence=0.1)
    # Sensitivity 3/4, specificity 4/6. Of 1,000 people 100 are ill: 75 TP, 25 FN; 900 are well: 300 FP,
    # 600 TN. PPV = 75 / 375, NPV = 600 / 625.
    assert (made.sensitivity, made.specificity) == (0.75, pytest.approx(2 / 3))
    assert (made.true_positives, made.false_negatives) == (75, 25)
    assert (made.false_positives, made.referred) == (pytest.approx(300), pytest.approx(375))
    assert (made.ppv, made.npv) == (pytest.approx(0.2), pytest.approx(0.96))
    assert (made.threshold, made.prevalence) == (0.5, 0.1)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.9])
def test_at_the_prevalence_of_the_photos_it_is_the_confusion_matrix(case: Case, threshold: float) -> None:
    positive, scores = case
    (tn, fp), (fn, tp) = sk.confusion_matrix(positive, scores >= threshold)
    made = compute_decision(positive, scores, threshold, float(positive.mean()))
    assert made.sensitivity == pytest.approx(tp / (tp + fn))
    assert made.specificity == pytest.approx(tn / (tn + fp))
    assert made.ppv == pytest.approx(sk.precision_score(positive, scores >= threshold))
    assert made.npv == pytest.approx(tn / (tn + fn))
    assert made.referred == pytest.approx(1000 * (tp + fp) / len(scores))
    assert made.true_positives + made.false_negatives == pytest.approx(1000 * positive.mean())


def test_ppv_is_undefined_if_nobody_is_referred() -> None:
    made = compute_decision(POSITIVE, SCORES, threshold=0.95, prevalence=0.1)
    assert np.isnan(made.ppv)
    assert (made.referred, made.false_negatives, made.npv) == (0, 100, 0.9)
    assert np.isnan(compute_decision(~POSITIVE & POSITIVE, SCORES, 0.5, 0.1).sensitivity)


def test_the_threshold_is_the_highest_that_reaches_the_sensitivity(case: Case) -> None:
    assert find_threshold_at_sensitivity(POSITIVE, SCORES, 0.75) == 0.5
    assert find_threshold_at_sensitivity(POSITIVE, SCORES, 0.76) == 0.3
    assert find_threshold_at_sensitivity(POSITIVE, SCORES, 1.0) == 0.3
    for wanted in (0.5, 0.9, 0.95, 0.98):
        _, sensitivity, thresholds = sk.roc_curve(*case, drop_intermediate=False)
        assert find_threshold_at_sensitivity(*case, wanted) == thresholds[sensitivity >= wanted].max()
    assert np.isnan(find_threshold_at_sensitivity(~POSITIVE & POSITIVE, SCORES, 0.9))


def test_a_share_of_the_positives_is_not_rounded_up() -> None:
    scores = np.arange(100) / 100  # 0.07 * 100 is 7.000000000000001 in floating point
    assert find_threshold_at_sensitivity(np.full(100, True), scores, 0.07) == 0.93


def test_intervals_of_a_threshold_widen_where_photos_share_a_lesion() -> None:
    random = np.random.default_rng(0)
    positive, found = np.repeat(random.random(100) < 0.5, 4), np.repeat(random.random(100) < 0.7, 4)
    scores = np.where(found == positive, 0.8, 0.2)
    frames = {
        unit: compute_rate_intervals(positive, scores, lesion, 0.5).set_index("figure")
        for unit, lesion in (("lesions", np.arange(400) // 4), ("photos", np.arange(400)))
    }
    for figure, value in (
        ("sensitivity", sk.recall_score(positive, scores >= 0.5)),
        ("specificity", sk.recall_score(~positive, scores < 0.5)),
    ):
        wide, narrow = (frames[unit].loc[figure] for unit in ("lesions", "photos"))
        assert wide["value"] == narrow["value"] == pytest.approx(value)
        assert wide["low"] < value < wide["high"]
        # Four photos with the same result carry the information of one: the interval is twice as wide.
        assert (wide["high"] - wide["low"]) / (narrow["high"] - narrow["low"]) == pytest.approx(2, rel=0.15)
    pd.testing.assert_frame_equal(
        frames["photos"].reset_index(), compute_rate_intervals(positive, scores, np.arange(400), 0.5)
    )  # the seed decides


def test_net_benefit_worked_by_hand() -> None:
    frame = net_benefit(POSITIVE, SCORES).set_index("threshold")
    # At 0.5 ten photos have 3 TP and 2 FP, at odds of 1: 3/10 - 2/10 * 1.
    assert frame.loc[0.5, "model"] == pytest.approx(0.1)
    # At 0.2 they have 4 TP and 5 FP, at odds of 1/4: 4/10 - 5/10 / 4. Referring everyone has 4 TP and 6 FP.
    assert frame.loc[0.2, "model"] == pytest.approx(0.4 - 0.125)
    assert frame.loc[0.2, "all"] == pytest.approx(0.4 - 0.15)
    assert (frame["none"] == 0).all()
    # At a prevalence of 1 in 10: 0.1 * 3/4 - 0.9 * 2/6.
    assert net_benefit(POSITIVE, SCORES, 0.1).set_index("threshold").loc[0.5, "model"] == pytest.approx(-0.225)
    assert (len(frame), frame.index[0], frame.index[-1]) == (99, 0.01, 0.99)


def test_whole_people_add_up_where_rounding_each_number_would_not() -> None:
    positive, scores = np.array([True] * 8 + [False] * 8), np.linspace(1, 0, 16)
    decided = compute_decision(positive, scores, 0.6, 0.125)
    people = count_people(decided)
    assert people.referred == people.rightly + people.needlessly
    assert people.ill == people.rightly + people.missed == 125
    halves = replace(decided, true_positives=10.5, false_positives=20.5, referred=31.0, prevalence=0.02)
    assert count_people(halves).referred == count_people(halves).rightly + count_people(halves).needlessly
