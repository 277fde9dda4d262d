"""Several photos of one lesion: how far their answers differ, their mean, and one verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from skinapp.formatting import PERCENT, format_estimate, format_score_percent, format_threshold
from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.conformal import build_set
from skinapp.inference.triage import Triage, decide_triage
from skinapp.models.card import Card
from skinapp.models.uncertainty import RepeatFacts
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY

WIDE = (
    "The photos differ too much for one answer: their scores for malignant go from {low} to {high}, further apart than "
    "in {quantile:.0%} of the validation lesions with several photos."
)
SIDES = "Some of the photos are flagged and others are not, and their mean is not flagged."
LEFT_OUT = "{number} of {total} photos could not be assessed and are left out of the mean."
MEAN = "The scores are the mean of the photos."
NONE_LEFT = "None of the photos could be assessed."
ALL_FLAGGED = "Each of the photos is flagged by itself."


@dataclass(frozen=True)
class LesionAnswer:
    """The answer to several photos of one lesion.

    `photos` are the assessments in the order given. `mean` is their mean, of those that could be assessed; None where
    none could. `low` and `high` are the lowest and the highest malignancy score of those, 0 to 1, and `is_wide` says
    whether they are further apart than photos of one lesion mostly are; None where the model has no such limit.
    `changes_type` says whether the likeliest type differs.
    """

    photos: tuple[Assessment, ...]
    mean: Assessment | None
    low: float
    high: float
    is_wide: bool | None
    changes_type: bool
    triage: Triage


def join_assessments(
    assessments: Sequence[Assessment], card: Card, sensitivity: float = SHOWN_SENSITIVITY
) -> LesionAnswer:
    """Join the assessments of photos of one lesion, one or more, by one model; `card` is that of its malignancy head.

    Photos that are flagged each by itself flag the lesion, however far apart their scores are. Else a wide spread makes
    it not assessable, and so do photos that disagree while their mean is not flagged. ValueError without photos.
    """
    if not assessments:
        raise ValueError("Joining takes one photo or more.")
    verdicts = [decide_triage(each, sensitivity) for each in assessments]
    usable = [one for one, made in zip(assessments, verdicts, strict=True) if made.category != "not_assessable"]
    if not usable:
        reasons = tuple(dict.fromkeys(reason for made in verdicts for reason in made.reasons))
        triage = replace(verdicts[0], category="not_assessable", reasons=(NONE_LEFT, *reasons))
        return LesionAnswer(tuple(assessments), None, float("nan"), float("nan"), None, False, triage)
    scores = [each.malignant_score for each in usable]
    low, high, limit = min(scores), max(scores), card.repeats.limit if card.repeats else None
    is_wide = None if limit is None or len(usable) < 2 else high - low > limit
    mean = _average(usable, card)
    changes_type = len({each.lesion_type.rank()[0][0] for each in usable}) > 1
    left_out = len(assessments) - len(usable)
    decided = _decide(usable, mean, is_wide, card.repeats, sensitivity)
    if left_out:
        note = LEFT_OUT.format(number=left_out, total=len(assessments))
        decided = replace(decided, reasons=(*decided.reasons, note))
    return LesionAnswer(tuple(assessments), mean, low, high, is_wide, changes_type, decided)


def describe_repeats(facts: RepeatFacts) -> str:
    """Say how often photos of one lesion gave other answers on test; "" where it was not measured."""
    if facts.changes_type is None:
        return ""
    changed = format_estimate(facts.changes_type, PERCENT)
    return (
        f"Of the test lesions with several photos, {changed} changed their likeliest type from one photo to another. "
        "Add a second photo of this lesion, taken anew."
    )


def describe_spread(lesion: LesionAnswer) -> str:
    """Say how far the scores of a lesion's photos differ, and whether its likeliest type changes; "" without scores."""
    if lesion.mean is None:
        return ""
    low, high, mean = map(format_score_percent, (lesion.low, lesion.high, lesion.mean.malignant_score))
    said = f"The scores for malignant of its {len(lesion.photos)} photos go from {low} to {high}; their mean is {mean}."
    return f"{said} Their likeliest lesion type is not the same." if lesion.changes_type else said


def _decide(
    usable: Sequence[Assessment], mean: Assessment, is_wide: bool | None, facts: RepeatFacts | None, sensitivity: float
) -> Triage:
    decided = decide_triage(mean, sensitivity)
    if len(usable) < 2:
        return decided
    decided = replace(decided, reasons=(*decided.reasons[:1], MEAN, *decided.reasons[1:]))
    flagged = [decide_triage(each, sensitivity).category == "flagged" for each in usable]
    if all(flagged):
        return replace(decided, category="flagged", reasons=(ALL_FLAGGED, *decided.reasons))
    if is_wide and facts:
        scores = [each.malignant_score for each in usable]
        low, high = format_threshold(min(scores)), format_threshold(max(scores))
        why = WIDE.format(low=low, high=high, quantile=facts.quantile)
        return replace(decided, category="not_assessable", reasons=(why,))
    if any(flagged) and decided.category != "flagged":
        return replace(decided, category="not_assessable", reasons=(SIDES, *decided.reasons))
    return decided


def _average(usable: Sequence[Assessment], card: Card) -> Assessment:
    """Return the mean of assessments, named by the first photo; what a check found in one of them stays."""
    first = usable[0]
    lesion_type = _average_scores([each.lesion_type for each in usable])
    return replace(
        first,
        malignancy=_average_scores([each.malignancy for each in usable]),
        lesion_type=lesion_type,
        findings=tuple(dict.fromkeys(finding for each in usable for finding in each.findings)),
        notes=tuple(dict.fromkeys(note for each in usable for note in each.notes)),
        conformal=build_set(lesion_type, card.conformal) if first.conformal is not None else None,
        maps=None,
    )


def _average_scores(scores: Sequence[Scores]) -> Scores:
    classes = scores[0].classes
    return Scores(classes, tuple(sum(each.score_of(label) for each in scores) / len(scores) for label in classes))
