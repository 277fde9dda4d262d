import pytest

from skinapp.evaluation.prevalence import restated


def test_the_odds_are_multiplied_by_what_the_share_gained() -> None:
    # Odds of 1 to 1 where half are malignant; where a fifth are, the odds of that fifth: 1 to 4.
    assert restated(0.5, 0.5, 0.2) == pytest.approx(0.2)
    # 0.8 is 4 to 1. From 1 to 4 (a fifth) to 1 to 9 (a tenth): 4 * 4 / 9 is 16 to 9, that is 16 of 25.
    assert restated(0.8, 0.2, 0.1) == pytest.approx(0.64)


def test_people_counted_one_by_one_give_the_same() -> None:
    # Of 1,000 lesions 200 are malignant. A sign is seen in 90 of the malignant and 210 of the benign: 0.3 have cancer.
    # With 30 malignant of 1,000 the same sign is seen in 13.5 of them and in 254.625 of the 970 others.
    assert restated(90 / 300, 0.2, 0.03) == pytest.approx(13.5 / (13.5 + 254.625))


def test_the_same_share_and_the_way_back_change_nothing() -> None:
    for score in (0.001, 0.31, 0.999):
        assert restated(score, 0.2, 0.2) == pytest.approx(score)
        assert restated(restated(score, 0.2, 0.03), 0.03, 0.2) == pytest.approx(score)


def test_certainty_stays_and_no_score_overtakes_another() -> None:
    assert (restated(0.0, 0.2, 0.9), restated(1.0, 0.2, 0.03)) == (0.0, 1.0)
    moved = [restated(score / 100, 0.2, 0.03) for score in range(101)]
    assert moved == sorted(set(moved))
    assert all(new < score / 100 for score, new in enumerate(moved) if 0 < score < 100)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_what_is_no_score_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="A score lies in 0 to 1"):
        restated(score, 0.2, 0.1)


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_shares_at_which_the_odds_are_undefined_are_refused(share: float) -> None:
    for old, new in ((share, 0.2), (0.2, share)):
        with pytest.raises(ValueError, match="lies between 0 and 1"):
            restated(0.5, old, new)
