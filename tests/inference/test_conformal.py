"""The set of types that an answer is among."""

import pytest

from skinapp.inference.assessment import Scores
from skinapp.inference.conformal import build_set, describe_set, explain_set
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ClassSet, ConformalFacts

SHARE = Measured(value=0.903, low=0.88, high=0.92, photos=1994, lesions=1494)


def facts(**thresholds: float) -> ConformalFacts:
    sets = tuple(ClassSet(label=label, threshold=value, photos=20) for label, value in thresholds.items())
    return ConformalFacts(level=0.9, fitted_on="v", measured_on="t", classes=sets, coverage=SHARE, size=SHARE)


SCORES = Scores(("mel", "nv", "df"), (0.3, 0.6, 0.1))


def test_each_type_has_its_own_threshold_and_the_likeliest_comes_first() -> None:
    assert build_set(SCORES, facts(mel=0.2, nv=0.5, df=0.2)) == ("nv", "mel")
    assert build_set(SCORES, facts(mel=0.4, nv=0.5, df=0.05)) == ("nv", "df")


def test_facts_in_another_order_mean_the_same() -> None:
    assert build_set(SCORES, facts(df=0.2, nv=0.5, mel=0.25)) == ("nv", "mel")


def test_the_likeliest_type_is_always_in_the_set() -> None:
    assert build_set(SCORES, facts(mel=0.9, nv=0.9, df=0.9)) == ("nv",)
    assert build_set(SCORES, facts(mel=0.9, nv=0.9, df=0.05)) == ("nv", "df")


def test_without_facts_there_is_no_set_and_facts_of_others_are_a_mistake() -> None:
    assert build_set(SCORES, None) is None
    with pytest.raises(ValueError, match="the scores of mel, nv, df"):
        build_set(SCORES, facts(mel=0.1, nv=0.1))


def test_words_name_the_types_the_coverage_and_what_is_always_there() -> None:
    said = describe_set(("nv", "mel"), facts(mel=0.2, nv=0.5, df=0.0))
    assert said == "At 90% confidence the type is among: Melanocytic nevus, Melanoma."
    assert describe_set(("nv",), facts(mel=0.2)) == "At 90% confidence the type is Melanocytic nevus alone."
    text = explain_set(facts(mel=0.2, nv=0.5, df=0.0))
    assert "On test 90.3% (88.0% to 92.0%) had it" in text
    assert "Every set holds dermatofibroma" in text
    assert "Every set" not in explain_set(facts(mel=0.2, nv=0.5, df=0.1))
