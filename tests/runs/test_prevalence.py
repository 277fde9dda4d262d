from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from skinapp.runs.prevalence import restate_run_for_equal_shares, restate_score
from skinapp.runs.stored import StoredRun

MakeRun = Callable[..., StoredRun]


def test_the_odds_are_multiplied_by_what_the_share_gained() -> None:
    # Odds of 1 to 1 where half are malignant; where a fifth are, the odds of that fifth: 1 to 4.
    assert restate_score(0.5, 0.5, 0.2) == pytest.approx(0.2)
    # 0.8 is 4 to 1. From 1 to 4 (a fifth) to 1 to 9 (a tenth): 4 * 4 / 9 is 16 to 9, that is 16 of 25.
    assert restate_score(0.8, 0.2, 0.1) == pytest.approx(0.64)


def test_people_counted_one_by_one_give_the_same() -> None:
    # Of 1,000 lesions 200 are malignant. A sign is seen in 90 of the malignant and 210 of the benign: 0.3 have cancer.
    # With 30 malignant of 1,000 the same sign is seen in 13.5 of them and in 254.625 of the 970 others.
    assert restate_score(90 / 300, 0.2, 0.03) == pytest.approx(13.5 / (13.5 + 254.625))


def test_the_same_share_and_the_way_back_change_nothing() -> None:
    for score in (0.001, 0.31, 0.999):
        assert restate_score(score, 0.2, 0.2) == pytest.approx(score)
        assert restate_score(restate_score(score, 0.2, 0.03), 0.03, 0.2) == pytest.approx(score)


def test_certainty_stays_and_no_score_overtakes_another() -> None:
    assert (restate_score(0.0, 0.2, 0.9), restate_score(1.0, 0.2, 0.03)) == (0.0, 1.0)
    moved = [restate_score(score / 100, 0.2, 0.03) for score in range(101)]
    assert moved == sorted(set(moved))
    assert all(new < score / 100 for score, new in enumerate(moved) if 0 < score < 100)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_what_is_no_score_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="A score lies in 0 to 1"):
        restate_score(score, 0.2, 0.1)


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_shares_at_which_the_odds_are_undefined_are_refused(share: float) -> None:
    for old, new in ((share, 0.2), (0.2, share)):
        with pytest.raises(ValueError, match="lies between 0 and 1"):
            restate_score(0.5, old, new)


@pytest.fixture
def three(make_run: MakeRun) -> StoredRun:
    """Return a run of three classes: where nevi are eight of ten, a melanoma at a third is more than expected."""
    run = make_run(("mel", "nv", "bcc"), photos=2)
    frame = run.frame.assign(p_mel=[0.3, 0.0], p_nv=[0.6, 0.8], p_bcc=[0.1, 0.2])
    return replace(run, temperature=1.2, offsets=(0.1, 0.2, 0.3), frame=frame)


def test_at_equal_shares_a_rare_class_weighs_as_much_as_a_frequent_one(three: StoredRun) -> None:
    restated_run = restate_run_for_equal_shares(three, {"nv": 0.8, "mel": 0.15, "bcc": 0.05})
    # 0.3 / 0.15, 0.6 / 0.8 and 0.1 / 0.05 are 2, 0.75 and 2; 0, 1 and 4 in the second photo.
    expected = pd.DataFrame({"p_mel": [8 / 19, 0], "p_nv": [3 / 19, 1 / 5], "p_bcc": [8 / 19, 4 / 5]})
    pd.testing.assert_frame_equal(restated_run.frame[list(expected)], expected)
    assert restated_run.frame["truth"].tolist() == three.frame["truth"].tolist()
    assert three.frame["p_mel"].tolist() == [0.3, 0.0]  # the run itself is left alone
    # What calibrated the scores for other shares says nothing of these.
    assert (restated_run.temperature, restated_run.offsets) == (None, ())


def test_scores_that_hold_for_equal_shares_already_stay(three: StoredRun) -> None:
    same = restate_run_for_equal_shares(three, dict.fromkeys(three.classes, 1 / 3)).frame
    pd.testing.assert_frame_equal(same, three.frame)


@pytest.mark.parametrize("shares", [{"mel": 0.5, "nv": 0.5}, {"mel": 0.5, "nv": 0.5, "bcc": 0.0}])
def test_a_class_without_a_share_is_refused(three: StoredRun, shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Each of mel, nv, bcc needs a share above 0"):
        restate_run_for_equal_shares(three, shares)
