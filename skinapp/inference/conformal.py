"""The set of lesion types that an answer is among, and its words."""

import numpy as np

from skinapp.formatting import PERCENT, format_estimate, format_value
from skinapp.inference.assessment import Scores
from skinapp.metrics.conformal import build_class_sets
from skinapp.models.uncertainty import ConformalFacts
from skinapp.taxonomy import get_class_name


def build_set(scores: Scores, facts: ConformalFacts | None) -> tuple[str, ...] | None:
    """Return the codes of the types that the answer is among, the likeliest first; None where the model has no facts.

    ValueError where the facts are of other classes than the scores.
    """
    if facts is None:
        return None
    thresholds = {each.label: each.threshold for each in facts.classes}
    if set(thresholds) != set(scores.classes):
        raise ValueError(f"The sets are of {', '.join(thresholds)}, the scores of {', '.join(scores.classes)}.")
    ordered = np.array([[thresholds[label] for label in scores.classes]])
    (inside,) = build_class_sets(np.array([scores.values]), ordered[0])
    held = {label for label, is_inside in zip(scores.classes, inside, strict=True) if is_inside}
    return tuple(label for label, _ in scores.rank() if label in held)


def describe_set(codes: tuple[str, ...], facts: ConformalFacts) -> str:
    """Write which types the answer is among, in their order: "At 90% confidence the type is among: …"."""
    names = ", ".join(map(get_class_name, codes))
    return f"At {facts.level:.0%} confidence the type is {f'among: {names}' if len(codes) > 1 else f'{names} alone'}."


def explain_set(facts: ConformalFacts) -> str:
    """Explain how often such sets are right, and which types are in every set."""
    held, size = format_estimate(facts.coverage, PERCENT), format_value(facts.size.value, ".1f")
    text = (
        f"A conformal set: thresholds of each type were chosen on validation photos so that {facts.level:.0%} of its "
        f"photos have the true type in their set. On test {held} had it, and a set held {size} types on average. "
        "On another camera it may be fewer. The set does not change the verdict."
    )
    always = [get_class_name(each.label).lower() for each in facts.classes if each.threshold == 0]
    if always:
        text += f" Every set holds {' and '.join(always)}: validation had too few photos to leave them out."
    return text
