"""Several photos of one lesion: their mean, their spread, and a verdict that is never milder than it should be."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.findings import Finding
from skinapp.inference.lesion import (
    ALL_FLAGGED,
    MEAN,
    NONE_LEFT,
    SIDES,
    describe_repeats,
    describe_spread,
    join_assessments,
)
from skinapp.models.card import Card, OperatingPoint
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts, RepeatFacts
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

POINTS = (OperatingPoint(sensitivity=0.95, threshold=0.2), OperatingPoint(sensitivity=0.98, threshold=0.1))
BLACK = Finding("dark", "The photo is black.", "Switch on the light.", "refuses")
BLURRED = Finding("blurred", "The photo is blurred.", "Focus.", "warns")
SHARE = Measured(value=0.173, low=0.13, high=0.21, photos=894, lesions=387)
REPEATS = RepeatFacts(
    quantile=0.9,
    limit=0.25,
    lesions=193,
    fitted_on="v",
    measured_on="t",
    wide=SHARE,
    changes_type=SHARE,
    changes_side=SHARE,
)


def assess(malignant: float, first: str = "nv", **facts: object) -> Assessment:
    benign = {"nv": 0.9, "bkl": 0.1} if first == "nv" else {"nv": 0.1, "bkl": 0.9}
    types = {"mel": malignant, **{code: share * (1 - malignant) for code, share in benign.items()}}
    made = Assessment(
        "0" * 64,
        80,
        60,
        (),
        Scores(MALIGNANCY_CLASSES, (malignant, 1 - malignant)),
        Scores(CODES, tuple(types.get(code, 0.0) for code in CODES)),
        "a",
        "b",
        operating_points=POINTS,
    )
    return replace(made, **facts)


@pytest.fixture
def card(make_card: Callable[..., Card]) -> Card:
    sets = tuple(ClassSet(label=code, threshold=0.15, photos=20) for code in CODES)
    conformal = ConformalFacts(level=0.9, fitted_on="v", measured_on="t", classes=sets, coverage=SHARE, size=SHARE)
    return make_card("both", operating_points=POINTS, repeats=REPEATS, conformal=conformal)


def test_the_answer_is_the_mean_of_the_photos(card: Card) -> None:
    made = join_assessments([assess(0.02), assess(0.04, "bkl"), assess(0.06, conformal=None)], card)
    assert made.mean is not None
    assert made.mean.malignant_score == pytest.approx(0.04)
    assert made.mean.lesion_type.score_of("bkl") == pytest.approx((0.098 + 0.864 + 0.094) / 3)
    assert sum(made.mean.lesion_type.values) == pytest.approx(1)
    assert (made.low, made.high, made.is_wide, made.changes_type) == (0.02, 0.06, False, True)
    assert made.triage.category == "not_flagged"
    assert len(made.photos) == 3


def test_the_mean_has_its_own_conformal_set(card: Card) -> None:
    first, second = (assess(0.02, first, conformal=("nv",)) for first in ("nv", "bkl"))
    made = join_assessments([first, first, second], card)
    assert made.mean is not None
    assert made.mean.conformal == ("nv", "bkl")
    unset = join_assessments([assess(0.02), second], card).mean
    assert unset is not None
    assert unset.conformal is None


def test_one_photo_keeps_its_verdict(card: Card) -> None:
    made = join_assessments([assess(0.5)], card)
    assert (made.triage.category, made.is_wide, made.changes_type) == ("flagged", None, False)


@pytest.mark.parametrize(
    ("scores", "category"),
    [
        ((0.01, 0.02), "not_flagged"),
        ((0.3, 0.4), "flagged"),
        ((0.3, 0.95), "flagged"),  # wide, but each is flagged
        ((0.19, 0.3), "flagged"),  # they disagree, and the mean is flagged
        ((0.1, 0.25), "not_assessable"),  # they disagree, and the mean is not
        ((0.05, 0.5), "not_assessable"),  # wide
        ((0.01, 0.01, 0.35), "not_assessable"),
    ],
)
def test_photos_that_disagree_never_reassure(card: Card, scores: tuple[float, ...], category: str) -> None:
    made = join_assessments([assess(score) for score in scores], card)
    assert made.triage.category == category
    assert made.is_wide == (max(scores) - min(scores) > REPEATS.limit)


def test_the_reason_says_how_the_photos_disagree(card: Card) -> None:
    wide = join_assessments([assess(0.05), assess(0.5)], card).triage
    assert "go from 5% to 50%, further apart than in 90%" in wide.reasons[0]
    assert join_assessments([assess(0.1), assess(0.25)], card).triage.reasons[0] == SIDES
    assert join_assessments([assess(0.3), assess(0.9)], card).triage.reasons[0] == ALL_FLAGGED


def test_the_chosen_sensitivity_decides(card: Card) -> None:
    photos = [assess(0.12), assess(0.15)]
    assert join_assessments(photos, card).triage.category == "not_flagged"
    assert join_assessments(photos, card, 0.98).triage.category == "flagged"


def test_photos_that_cannot_be_assessed_are_left_out(card: Card) -> None:
    black = assess(0.0, findings=(BLACK,))
    made = join_assessments([black, assess(0.3, findings=(BLURRED,))], card)
    assert made.mean is not None
    assert made.mean.malignant_score == 0.3
    assert made.mean.findings == (BLURRED,)
    assert made.triage.category == "flagged"
    assert made.triage.reasons[-1].startswith("1 of 2 photos could not be assessed")
    none = join_assessments([black, assess(0.9, in_scope=False)], card)
    assert (none.mean, none.triage.category) == (None, "not_assessable")
    assert none.triage.reasons[:2] == (NONE_LEFT, BLACK.sentence)


def test_without_a_limit_nothing_is_called_wide(card: Card) -> None:
    made = join_assessments([assess(0.05), assess(0.5)], card.model_copy(update={"repeats": None}))
    assert (made.is_wide, made.triage.category) == (None, "flagged")


def test_joining_nothing_is_a_mistake(card: Card) -> None:
    with pytest.raises(ValueError, match="one photo or more"):
        join_assessments([], card)


def test_how_often_photos_of_a_lesion_differ_is_measured() -> None:
    assert "17.3% (13.0% to 21.0%) changed their likeliest type" in describe_repeats(REPEATS)
    assert describe_repeats(REPEATS.model_copy(update={"changes_type": None})) == ""


def test_a_verdict_on_the_mean_says_so_after_its_reason(card: Card) -> None:
    reasons = join_assessments([assess(0.02), assess(0.06)], card).triage.reasons
    assert "is below the threshold" in reasons[0]
    assert reasons[1] == MEAN
    assert MEAN not in join_assessments([assess(0.02)], card).triage.reasons


def test_the_spread_is_said_in_scores_and_types(card: Card) -> None:
    said = describe_spread(join_assessments([assess(0.02), assess(0.06, "bkl")], card))
    assert said == (
        "The scores for malignant of its 2 photos go from 2% to 6%; their mean is 4%. "
        "Their likeliest lesion type is not the same."
    )
    assert "type" not in describe_spread(join_assessments([assess(0.02), assess(0.06)], card))
    refused = join_assessments([assess(0.02, findings=(BLACK,)), assess(0.03, findings=(BLACK,))], card)
    assert describe_spread(refused) == ""
