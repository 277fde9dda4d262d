"""Two photos of one lesion at two times: how far its scores moved, beside how far two photos differ anyway."""

from skinapp.formatting import format_score_percent
from skinapp.inference.assessment import Assessment
from skinapp.models.uncertainty import RepeatFacts
from skinapp.taxonomy import get_class_name

STILL = "A lesion that changes needs a doctor, whatever these scores say."


def describe_change(before: Assessment, after: Assessment, facts: RepeatFacts | None) -> tuple[str, ...]:
    """Describe in sentences how the scores changed between two photos, and whether other photos would differ as much.

    The last sentence holds in any case. Without `facts` nothing is said about how far photos of one lesion differ.
    """
    first, second = before.malignant_score, after.malignant_score
    moved = f"The score for malignant went from {format_score_percent(first)} to {format_score_percent(second)}."
    return moved, *_compare_with_spread(abs(second - first), facts), *_compare_types(before, after), STILL


def _compare_with_spread(change: float, facts: RepeatFacts | None) -> tuple[str, ...]:
    if facts is None:
        return ()
    usual = f"In {facts.quantile:.0%} of {facts.lesions} lesions the scores of several photos differ by at most"
    points = 100 * facts.limit
    limit = f"{points:.0f} percentage points" if points >= 10 else f"{points:.2g} percentage points"
    if change > facts.limit:
        return (f"{usual} {limit}. This change is larger: the lesion may have changed, or the photos are too unlike.",)
    return (f"{usual} {limit}. This change is not larger, so it may come from the photos alone.",)


def _compare_types(before: Assessment, after: Assessment) -> tuple[str, ...]:
    (first, _), (second, _) = before.lesion_type.rank()[0], after.lesion_type.rank()[0]
    if first == second:
        return ()
    was, now = get_class_name(first).lower(), get_class_name(second).lower()
    return (f"The likeliest type changed from {was} to {now}.",)
