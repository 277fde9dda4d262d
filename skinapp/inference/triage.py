"""The verdict on one photo: flagged, not flagged or not assessable, with its reasons. All its words are here.

Where the heads or the checks disagree, the more severe answer wins, in this order: a photo out of scope is not
assessable whatever its score; a score that reaches the threshold flags; a photo that a check refuses is not assessable;
the rest is not flagged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from skinapp.formatting import format_threshold
from skinapp.inference.assessment import Assessment
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import get_class_name, is_malignant

Category = Literal["flagged", "not_flagged", "not_assessable"]

HEADLINES: dict[Category, str] = {
    "flagged": "Flagged: have it examined",
    "not_flagged": "Not flagged: this does not rule out cancer",
    "not_assessable": "Not assessable",
}

NEXT_STEPS: dict[Category, str] = {
    "flagged": "Have a doctor examine this lesion. Benign lesions are flagged too.",
    "not_flagged": "Watch the lesion. If it is new, changes or bleeds, see a doctor.",
    "not_assessable": "Take another photo, or have a doctor examine the lesion.",
}

ALWAYS = "New, changing or bleeding: see a doctor, whatever this answer says."
"""It stands beside every answer."""

DARKER_SKIN = (
    "Nearly all photos that the networks learned from are of light skin, and how often they are wrong on darker skin "
    "was not measured. On darker skin have a doctor examine the lesion, whatever this answer says."
)
"""It stands beside every answer: skin tone is recorded nowhere in the data, so no figure can be given."""

NOT_IN_SCOPE = "This does not look like a photo that was taken through a dermatoscope, so its scores mean nothing."
NO_THRESHOLD = "The model has no threshold for this sensitivity, so its score cannot be judged."
BENIGN_FIRST = "The likeliest type is benign ({name}), but the score for malignant decides."
MALIGNANT_FIRST = "The likeliest type is malignant ({name}), although the score for malignant is below the threshold."
MALIGNANT_SUM = "The scores of the malignant types add up to {total}, which reaches the threshold."
STILL_POSSIBLE = "These malignant types are not ruled out: {names}."

_AGREE = 1e-6
"""Heads that were scaled to agree differ by rounding alone, which must not flag a photo."""


@dataclass(frozen=True)
class Triage:
    """The verdict and its reasons, the deciding one first, each a sentence.

    `sensitivity` is that of the chosen operating point, 0 to 1; `threshold` its malignancy score, 0 to 1, None where
    the model has none.
    """

    category: Category
    reasons: tuple[str, ...]
    sensitivity: float
    threshold: float | None

    @property
    def headline(self) -> str:
        """The verdict in words."""
        return HEADLINES[self.category]

    @property
    def next_step(self) -> str:
        """What to do now."""
        return NEXT_STEPS[self.category]


def decide_triage(assessment: Assessment, sensitivity: float = SHOWN_SENSITIVITY) -> Triage:
    """Decide about one photo at the operating point of a sensitivity (0.90, 0.95 or 0.98)."""
    threshold = assessment.find_threshold(sensitivity)
    refusals = tuple(finding.sentence for finding in assessment.findings if finding.severity == "refuses")
    if assessment.in_scope is False:
        return Triage("not_assessable", refusals or (NOT_IN_SCOPE,), sensitivity, threshold)
    flags = tuple(_list_flags(assessment, sensitivity, threshold))
    warnings = tuple(finding.sentence for finding in assessment.findings if finding.severity == "warns")
    if flags:
        return Triage("flagged", flags + refusals + warnings, sensitivity, threshold)
    if refusals or threshold is None:
        unknown = (NO_THRESHOLD,) if threshold is None else ()
        return Triage("not_assessable", refusals + unknown + warnings, sensitivity, threshold)
    score = format_threshold(assessment.malignant_score)
    below = f"The score for malignant, {score}, is below {_name(sensitivity, threshold)}."
    return Triage("not_flagged", (below, *_list_doubts(assessment), *warnings), sensitivity, threshold)


def _list_flags(assessment: Assessment, sensitivity: float, threshold: float | None) -> Iterator[str]:
    """List the reasons to flag a photo; none where there is no threshold."""
    if threshold is None:
        return
    score, (first, _) = assessment.malignant_score, assessment.lesion_type.rank()[0]
    total = sum(value for code, value in assessment.lesion_type.rank() if is_malignant(code))
    if score >= threshold:
        yield f"The score for malignant, {format_threshold(score)}, reaches {_name(sensitivity, threshold)}."
        if not is_malignant(first):
            yield BENIGN_FIRST.format(name=get_class_name(first))
        return
    if total >= threshold and total - score > _AGREE:
        yield MALIGNANT_SUM.format(total=format_threshold(total))
    if is_malignant(first):
        yield MALIGNANT_FIRST.format(name=get_class_name(first))


def _list_doubts(assessment: Assessment) -> Iterator[str]:
    """Say which malignant types the conformal set of a photo that is not flagged still holds."""
    names = [get_class_name(code) for code in assessment.conformal or () if is_malignant(code)]
    if names:
        yield STILL_POSSIBLE.format(names=", ".join(names))


def _name(sensitivity: float, threshold: float) -> str:
    return f"the threshold for {sensitivity:.0%} sensitivity, {format_threshold(threshold)}"
