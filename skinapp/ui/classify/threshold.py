"""On which side of its model's threshold a score lies, in words that neither frighten nor reassure."""

from skinapp.cards.tables import PointOnTest, interval, reached
from skinapp.charts.style import finer_percent
from skinapp.inference.assessment import Assessment
from skinapp.models.card import Card, CardFigure
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY

NAME = f"{SHOWN_SENSITIVITY:.0%} threshold"
MEANING = (
    f"{SHOWN_SENSITIVITY:.0%} of the malignant validation photos score at least this; of another camera's photos far "
    "fewer may, as Models tells. In brackets: 95% intervals. Histology confirms the lesions that somebody thought "
    "worth a biopsy: the hard ones."
)


def in_words(seen: Assessment, card: Card) -> str:
    """Say on which side of the threshold a score lies, and how many lie there wrongly; nothing without a threshold."""
    if seen.threshold is None:
        return ""
    at = f"a score of {finer_percent(seen.threshold)}, the tick on the ring"
    side = f"**{'Above' if seen.above else 'Below'} the {NAME}** ({at})."
    tested = measured(card)
    if seen.above:
        spared = (tested.specificity, tested.of_histology) if tested else (None, None)
        return f"{side} Benign lesions lie above it too{_wrongly(*spared, 'those confirmed by histology')}."
    found = (tested.sensitivity, tested.of_melanoma) if tested else (None, None)
    return f"{side} That does not mean healthy: malignant lesions lie below it too{_wrongly(*found, 'melanomas')}."


def measured(card: Card) -> PointOnTest | None:
    """Return what the threshold that is shown reached on test; None where the card has no such operating point."""
    return next((found for found in reached(card) if found.point.sensitivity == SHOWN_SENSITIVITY), None)


def _wrongly(rate: CardFigure | None, of_some: CardFigure | None, some: str) -> str:
    """Write which share of the test photos a rate leaves over, and which of some of them; nothing where unmeasured."""
    left, of_those = _left_over(rate), _left_over(of_some)
    if not left:
        return ""
    return f": in the test {left}{f', of {some} {of_those}' if of_those else ''}"


def _left_over(found: CardFigure | None) -> str:
    """Write the share of test photos that a rate leaves over, with its interval; nothing where it was not measured."""
    if found is None or found.value is None:
        return ""
    left = {"value": 1 - found.value}
    if found.low is not None and found.high is not None:
        left |= {"low": 1 - found.high, "high": 1 - found.low}
    over = interval(found.model_copy(update=left), ".1%")
    return f"{left['value']:.1%}{f' ({over})' if over else ''}"
