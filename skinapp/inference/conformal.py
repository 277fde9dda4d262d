"""The set of lesion types that an answer is among, and its words."""

import numpy as np

from skinapp.formatting import PERCENT, format_estimate
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
    """Write which types the answer is among, how often such sets are right, and which types are in every set."""
    names = [get_class_name(code).lower() for code in codes]
    listed = f"among {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"{names[0]}, and no other type"
    always = [get_class_name(each.label).lower() for each in facts.classes if each.threshold == 0]
    held = format_estimate(facts.coverage, PERCENT)
    text = f"The answer is {listed}. Such sets held the true type of {held} of the test photos."
    if always:
        text += f" Every set holds {' and '.join(always)}: validation had too few photos to leave them out."
    return text
