"""Limits come from validation, figures from test, and lesions count once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skinapp.cards.uncertainty import LEVEL, QUANTILE, measure_conformal, measure_repeats
from skinapp.errors import RunError
from skinapp.metrics.conformal import build_class_sets
from skinapp.models.card import OperatingPoint
from skinapp.runs.stored import StoredRun
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]
POINT = OperatingPoint(sensitivity=0.95, threshold=0.3)


@pytest.fixture
def pair(make_run: MakeRun) -> Callable[..., tuple[StoredRun, StoredRun]]:
    def make(classes: tuple[str, ...], photos: int = 600) -> tuple[StoredRun, StoredRun]:
        validation = replace(make_run(classes, photos, seed=1), split="validation", name="validation")
        return validation, make_run(classes, photos, seed=2)

    return make


def spread_of(scores: list[list[float]], run: StoredRun) -> StoredRun:
    """Make a malignancy run of lesions with these scores."""
    rows = [(f"lesion_{n}", score) for n, photos in enumerate(scores) for score in photos]
    frame = pd.DataFrame(
        {
            "image_id": [f"photo_{n}" for n in range(len(rows))],
            "lesion_id": [lesion for lesion, _ in rows],
            "truth": "malignant",
            "p_malignant": [score for _, score in rows],
            "p_benign": [1 - score for _, score in rows],
        }
    )
    return replace(run, frame=frame)


def test_conformal_sets_are_fitted_on_validation_and_measured_on_test(pair: Callable[..., tuple]) -> None:
    validation, test = pair(CODES)
    facts = measure_conformal(validation, test)
    assert (facts.level, facts.fitted_on, facts.measured_on) == (LEVEL, "validation", "test-split")
    assert [each.label for each in facts.classes] == list(CODES)
    thresholds = np.array([each.threshold for each in facts.classes])
    inside, truth = build_class_sets(test.probabilities(), thresholds), test.truth_index()
    held = inside[np.arange(len(truth)), truth]
    assert facts.coverage.value == pytest.approx(held.mean(), abs=1e-6)
    assert facts.size.value == pytest.approx(inside.sum(axis=1).mean(), abs=1e-6)
    for place, each in enumerate(facts.classes):
        assert each.photos == (validation.truth_index() == place).sum()
        assert each.coverage is not None
        assert each.coverage.value == pytest.approx(held[truth == place].mean(), abs=1e-6)
        assert each.coverage.low < each.coverage.value < each.coverage.high
        assert each.coverage.photos == (truth == place).sum()
    assert facts.coverage.value == pytest.approx(LEVEL, abs=0.05)


def test_a_type_without_test_photos_has_no_coverage(pair: Callable[..., tuple]) -> None:
    validation, test = pair(CODES)
    test = replace(test, frame=test.frame[test.frame["truth"] != "df"])
    by_label = {each.label: each for each in measure_conformal(validation, test).classes}
    assert by_label["df"].coverage is None
    assert by_label["mel"].coverage is not None


def test_limits_are_not_chosen_on_test(pair: Callable[..., tuple]) -> None:
    _, test = pair(CODES)
    with pytest.raises(RunError, match="chosen on validation alone"):
        measure_conformal(test, test)
    _, malignancy = pair(MALIGNANCY_CLASSES)
    with pytest.raises(RunError, match="chosen on validation alone"):
        measure_repeats(malignancy, malignancy, None, POINT)


def test_repeats_compare_the_photos_of_each_lesion(pair: Callable[..., tuple], make_run: MakeRun) -> None:
    validation, test = pair(MALIGNANCY_CLASSES)
    ten = [[0.5, 0.5 + 0.01 * n] for n in range(1, 11)]
    validation = spread_of([*ten, [0.9]], validation)
    test = spread_of([[0.1, 0.12], [0.2, 0.4, 0.3], [0.29, 0.31], [0.7]], test)
    types = make_run(photos=6)
    types = replace(types, frame=types.frame.assign(lesion_id=["a", "a", "b", "b", "b", "c"]))
    scores = np.full((6, 8), 0.1)
    scores[np.arange(6), [0, 0, 1, 1, 2, 3]] = 0.3
    types.frame[[f"p_{code}" for code in CODES]] = scores
    facts = measure_repeats(validation, test, types, POINT)
    assert facts is not None
    assert facts.limit == pytest.approx(np.quantile([0.01 * n for n in range(1, 11)], QUANTILE), abs=1e-6)
    assert facts.lesions == 10
    assert (facts.wide.value, facts.wide.photos, facts.wide.lesions) == (pytest.approx(1 / 3, abs=1e-6), 7, 3)
    assert facts.changes_side is not None
    assert facts.changes_side.value == pytest.approx(2 / 3, abs=1e-6)
    assert facts.changes_type is not None
    assert (facts.changes_type.value, facts.changes_type.photos, facts.changes_type.lesions) == (0.5, 5, 2)


def test_without_repeated_photos_there_are_no_facts(pair: Callable[..., tuple]) -> None:
    validation, test = pair(MALIGNANCY_CLASSES)
    single = spread_of([[0.1], [0.2]], validation)
    assert measure_repeats(single, test, None, POINT) is None
    assert measure_repeats(validation, spread_of([[0.1], [0.2]], test), None, None) is None
