"""What a card says of the checks and of the evidence beside an answer, as tables of text with their notes."""

from collections.abc import Iterator
from dataclasses import dataclass

from skinapp.cards.evidence import describe_nearest, describe_network, find_activation, find_similar_facts
from skinapp.formatting import PERCENT, format_estimate, format_threshold
from skinapp.models.card import Card
from skinapp.models.evidence import ActivationFacts
from skinapp.models.quality import BoxFacts, QualityFigures
from skinapp.models.scope import Refusals, ScopeFacts
from skinapp.models.strict import Measured
from skinapp.models.uncertainty import ConformalFacts, RepeatFacts
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import get_class_name

INSIDE = "Every refusal of these is a false alarm. Intervals are 95% (Wilson, 1927)."
OUTSIDE = (
    "What counts most is what the gate does to kinds of pictures that it never saw. A star marks a kind that it was "
    "fitted on; its figure is of a gate that was fitted without that kind."
)
USUAL = (
    "On validation photos, which are usual dermoscopy, a finding is mostly a false alarm. A finding that warns stands "
    "beside the answer. A photo is refused only where it cannot be judged."
)
FLAWED = "A program made these flaws in copies of validation photos; real flaws vary more."
ANY = "A finding of any kind"


@dataclass(frozen=True)
class FactTable:
    """A table of text with its title and a note; the first column heads each row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def list_tables(card: Card) -> tuple[FactTable, ...]:
    """Return the tables of a card's checks, of how sure its answers are and of its evidence; only what was measured."""
    tables: list[FactTable] = []
    if card.scope:
        tables += _list_scope(card.scope)
    if card.quality and card.quality.figures:
        tables += _list_quality(card.quality.figures)
    if card.conformal:
        tables.append(_build_sets(card.conformal))
    if card.repeats:
        tables.append(_build_repeats(card.repeats))
    if activation := find_activation(card):
        tables.append(_build_activation(activation, describe_network(card)))
    if nearest := _build_nearest(card):
        tables.append(nearest)
    return tuple(tables)


def _list_scope(facts: ScopeFacts) -> Iterator[FactTable]:
    columns = ("Kind", "Pictures", "Refused", "Share (95% interval)")
    for title, inside, note in (
        ("Dermoscopy that the scope gate refuses", True, INSIDE),
        ("Other pictures that the scope gate refuses", False, OUTSIDE),
    ):
        kinds = [kind for kind in facts.refusals if kind.inside is inside]
        if kinds:
            yield FactTable(title, columns, tuple(map(_describe_refusals, kinds)), note)


def _describe_refusals(kind: Refusals) -> tuple[str, ...]:
    name = kind.kind if kind.inside else (kind.kind[:1].upper() + kind.kind[1:]).replace("-", " ")
    starred = f"{name} *" if kind.fitted else name
    return starred, f"{kind.photos:,}", f"{kind.refused:,}", format_estimate(kind, PERCENT)


def _list_quality(facts: QualityFigures) -> Iterator[FactTable]:
    alarms = {**{_name(code): share for code, share in facts.false_alarms.items()}, ANY: facts.any_finding}
    alarms["Refused"] = facts.refused
    rows = tuple((name, format_estimate(share, PERCENT), _count(share)) for name, share in alarms.items())
    yield FactTable("Quality checks: findings in usual photos", ("Finding", "Share of photos", "Photos"), rows, USUAL)
    made = tuple(
        (copy.kind.capitalize(), _name(copy.code), format_estimate(copy.found, PERCENT), _count(copy.found))
        for copy in facts.copies
    )
    columns = ("What was done to copies", "Finding", "Found in", "Copies")
    yield FactTable("Quality checks: findings in flawed copies", columns, made, _describe_box(facts.box))


def _name(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _describe_box(box: BoxFacts | None) -> str:
    """Say what the copies are, and how well the lesion is located where that was measured."""
    if box is None:
        return FLAWED
    return (
        f"{FLAWED} Some checks, and the proposed frame, rest on where the lesion is, found by its contrast: the "
        f"centre of its box lies in the lesion in {format_estimate(box.centred, PERCENT)} of the photos, and the box "
        f"overlaps that of the lesion's outline by {format_estimate(box.overlap, '.2f')} (intersection over union)."
    )


def _build_sets(facts: ConformalFacts) -> FactTable:
    rows = [
        (
            get_class_name(each.label),
            format_estimate(each.coverage, PERCENT),
            format_threshold(each.threshold) if each.threshold else "always in the set",
            f"{each.photos:,} / {_count(each.coverage)}",
        )
        for each in facts.classes
    ]
    rows.append(("All types", format_estimate(facts.coverage, PERCENT), "", _count(facts.coverage)))
    return FactTable(
        "Sets of lesion types",
        ("Type", "In the set of its test photos", "In the set from a score of", "Photos of validation / test"),
        tuple(rows),
        "A set names the types that an answer is among. The score from which a type is in the set was chosen on "
        f"validation photos, so that {facts.level:.0%} of the photos of that type have it in their set. On test a set "
        f"has {format_estimate(facts.size, '.1f')} types on average. The fewer validation photos a type has, the "
        "further its share on test may lie from the aim.",
    )


def _build_repeats(facts: RepeatFacts) -> FactTable:
    measured = (
        ("Different likeliest types", facts.changes_type),
        (f"Scores on both sides of the {SHOWN_SENSITIVITY:.0%} threshold", facts.changes_side),
        (f"Scores more than {facts.limit:.2f} apart", facts.wide),
    )
    rows = tuple((name, format_estimate(share, PERCENT), _count_lesions(share)) for name, share in measured if share)
    return FactTable(
        "Several photos of one lesion",
        ("Its photos have", "Share of test lesions", "Test lesions"),
        rows,
        f"Where the scores of several photos lie more than {facts.limit:.2f} apart, their joint answer is not "
        f"assessable. That limit leaves out {1 - facts.quantile:.0%} of the validation lesions with several photos.",
    )


def _build_activation(facts: ActivationFacts, network: str) -> FactTable:
    rows = tuple(
        (
            get_class_name(share.label) if share.label else "The likeliest type, all photos",
            format_estimate(share.inside, PERCENT),
            f"{share.area:.1%}",
            _count(share.inside),
        )
        for share in facts.shares
    )
    return FactTable(
        "Activation maps",
        ("Map of", "Evidence inside the lesion", "Area of the lesion", "Photos"),
        rows,
        f"Maps of {network}, on photos of {facts.split} and their outlines of the lesion. A map that is the same "
        "everywhere would have the share in the third column. A map shows where a network finds evidence, not why.",
    )


def _build_nearest(card: Card) -> FactTable | None:
    facts = find_similar_facts(card)
    if facts is None:
        return None
    nearest = facts.nearest
    measured = (
        ("The type of the photo", nearest.type_right),
        ("Malignant, as the photo", nearest.of_malignant),
        ("Benign, as the photo", nearest.of_benign),
    )
    rows = tuple((name, format_estimate(share, PERCENT), _count(share)) for name, share in measured)
    note = describe_nearest(card)
    return FactTable("Similar cases", ("The nearest case is", "Share of photos", "Photos"), rows, note)


def _count(measured: Measured | None) -> str:
    return f"{measured.photos:,}" if measured else "0"


def _count_lesions(measured: Measured) -> str:
    return "" if measured.lesions is None else f"{measured.lesions:,}"
