"""Natural frequencies: of 100 flagged lesions, and of 100 that are not flagged, how many are malignant."""

import math
from dataclasses import dataclass

from skinapp.cards.selection import PointOnTest, list_points_on_test, to_number
from skinapp.metrics.decisions import compute_predictive_values
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import Card, CardFigure
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import MALIGNANT

OF = 100
"""Natural frequencies are counted of so many lesions."""


@dataclass(frozen=True)
class NaturalFrequencies:
    """The shares (0 to 1, with 95% intervals) of malignant lesions among the flagged ones and among the others.

    `prevalence` is the share of malignant lesions among all, between 0 and 1.
    """

    prevalence: float
    flagged: Estimate
    not_flagged: Estimate


def get_model_prevalence(card: Card) -> float | None:
    """Return the share of malignant lesions, between 0 and 1, that a malignancy score is calibrated for, or None."""
    head = card.head("malignancy")
    share = dict(zip(head.classes, head.shares, strict=False)).get(MALIGNANT)
    return share if share is not None and 0 < share < 1 else None


def find_point_on_test(card: Card, sensitivity: float = SHOWN_SENSITIVITY) -> PointOnTest | None:
    """Return the rates on test of the operating point at a sensitivity; None where the card has no such point."""
    return next((row for row in list_points_on_test(card) if row.point.sensitivity == sensitivity), None)


def compute_frequencies(
    card: Card, prevalence: float, sensitivity: float = SHOWN_SENSITIVITY, *, of_histology: bool = False
) -> NaturalFrequencies | None:
    """Compute how many lesions on each side of a threshold are malignant, from its rates on test and a prevalence.

    `sensitivity` names the operating point (0.90, 0.95 or 0.98), `prevalence` lies between 0 and 1. With `of_histology`
    the specificity is that among lesions that looked suspicious enough for a biopsy. None where a rate was not measured
    or a share is undefined. By Bayes' rule; predictive values grow with both rates, so the ends of the rates' intervals
    give their intervals, a little too wide.
    """
    row = find_point_on_test(card, sensitivity)
    specificity = (row.of_histology if of_histology else row.specificity) if row else None
    if row is None or row.sensitivity is None or specificity is None:
        return None
    value, low, high = (
        compute_predictive_values(sens, spec, prevalence)
        for sens, spec in zip(_list_ends(row.sensitivity), _list_ends(specificity), strict=True)
    )
    if any(map(math.isnan, value + low + high)):
        return None
    flagged = Estimate(value[0], low[0], high[0])
    return NaturalFrequencies(prevalence, flagged, Estimate(1 - value[1], 1 - high[1], 1 - low[1]))


def _list_ends(rate: CardFigure) -> tuple[float, float, float]:
    return to_number(rate.value), to_number(rate.low), to_number(rate.high)


def describe_frequencies(frequencies: NaturalFrequencies) -> str:
    """Write "Of 100 flagged lesions about 43 are malignant; of 100 not flagged about 1."."""
    flagged, others = (_count(share.value) for share in (frequencies.flagged, frequencies.not_flagged))
    return f"Of {OF} flagged lesions {flagged} are malignant; of {OF} not flagged {others}."


def describe_frequency_intervals(frequencies: NaturalFrequencies) -> str:
    """Write "95% intervals: 38 to 48 and 0.8 to 1.9 of 100."."""
    flagged, others = (_format_ends(share) for share in (frequencies.flagged, frequencies.not_flagged))
    return f"95% intervals: {flagged} and {others} of {OF}."


def _count(share: float) -> str:
    """Write "about 43"; never none and never all, which no measurement can promise."""
    whole = round(OF * share)
    if whole < 1:
        return "fewer than 1"
    return f"about {whole}" if whole < OF else f"more than {OF - 1}"


def _format_ends(share: Estimate) -> str:
    return " to ".join(f"{OF * end:.0f}" if OF * end >= 10 else f"{OF * end:.2g}" for end in (share.low, share.high))
