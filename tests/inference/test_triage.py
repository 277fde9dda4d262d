"""The verdict: the more severe answer wins, and each one says why."""

from dataclasses import replace

import pytest

from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.findings import Finding
from skinapp.inference.triage import HEADLINES, NEXT_STEPS, NO_THRESHOLD, NOT_IN_SCOPE, decide_triage
from skinapp.models.card import OperatingPoint
from skinapp.runs.views.operating_points import SENSITIVITIES
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant

POINTS = tuple(OperatingPoint(sensitivity=s, threshold=t) for s, t in ((0.9, 0.3), (0.95, 0.2), (0.98, 0.1)))
BLURRED = Finding("blurred", "The photo is blurred.", "Focus on the lesion.", "warns")
BLACK = Finding("dark", "The photo is black.", "Switch on the light.", "refuses")
CAR = Finding("out_of_scope", "This is no dermoscopy photo.", "Take one.", "refuses")


def assess(malignant: float, first: str = "nv", types_malignant: float | None = None, **facts: object) -> Assessment:
    """Make an assessment: `first` is the likeliest type, and the malignant types add up to `types_malignant`."""
    total = malignant if types_malignant is None else types_malignant
    groups = {True: [c for c in CODES if is_malignant(c)], False: [c for c in CODES if not is_malignant(c)]}
    scores = {}
    for group, share in ((True, total), (False, 1 - total)):
        favourite = first if first in groups[group] else groups[group][0]
        scores |= {code: share * (0.97 if code == favourite else 0.01) for code in groups[group]}
    whole = sum(scores.values())
    values = tuple(scores[code] / whole for code in CODES)
    made = Assessment(
        "0" * 64, 80, 60, (), Scores(MALIGNANCY_CLASSES, (malignant, 1 - malignant)), Scores(CODES, values), "a", "b"
    )
    return replace(made, **{"operating_points": POINTS, **facts})


def test_the_chosen_operating_point_decides() -> None:
    verdicts = {wanted: decide_triage(assess(0.15), wanted) for wanted in SENSITIVITIES}
    assert [made.category for made in verdicts.values()] == ["not_flagged", "not_flagged", "flagged"]
    assert [made.threshold for made in verdicts.values()] == [0.3, 0.2, 0.1]
    assert verdicts[0.98].reasons[0] == "The score for malignant, 15%, reaches the threshold for 98% sensitivity, 10%."
    assert verdicts[0.95].reasons == ("The score for malignant, 15%, is below the threshold for 95% sensitivity, 20%.",)
    assert decide_triage(assess(0.15)) == verdicts[0.95]


def test_a_score_of_the_threshold_is_flagged() -> None:
    assert decide_triage(assess(0.2)).category == "flagged"


def test_a_benign_first_type_does_not_hide_a_flag() -> None:
    made = decide_triage(assess(0.25))
    assert made.category == "flagged"
    assert made.reasons[1].startswith("The likeliest type is benign (Melanocytic nevus)")
    assert len(decide_triage(assess(0.8, "mel")).reasons) == 1


@pytest.mark.parametrize(("types", "why"), [(0.5, "add up to 50%"), (0.9, "likeliest type is malignant (Melanoma)")])
def test_malignant_types_flag_where_the_malignancy_head_does_not(types: float, why: str) -> None:
    made = decide_triage(assess(0.01, "mel", types_malignant=types))
    assert made.category == "flagged"
    assert any(why in reason for reason in made.reasons)


def test_heads_that_differ_by_rounding_agree() -> None:
    assert decide_triage(assess(0.2 - 1e-9, types_malignant=0.2 + 1e-9)).category == "not_flagged"


@pytest.mark.parametrize("score", [0.01, 0.9])
def test_a_photo_out_of_scope_is_never_scored(score: float) -> None:
    made = decide_triage(assess(score, in_scope=False, findings=(CAR,)))
    assert (made.category, made.reasons) == ("not_assessable", (CAR.sentence,))
    assert decide_triage(assess(score, in_scope=False)).reasons == (NOT_IN_SCOPE,)


def test_a_refused_photo_is_flagged_or_not_assessable_but_never_below() -> None:
    low, high = (decide_triage(assess(score, in_scope=True, findings=(BLACK,))) for score in (0.01, 0.9))
    assert (low.category, low.reasons) == ("not_assessable", (BLACK.sentence,))
    assert high.category == "flagged"
    assert high.reasons[-1] == BLACK.sentence


def test_a_warning_stands_among_the_reasons() -> None:
    for score, category in ((0.01, "not_flagged"), (0.9, "flagged")):
        made = decide_triage(assess(score, findings=(BLURRED,)))
        assert made.category == category
        assert made.reasons[-1] == BLURRED.sentence


def test_a_model_without_the_threshold_decides_nothing() -> None:
    made = decide_triage(assess(0.01, operating_points=()))
    assert (made.category, made.reasons, made.threshold) == ("not_assessable", (NO_THRESHOLD,), None)
    assert decide_triage(assess(0.9, operating_points=POINTS[1:]), 0.9).category == "not_assessable"


def test_malignant_types_of_the_conformal_set_are_named_as_not_ruled_out() -> None:
    made = decide_triage(assess(0.01, conformal=("nv", "mel", "bkl")))
    assert made.category == "not_flagged"
    assert made.reasons[1] == "These malignant types are not ruled out: Melanoma."
    assert len(decide_triage(assess(0.01, conformal=("nv", "bkl"))).reasons) == 1


def test_each_category_has_its_words() -> None:
    for score, facts in ((0.9, {}), (0.01, {}), (0.9, {"in_scope": False})):
        made = decide_triage(assess(score, **facts))
        assert made.headline == HEADLINES[made.category]
        assert made.next_step == NEXT_STEPS[made.category]
    assert HEADLINES["not_flagged"] == "Not flagged: this does not rule out cancer"
