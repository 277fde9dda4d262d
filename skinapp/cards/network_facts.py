"""What a model's card says of its networks, in words: their names, training and hashes."""

from collections import Counter
from pathlib import PurePosixPath

from skinapp.metrics.labels import get_inline_name
from skinapp.models.card import RANDOM_WEIGHTS, Card, NetworkFacts, Provenance, SplitFacts, Task
from skinapp.models.folder import WEIGHTS

_QUESTIONS: dict[Task, str] = {"malignancy": "malignant or benign", "lesion_type": "which lesion type"}


def format_architecture(architecture: str) -> str:
    """Write an architecture as its paper does: "ResNet-18"; several may be joined in one string."""
    return architecture.replace("resnet", "ResNet-")


def name_networks(card: Card) -> str:
    """Name the networks of a model: "ResNet-18", or "ResNet-50 and 2 x ResNet-18, averaged"."""
    counts = Counter(format_architecture(network.architecture) for network in card.networks)
    *others, last = [name if count == 1 else f"{count} x {name}" for name, count in counts.items()]
    names = f"{', '.join(others)} and {last}" if others else last
    return f"{names}, averaged" if card.members else names


def name_network(network: NetworkFacts) -> str:
    """Name one of several networks: "deep, a ResNet-50 that sees 208 px"."""
    return (
        f"{network.name}, a {format_architecture(network.architecture)} that sees {network.preprocessing.input_px} px"
    )


def describe_split(part: SplitFacts) -> str:
    """Write how many photos and lesions a split holds, and the share of malignant photos."""
    return f"{part.photos:,} photos of {part.lesions:,} lesions, {part.malignant_share:.1%} of the photos malignant"


def describe_licence(card: Card) -> str:
    """Write the licence of a model, and whether its initial weights add terms of their own."""
    return (
        f"{card.licence}; its initial weights have terms of their own" if has_terms_of_weights(card) else card.licence
    )


def has_terms_of_weights(card: Card) -> bool:
    """Tell whether any network of a model started from trained weights, whatever their licence."""
    return any(network.initial.name != RANDOM_WEIGHTS for network in card.networks)


def describe_training(network: NetworkFacts) -> dict[str, str]:
    """Describe how a network was trained, as name -> value: initial weights, teachers, epochs, time, versions."""
    training = network.training
    teachers = "; ".join(f"{teacher.name}, its licence: {teacher.licence}" for teacher in network.teachers)
    return {
        "Answers": " and ".join(_QUESTIONS[task] for task in network.tasks),
        "Learned from": describe_split(network.train),
        "Initial weights": _name_initial_weights(network.initial.name),
        "Their licence": network.initial.licence,
        **({"Learned from the answers of": teachers} if teachers else {}),
        "Epochs": f"{training.epochs}; the weights are those after epoch {training.best_epoch}, with a validation "
        f"{get_inline_name(training.monitor)} of {training.best_value:.3f}",
        "Time": f"{training.elapsed_s / 60:,.0f} minutes on {training.device}, finished {training.finished[:10]}",
        "Versions": describe_versions(training),
        "Rounding to fp16": _describe_rounding(network),
    }


def _name_initial_weights(name: str) -> str:
    """Name a model by its folder without the path, which a reader of the card does not have; else the file name."""
    path = PurePosixPath(name)
    folder = path.parent.name
    if path.name == WEIGHTS and folder not in ("", ".."):
        return f"those of {folder}, a model trained before"
    return path.name


def _describe_rounding(network: NetworkFacts) -> str:
    if network.rounding is None:
        return "its effect on the scores was not measured"
    return f"changed validation scores by {network.rounding:.2g} at most"


def describe_versions(made: Provenance) -> str:
    """Write the software versions that a model was made with."""
    python, torch, skinapp = made.versions
    return f"Python {python}, PyTorch {torch}, skinapp {skinapp}"


def list_hashes(card: Card) -> dict[str, str]:
    """Return the sha256 of everything that a model was made from, by name; "not kept" where unknown."""
    sums = {
        "networks and their calibration, together" if card.members else "weights": card.weights_sha256,
        "recipe": card.training.recipe_sha256,
        f"image table {card.data.table}": card.data.table_sha256,
        **{f"image table {other.table}": other.sha256 for other in card.data.others},
    }
    for network in card.networks:
        of = f"{network.name}: " if card.members else ""
        if card.members:
            sums |= {f"{of}weights": network.weights_sha256, f"{of}recipe": network.training.recipe_sha256}
        sums[f"{of}initial weights"] = network.initial.sha256 or "not kept"
        sums |= {f"{of}teacher {each.name}": each.sha256 or "not kept" for each in network.teachers}
    return sums
