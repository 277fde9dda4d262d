"""Whether a score is above its model's threshold, in words that neither frighten nor reassure."""

from skinapp.cards.selection import PointOnTest, list_points_on_test
from skinapp.formatting import PERCENT, format_estimate, format_threshold
from skinapp.inference.assessment import Assessment
from skinapp.models.card import Card, CardFigure
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY

NAME = f"{SHOWN_SENSITIVITY:.0%} threshold"
MEANING = (
    f"{SHOWN_SENSITIVITY:.0%} of the malignant validation photos score at least this. On another camera it may be "
    "far fewer: see the Models page. Brackets show 95% intervals. Lesions confirmed by histology looked suspicious "
    "enough for a biopsy, so they are difficult to tell from malignant ones."
)


def describe(assessment: Assessment, card: Card) -> str:
    """Describe on which side of the threshold a score is and how often that was wrong on test; "" without one."""
    if assessment.threshold is None:
        return ""
    at = f"a score of {format_threshold(assessment.threshold)}, the tick on the ring"
    side = f"**{'Above' if assessment.above_threshold else 'Below'} the {NAME}** ({at})."
    shown = get_shown_point(card)
    if assessment.above_threshold:
        confirmed = "those confirmed by histology"
        benign = _describe_errors(shown.specificity, shown.of_histology, confirmed) if shown else ""
        return f"{side} Benign lesions can score above it too{benign}."
    malignant = _describe_errors(shown.sensitivity, shown.of_melanoma, "the melanomas") if shown else ""
    return f"{side} That does not mean healthy: malignant lesions can score below it{malignant}."


def get_shown_point(card: Card) -> PointOnTest | None:
    """Return the rates on test of the threshold that is shown; None where the card has no such operating point."""
    return next((row for row in list_points_on_test(card) if row.point.sensitivity == SHOWN_SENSITIVITY), None)


def _describe_errors(rate: CardFigure | None, group_rate: CardFigure | None, group: str) -> str:
    """Describe which share of the test photos, and of a group of them, was wrong; "" where it was not measured."""
    errors, group_errors = _format_complement(rate), _format_complement(group_rate)
    if not errors:
        return ""
    return f": {errors} of them on test{f', and {group_errors} of {group}' if group_errors else ''}"


def _format_complement(rate: CardFigure | None) -> str:
    """Format 1 - rate with its interval: "7.0% (4.5% to 10.0%)"; "" where the rate was not measured."""
    if rate is None or rate.value is None:
        return ""
    complement = {"value": 1 - rate.value}
    if rate.low is not None and rate.high is not None:
        complement |= {"low": 1 - rate.high, "high": 1 - rate.low}
    return format_estimate(rate.model_copy(update=complement), PERCENT)
