from dataclasses import replace

import pytest

from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.over_time import STILL, describe_change
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import RepeatFacts
from skinapp.taxonomy import MALIGNANCY_CLASSES


def assess(malignant: float, nevus: float = 0.9) -> Assessment:
    malignancy = Scores(MALIGNANCY_CLASSES, (malignant, 1 - malignant))
    return Assessment("", 80, 60, (), malignancy, Scores(("mel", "nv"), (1 - nevus, nevus)), "a", "a")


@pytest.fixture
def facts() -> RepeatFacts:
    nothing = Measured(value=None, photos=0, lesions=0)
    return RepeatFacts(
        quantile=0.9,
        limit=0.2,
        lesions=50,
        fitted_on="validation",
        measured_on="test",
        wide=nothing,
        changes_type=None,
        changes_side=None,
    )


def test_a_change_stands_beside_the_spread_of_photos_of_one_lesion(facts: RepeatFacts) -> None:
    small = " ".join(describe_change(assess(0.1), assess(0.3), facts))
    assert "from 10% to 30%" in small
    assert "In 90% of 50 lesions the scores of several photos differ by at most 20 percentage points." in small
    assert "may come from the photos alone" in small
    large = " ".join(describe_change(assess(0.4), assess(0.1), facts))
    assert "from 40% to 10%" in large
    assert "This change is larger" in large


def test_a_change_of_the_likeliest_type_is_said(facts: RepeatFacts) -> None:
    said = describe_change(assess(0.1), assess(0.1, nevus=0.2), facts)
    assert "The likeliest type changed from melanocytic nevus to melanoma." in said
    assert not [line for line in describe_change(assess(0.1), assess(0.2), facts) if "type" in line]


def test_without_facts_nothing_is_said_about_the_spread_and_the_advice_stays() -> None:
    said = describe_change(assess(0.1), replace(assess(0.9)), None)
    assert len(said) == 2
    assert said[-1] == STILL
