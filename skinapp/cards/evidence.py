"""What a card says of the evidence beside an answer, in words; nothing where it was measured of another network."""

from collections.abc import Sequence

from skinapp.formatting import format_estimate, format_share
from skinapp.models.card import Card, NetworkFacts, find_evidence_network
from skinapp.models.evidence import ActivationFacts, SimilarFacts
from skinapp.models.strict import Measured
from skinapp.taxonomy import is_malignant

_PERCENT = ".0%"


def get_evidence_network(card: Card) -> NetworkFacts:
    """Return the network whose maps and features are shown beside the answers of a model."""
    name = find_evidence_network(card)
    return next(network for network in card.networks if network.name == name)


def find_activation(card: Card) -> ActivationFacts | None:
    """Return where the maps of a model's evidence network lie; None where that was not measured of these weights."""
    facts = card.activation
    return facts if facts and facts.weights_sha256 == get_evidence_network(card).weights_sha256 else None


def find_similar_facts(card: Card) -> SimilarFacts | None:
    """Return how alike the nearest cases are; None where that was not measured of the model's reference bank."""
    facts = card.similar
    return facts if facts and facts.reference_sha256 == card.reference_sha256 else None


def describe_network(card: Card) -> str:
    """Say which network the maps and features are of: "*varied*, one of the 5 networks whose answers are averaged"."""
    if not card.members:
        return "the network that gave the answer"
    return f"*{find_evidence_network(card)}*, one of the {len(card.members)} networks whose answers are averaged"


def describe_inside(card: Card, label: str, name: str) -> str:
    """Say how much of the evidence for a class, by its label, lies inside lesions; "" where it was not measured.

    `name` is what the sentence calls the class. Without photos of the class it is about the likeliest type.
    """
    facts = find_activation(card)
    shares = {share.label: share for share in facts.shares} if facts else {}
    share = shares.get(label) or shares.get(None)
    if facts is None or share is None or share.inside.value is None:
        return ""
    what = f"the evidence for {name}" if share.label else "the evidence for the likeliest type"
    return (
        f"On {_count(share.inside)} of {facts.split}{' with that label' if share.label else ''}, "
        f"{format_estimate(share.inside, _PERCENT)} of {what} lay inside the outline of the lesion, "
        f"which took up {share.area:.0%} of the picture."
    )


def describe_nearest(card: Card) -> str:
    """Say how often the nearest case has the right label; "" where it was not measured."""
    facts = find_similar_facts(card)
    if facts is None:
        return ""
    nearest = facts.nearest
    sentence = (
        f"On {_count(nearest.type_right)} of {facts.split} the nearest of {nearest.cases:,} cases had the right type "
        f"in {format_estimate(nearest.type_right, _PERCENT)}; a case drawn at random would in "
        f"{nearest.type_by_chance:.0%}."
    )
    if nearest.of_malignant.value is None:
        return sentence
    return f"{sentence} It was malignant for {format_estimate(nearest.of_malignant, _PERCENT)} of the malignant photos."


def _count(measured: Measured) -> str:
    return f"{measured.photos:,} photos"


def count_malignant_cases(diagnoses: Sequence[str]) -> str:
    """Say how many of the nearest cases, by their codes, are malignant: "2 of the 6 nearest are malignant."."""
    malignant = sum(map(is_malignant, diagnoses))
    return f"{malignant or 'None'} of the {len(diagnoses)} nearest {'is' if malignant == 1 else 'are'} malignant."


def describe_band(photos: int, lesions: int, malignant: int, low: str, high: str, interval: str) -> str:
    """Say how many test photos with scores from `low` to `high` were malignant; the texts are formatted already."""
    were = "was" if malignant == 1 else "were"
    share = f"{format_share(malignant, photos)}{f' ({interval})' if interval else ''}"
    return (
        f"Of {photos:,} test photos ({lesions:,} lesions) with a score from {low} to {high}, "
        f"**{malignant:,} {were} malignant**: {share}."
    )
