"""Natural frequencies agree with counting lesions, and never promise none or all."""

from collections.abc import Callable

import pytest

from skinapp.cards.frequencies import (
    NaturalFrequencies,
    compute_frequencies,
    describe_frequencies,
    describe_frequency_intervals,
    get_model_prevalence,
)
from skinapp.cards.groups import HISTOLOGY_ONLY
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import Card, CardFigure, Head, OperatingPoint
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeCard = Callable[..., Card]


def rate(metric: str, value: float, group: str | None = None, sensitivity: float = 0.95) -> CardFigure:
    return CardFigure(
        task="malignancy",
        run="test",
        split="test",
        group=group,
        metric=metric,
        sensitivity=sensitivity,
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        photos=100,
        lesions=90,
    )


@pytest.fixture
def card(make_card: MakeCard) -> Card:
    points = tuple(OperatingPoint(sensitivity=s, threshold=t) for s, t in ((0.9, 0.4), (0.95, 0.2)))
    rates = [rate("sensitivity", 0.9), rate("specificity", 0.8), rate("specificity", 0.5, HISTOLOGY_ONLY)]
    rates += [rate("sensitivity", 0.7, sensitivity=0.9), rate("specificity", 0.9, sensitivity=0.9)]
    return make_card("malignancy", operating_points=points, figures=tuple(rates))


def count(sensitivity: float, specificity: float, ill: int, well: int) -> tuple[float, float]:
    flagged, missed = sensitivity * ill, (1 - sensitivity) * ill
    return flagged / (flagged + (1 - specificity) * well), missed / (missed + specificity * well)


@pytest.mark.parametrize(
    ("asked", "rates"), [({}, (0.9, 0.8)), ({"of_histology": True}, (0.9, 0.5)), ({"sensitivity": 0.9}, (0.7, 0.9))]
)
def test_shares_are_those_of_counted_lesions(card: Card, asked: dict, rates: tuple[float, float]) -> None:
    made = compute_frequencies(card, 0.2, **asked)
    assert made is not None
    assert (made.flagged.value, made.not_flagged.value) == pytest.approx(count(*rates, 200, 800))
    for share in (made.flagged, made.not_flagged):
        assert share.low < share.value < share.high


def test_what_was_not_measured_has_no_frequency(card: Card) -> None:
    assert compute_frequencies(card, 0.2, 0.98) is None
    assert compute_frequencies(card.model_copy(update={"figures": ()}), 0.2) is None
    assert compute_frequencies(card, 0.2, 0.9, of_histology=True) is None


def test_words_count_lesions() -> None:
    made = NaturalFrequencies(0.2, Estimate(0.432, 0.381, 0.479), Estimate(0.0123, 0.008, 0.019))
    assert describe_frequencies(made) == "Of 100 flagged lesions about 43 are malignant; of 100 not flagged about 1."
    assert describe_frequency_intervals(made) == "95% intervals: 38 to 48 and 0.8 to 1.9 of 100."
    ends = NaturalFrequencies(0.2, Estimate(0.999, 0.9, 1.0), Estimate(0.001, 0.0, 0.002))
    assert "more than 99 are malignant; of 100 not flagged fewer than 1." in describe_frequencies(ends)


def test_the_models_own_prevalence_is_that_of_its_shares(make_card: MakeCard) -> None:
    head = Head(name="malignancy", classes=MALIGNANCY_CLASSES, shares=(0.25, 0.75))
    assert get_model_prevalence(make_card("malignancy", heads=(head,))) == 0.25
    assert get_model_prevalence(make_card("malignancy")) is None
