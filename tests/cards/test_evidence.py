from collections.abc import Callable

import pytest

from skinapp.cards.evidence import (
    count_malignant_cases,
    describe_band,
    describe_inside,
    describe_nearest,
    describe_network,
    find_activation,
    find_similar_facts,
)
from skinapp.models.card import Card
from skinapp.models.evidence import ActivationFacts, ActivationShare, NearestRight, SimilarFacts
from skinapp.models.strict import Measured

MakeCard = Callable[..., Card]


def measured(value: float, photos: int = 50) -> Measured:
    return Measured(value=value, low=value - 0.1, high=value + 0.1, photos=photos, lesions=photos)


@pytest.fixture
def card(make_card: MakeCard) -> Card:
    plain = make_card("both", reference_sha256="b" * 64)
    shares = (
        ActivationShare(label=None, inside=measured(0.6, 998), area=0.28),
        ActivationShare(label="mel", inside=measured(0.75, 111), area=0.4),
    )
    activation = ActivationFacts(
        network=plain.id, weights_sha256=plain.weights_sha256, table="ham10000", split="validation", shares=shares
    )
    nearest = NearestRight(
        cases=5000,
        type_right=measured(0.7, 998),
        type_by_chance=0.5,
        of_malignant=measured(0.6, 194),
        of_benign=measured(0.9, 804),
    )
    similar = SimilarFacts(reference_sha256="b" * 64, table="ham10000", split="validation", nearest=nearest)
    return plain.model_copy(update={"activation": activation, "similar": similar})


def test_the_share_inside_is_that_of_the_class_or_else_of_the_likeliest_type(card: Card) -> None:
    of_class = describe_inside(card, "mel", "melanoma")
    assert "On 111 photos of validation with that label, 75% (65% to 85%) of the evidence for melanoma" in of_class
    assert "which took up 40% of the picture" in of_class
    assert "On 998 photos of validation, 60% (50% to 70%) of the evidence for the likeliest type" in describe_inside(
        card, "df", "dermatofibroma"
    )


def test_facts_of_other_weights_or_another_bank_are_not_told(card: Card) -> None:
    assert find_activation(card)
    assert find_similar_facts(card)
    other = card.model_copy(update={"weights_sha256": "0" * 64, "reference_sha256": "0" * 64})
    assert find_activation(other) is None
    assert find_similar_facts(other) is None
    assert describe_inside(other, "mel", "melanoma") == ""
    assert describe_nearest(other) == ""


def test_the_nearest_case_is_compared_with_chance(card: Card) -> None:
    text = describe_nearest(card)
    assert "On 998 photos of validation the nearest of 5,000 cases had the right type in 70% (60% to 80%)" in text
    assert "a case drawn at random would in 50%" in text
    assert "malignant for 60% (50% to 70%) of the malignant photos" in text


def test_words_of_one_and_of_many(card: Card) -> None:
    assert describe_network(card) == "the network that gave the answer"
    assert count_malignant_cases(["mel", "nv", "bcc"]) == "2 of the 3 nearest are malignant."
    assert count_malignant_cases(["mel", "nv"]) == "1 of the 2 nearest is malignant."
    assert count_malignant_cases(["nv", "df"]) == "None of the 2 nearest are malignant."
    band = describe_band(100, 93, 33, "24%", "34%", "24% to 42%")
    assert "**33 were malignant**: 33% (24% to 42%)." in band
    assert "**1 was malignant**: 1%." in describe_band(100, 93, 1, "24%", "34%", "")
