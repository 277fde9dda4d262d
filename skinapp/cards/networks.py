"""What a model's card says of its networks, in words: which they are, and how each came to be."""

from collections import Counter
from pathlib import PurePosixPath

from skinapp.metrics.labels import get_inline_name
from skinapp.models.card import RANDOM_WEIGHTS, Card, NetworkFacts, Provenance, SplitFacts, Task
from skinapp.models.folder import WEIGHTS

_ASKED: dict[Task, str] = {"malignancy": "malignant or benign", "lesion_type": "which lesion type"}


def format_architecture(architecture: str) -> str:
    """Write an architecture as its paper does: "ResNet-18"; of several, joined, each."""
    return architecture.replace("resnet", "ResNet-")


def name_networks(card: Card) -> str:
    """Name the networks of a model: "ResNet-18", or "ResNet-50 and 2 x ResNet-18, averaged"."""
    counts = Counter(format_architecture(network.architecture) for network in card.networks)
    *others, last = [name if count == 1 else f"{count} x {name}" for name, count in counts.items()]
    named = f"{', '.join(others)} and {last}" if others else last
    return f"{named}, averaged" if card.members else named


def name_network(network: NetworkFacts) -> str:
    """Name one of several networks: "deep, a ResNet-50 that sees 208 px"."""
    return (
        f"{network.name}, a {format_architecture(network.architecture)} that sees {network.preprocessing.input_px} px"
    )


def describe_split(part: SplitFacts) -> str:
    """Say how many photos a split held, of how many lesions, and the share of malignant ones."""
    return f"{part.photos:,} photos of {part.lesions:,} lesions, {part.malignant_share:.1%} of the photos malignant"


def describe_licence(card: Card) -> str:
    """Say on which terms a model may be used, and that those of what its networks started from come on top."""
    return (
        f"{card.licence}; its initial weights have terms of their own" if has_terms_of_weights(card) else card.licence
    )


def has_terms_of_weights(card: Card) -> bool:
    """Tell whether a network of a model started from other weights than random ones, whatever their licence."""
    return any(network.initial.name != RANDOM_WEIGHTS for network in card.networks)


def describe_training(network: NetworkFacts) -> dict[str, str]:
    """Say what a network started from, whom it listened to and how its training went: what, and its value."""
    done = network.training
    heard = "; ".join(f"{teacher.name}, its licence: {teacher.licence}" for teacher in network.teachers)
    return {
        "Answers": " and ".join(_ASKED[task] for task in network.tasks),
        "Learned from": describe_split(network.train),
        "Initial weights": _started_from(network.initial.name),
        "Their licence": network.initial.licence,
        **({"Learned from the answers of": heard} if heard else {}),
        "Epochs": f"{done.epochs}; the weights are those after epoch {done.best_epoch}, with a validation "
        f"{get_inline_name(done.monitor)} of {done.best_value:.3f}",
        "Time": f"{done.elapsed_s / 60:,.0f} minutes on {done.device}, finished {done.finished[:10]}",
        "Versions": describe_versions(done),
        "Rounding to fp16": _rounding(network),
    }


def _started_from(name: str) -> str:
    """Name a model by its folder, not by the way to it, which a reader of the card does not have; a file as it is."""
    path = PurePosixPath(name)
    folder = path.parent.name
    if path.name == WEIGHTS and folder not in ("", ".."):
        return f"those of {folder}, a model trained before"
    return path.name


def _rounding(network: NetworkFacts) -> str:
    if network.rounding is None:
        return "how far it moved a score was not measured"
    return f"moved a validation score by {network.rounding:.2g} at most"


def describe_versions(made: Provenance) -> str:
    """Say with what a model was made."""
    python, torch, skinapp = made.versions
    return f"Python {python}, PyTorch {torch}, skinapp {skinapp}"


def list_hashes(card: Card) -> dict[str, str]:
    """Return the sha256 of all that a model was made of: what, and the hash or "not kept"."""
    found = {
        "networks and their calibration, together" if card.members else "weights": card.weights_sha256,
        "recipe": card.training.recipe_sha256,
        f"image table {card.data.table}": card.data.table_sha256,
        **{f"image table {other.table}": other.sha256 for other in card.data.others},
    }
    for network in card.networks:
        of = f"{network.name}: " if card.members else ""
        if card.members:
            found |= {f"{of}weights": network.weights_sha256, f"{of}recipe": network.training.recipe_sha256}
        found[f"{of}initial weights"] = network.initial.sha256 or "not kept"
        found |= {f"{of}teacher {each.name}": each.sha256 or "not kept" for each in network.teachers}
    return found
