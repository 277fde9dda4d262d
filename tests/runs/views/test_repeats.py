from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from skinapp.runs.stored import StoredRun
from skinapp.runs.views.repeats import compute_repeatability, list_repeated_lesions
from skinapp.taxonomy import MALIGNANCY_CLASSES, MALIGNANT_CODES

MakeRun = Callable[..., StoredRun]


@pytest.fixture
def seven_photos(make_run: MakeRun) -> StoredRun:
    """Lesion a on three photos, two called malignant; b on one; c on two, alike; d on one."""
    run, scores = make_run(MALIGNANCY_CLASSES, photos=7), np.array([0.9, 0.6, 0.2, 0.3, 0.1, 0.15, 0.8])
    frame = run.frame.assign(p_malignant=scores, p_benign=1 - scores, lesion_id=list("abacdca"))
    frame["truth"] = frame["lesion_id"].map({"a": "malignant", "b": "benign", "c": "benign", "d": "benign"})
    return replace(run, frame=frame)


def test_lesions_on_several_photos_worked_by_hand(seven_photos: StoredRun) -> None:
    seen = list_repeated_lesions(seven_photos)
    assert seen["lesion_id"].tolist() == ["a", "c"]
    assert seen["truth"].tolist() == ["malignant", "benign"]
    assert seen["photos"].tolist() == [3, 2]
    assert seen["answers"].tolist() == [2, 1]
    assert seen["malignant_low"].tolist() == pytest.approx([0.2, 0.15])
    assert seen["malignant_high"].tolist() == pytest.approx([0.9, 0.3])
    assert seen["malignant_range"].tolist() == pytest.approx([0.7, 0.15])


def test_repeatability_worked_by_hand(seven_photos: StoredRun) -> None:
    found = compute_repeatability(seven_photos)
    assert found is not None
    assert (found.lesions, found.photos, found.changed_share) == (2, 5, 0.5)
    assert found.median_range == pytest.approx(0.425)
    assert found.p90_range == pytest.approx(0.15 + 0.9 * 0.55)
    interval = binomtest(1, 2).proportion_ci(method="wilson")
    assert (found.changed_low, found.changed_high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_lesions_of_a_run_agree_with_a_plain_loop(make_run: MakeRun) -> None:
    run = make_run(photos=300, seed=3)
    frame = run.frame.sample(frac=1, random_state=0)
    run = replace(run, frame=frame)
    given = run.probabilities().argmax(axis=1)
    score = frame[[f"p_{code}" for code in MALIGNANT_CODES]].astype(float).sum(axis=1).to_numpy()
    seen = list_repeated_lesions(run).set_index("lesion_id")
    several = [lesion for lesion, rows in frame.groupby("lesion_id") if len(rows) > 1]
    assert sorted(seen.index) == sorted(several)
    for lesion in several:
        rows = (frame["lesion_id"] == lesion).to_numpy()
        assert seen.loc[lesion, "photos"] == rows.sum()
        assert seen.loc[lesion, "answers"] == len(set(given[rows]))
        assert seen.loc[lesion, "malignant_low"] == pytest.approx(score[rows].min())
        assert seen.loc[lesion, "malignant_high"] == pytest.approx(score[rows].max())


def test_without_malignancy_the_answers_still_count(make_run: MakeRun) -> None:
    found = compute_repeatability(make_run(("nv", "bkl", "df")))
    assert found is not None
    assert found.lesions == 40
    assert np.isnan([found.median_range, found.p90_range]).all()


def test_lesions_on_one_photo_each_say_nothing(make_run: MakeRun) -> None:
    run = make_run()
    single = replace(run, frame=run.frame.drop_duplicates("lesion_id"))
    assert list_repeated_lesions(single).empty
    assert compute_repeatability(single) is None


def test_answers_that_never_change_are_not_certain_to_stay(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=60)
    found = compute_repeatability(replace(run, frame=run.frame.assign(p_malignant=0.1, p_benign=0.9)))
    assert found is not None
    assert (found.changed_share, found.changed_low, found.median_range) == (0, 0, 0)
    assert found.changed_high == pytest.approx(binomtest(0, found.lesions).proportion_ci(method="wilson").high)
