from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from skinapp.errors import RunError
from skinapp.metrics.decisions import compute_rate_intervals, find_threshold_at_sensitivity
from skinapp.models.card import OperatingPoint
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.curves import select_positives
from skinapp.runs.views.operating_points import (
    SENSITIVITIES,
    choose_operating_points,
    compute_rates_at,
    compute_specificity_from_roc,
    round_threshold_down,
)
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def scored(run: StoredRun, scores: np.ndarray, malignant: np.ndarray, of_lesion: int = 1) -> StoredRun:
    """Give a malignancy run these scores and truths, so many photos to a lesion."""
    frame = pd.DataFrame({"image_id": [f"photo_{number}" for number in range(len(scores))]})
    frame["lesion_id"] = [f"lesion_{number // of_lesion}" for number in range(len(scores))]
    frame = frame.assign(truth=np.where(malignant, *MALIGNANCY_CLASSES), p_malignant=scores, p_benign=1 - scores)
    return replace(run, classes=MALIGNANCY_CLASSES, frame=frame)


@pytest.fixture
def validation(make_run: MakeRun) -> StoredRun:
    return replace(make_run(MALIGNANCY_CLASSES, photos=300), split="validation")


def test_points_worked_by_hand(validation: StoredRun) -> None:
    # Twenty malignant photos, scored 0.05 to 1: eighteen of them, 90%, score at least 0.15; nineteen, 95%, at least
    # 0.1; 98% of twenty takes all.
    scores = np.append(np.arange(1, 21) / 20, [0.0, 0.5])
    points = choose_operating_points(scored(validation, scores, np.arange(22) < 20))
    assert [point.sensitivity for point in points] == [0.9, 0.95, 0.98]
    assert [point.threshold for point in points] == [0.149999, 0.099999, 0.049999]


def test_points_reach_what_they_promise_and_no_higher_one_does(validation: StoredRun) -> None:
    positive, scores = select_positives(validation)
    _, sensitivity, thresholds = sk.roc_curve(positive, scores, drop_intermediate=False)
    points = choose_operating_points(validation)
    assert [point.sensitivity for point in points] == list(SENSITIVITIES)
    for point in points:
        highest = thresholds[sensitivity >= point.sensitivity].max()
        assert highest - 1.2e-6 <= point.threshold < highest
        assert sk.recall_score(positive, scores >= point.threshold) >= point.sensitivity


def test_the_sum_of_malignant_types_has_points_as_well(make_run: MakeRun) -> None:
    run = replace(make_run(photos=300), split="validation")
    threshold = find_threshold_at_sensitivity(*select_positives(run), 0.95)
    assert choose_operating_points(run)[1].threshold == pytest.approx(threshold, abs=1.2e-6)


def test_points_are_chosen_on_validation_alone(validation: StoredRun, make_run: MakeRun) -> None:
    for split in ("test", "train"):
        with pytest.raises(RunError, match=f"is of the split {split}. Choose operating points on validation"):
            choose_operating_points(replace(validation, split=split))
    with pytest.raises(RunError, match="holds no malignant photo"):
        choose_operating_points(scored(validation, np.array([0.2, 0.4]), np.array([False, False])))
    with pytest.raises(RunError, match="does not tell malignant from benign"):
        choose_operating_points(replace(make_run(("nv", "bkl")), split="validation"))


def test_rounding_to_single_precision_never_lifts_the_threshold_over_its_own_photo() -> None:
    scores = np.concatenate([np.random.default_rng(0).random(20_000), np.arange(1, 101) / 100, 10.0 ** -np.arange(9)])
    for score in scores:
        stored = float(np.float32(score))
        assert round_threshold_down(stored) <= score  # chosen on stored predictions, asked of the network's own score
        assert round_threshold_down(score) <= stored  # and the other way round
        assert score - round_threshold_down(score) < 1.2e-6
    assert (scores.astype(np.float32) > scores).mean() > 0.4  # without a margin these would fall below
    assert round_threshold_down(0.0) == 0
    assert f"{round_threshold_down(0.1234567891)}" == "0.123456"


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_same_photos_are_above_in_either_precision(validation: StoredRun, precision: type) -> None:
    random = np.random.default_rng(3)
    malignant, scores = random.random(400) < 0.3, random.random(400)
    stored = scored(validation, scores.astype(precision), malignant)
    for point in choose_operating_points(stored):
        read_back = OperatingPoint.model_validate_json(point.model_dump_json())
        assert read_back == point
        above = scores >= read_back.threshold
        assert above.tolist() == (scores.astype(np.float32) >= read_back.threshold).tolist()
        assert sk.recall_score(malignant, above) >= point.sensitivity


def test_what_a_point_does_on_test_is_scikit_learns(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=300)
    positive, scores = select_positives(run)
    found = compute_rates_at(run, 0.3)
    assert found["sensitivity"].value == pytest.approx(sk.recall_score(positive, scores >= 0.3))
    assert found["specificity"].value == pytest.approx(sk.recall_score(~positive, scores < 0.3))
    lesion = pd.factorize(run.frame["lesion_id"])[0]
    frame = compute_rate_intervals(positive, scores, lesion, 0.3).set_index("figure")
    for name, rate in found.items():
        assert [rate.low, rate.high] == frame.loc[name, ["low", "high"]].tolist()
        assert rate.low < rate.value < rate.high


def test_a_score_of_exactly_the_threshold_is_above_it(validation: StoredRun) -> None:
    found = compute_rates_at(scored(validation, np.array([0.25, 0.1, 0.25, 0.2]), np.arange(4) < 2), 0.25)
    assert (found["sensitivity"].value, found["specificity"].value) == (0.5, 0.5)


@pytest.mark.parametrize("wanted", SENSITIVITIES)
def test_the_specificity_read_from_test_is_that_of_its_roc_curve(make_run: MakeRun, wanted: float) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=300)
    run = replace(run, frame=run.frame.round({"p_malignant": 2}))  # ties, and fewer than photos
    positive, scores = select_positives(run)
    false_positive_rate, sensitivity, _ = sk.roc_curve(positive, scores, drop_intermediate=False)
    found = compute_specificity_from_roc(run, wanted)
    assert found.value == pytest.approx(1 - false_positive_rate[sensitivity >= wanted].min())
    assert found.low < found.value < found.high


def test_its_threshold_is_set_anew_in_each_replicate(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=90, seed=4)
    positive, scores = select_positives(run)
    lesion = pd.factorize(run.frame["lesion_id"])[0]
    random, drawn = np.random.default_rng(7), []
    for lesions in random.integers(lesion.max() + 1, size=(40, lesion.max() + 1)):
        photos = np.concatenate([np.flatnonzero(lesion == each) for each in lesions])
        at = find_threshold_at_sensitivity(positive[photos], scores[photos], 0.95)
        drawn.append(sk.recall_score(~positive[photos], scores[photos] < at))
    found = compute_specificity_from_roc(run, 0.95, replicates=40, seed=7)
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [2.5, 97.5]))
    fixed = compute_rates_at(run, find_threshold_at_sensitivity(positive, scores, 0.95))["specificity"]
    assert found.high - found.low > fixed.high - fixed.low  # choosing adds to chance


def test_a_score_that_parts_the_two_is_not_certain(validation: StoredRun) -> None:
    malignant = np.arange(60) < 30
    apart = compute_specificity_from_roc(scored(validation, np.where(malignant, 0.9, 0.1), malignant), 0.95)
    assert (apart.value, apart.low, apart.high) == (1, pytest.approx(0.025 ** (1 / 30)), 1)
    wrong = compute_specificity_from_roc(scored(validation, np.where(malignant, 0.1, 0.9), malignant), 0.95)
    assert (wrong.value, wrong.low, wrong.high) == (0, 0, pytest.approx(1 - 0.025 ** (1 / 30)))


def test_without_one_of_the_two_nothing_is_read(validation: StoredRun) -> None:
    for malignant in (True, False):
        found = compute_specificity_from_roc(scored(validation, np.array([0.2, 0.4]), np.full(2, malignant)), 0.95, 20)
        assert np.isnan([found.value, found.low, found.high]).all()
