"""On which side of its model's threshold a score lies, in words that neither frighten nor reassure."""

from skinapp.assessment.assess import Assessment
from skinapp.charts.style import decimal
from skinapp.evaluation.card_tables import interval, reached
from skinapp.evaluation.operating_points import SHOWN_SENSITIVITY
from skinapp.networks.card import Card, CardFigure

NAME = f"{SHOWN_SENSITIVITY:.0%} threshold"
MEANING = f"{SHOWN_SENSITIVITY:.0%} of the malignant validation photos score at least this."


def in_words(seen: Assessment, card: Card) -> str:
    """Say on which side of the threshold a score lies, and how many lie there wrongly; nothing without a threshold."""
    if seen.threshold is None:
        return ""
    side = f"**{'Above' if seen.above else 'Below'} the {NAME}** ({decimal(seen.threshold)}, the tick on the ring)."
    at = next((found for found in reached(card) if found.point.sensitivity == SHOWN_SENSITIVITY), None)
    if seen.above:
        return f"{side} Benign lesions lie above it too{_of_test(at.specificity if at else None)}."
    missed = _of_test(at.sensitivity if at else None)
    return f"{side} That does not mean healthy: malignant lesions lie below it too{missed}."


def _of_test(found: CardFigure | None) -> str:
    """Write the share of test photos that a rate leaves over, with its interval; nothing where it was not measured."""
    if found is None or found.value is None:
        return ""
    left = {"value": 1 - found.value}
    if found.low is not None and found.high is not None:
        left |= {"low": 1 - found.high, "high": 1 - found.low}
    over = interval(found.model_copy(update=left), ".1%")
    return f", in the test {left['value']:.1%} of them{f' (95% interval {over})' if over else ''}"
