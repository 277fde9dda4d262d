"""Model folders, models/<id>/: recipe, card and weights; loaded and verified, saved all together or not at all.

A weights file carries, as its metadata, what its numbers mean: architecture, classes in order and preprocessing. A card
must agree with it. Files of before have no metadata; for all of them the card's seal holds (see models.seal).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.files import compute_sha256, replace_together
from skinapp.models.card import CARD, RECIPE, Card, find_evidence_network, format_card, read_card
from skinapp.models.folder import CURVES, WEIGHTS, get_member_folder
from skinapp.networks.average import AveragedNetworks, check_average, hash_members
from skinapp.networks.resnet import HeadedResNet, read_metadata, read_safetensors, to_half, to_single
from skinapp.networks.weights import check_fits_half, find_not_finite

MEANING = "skinapp"
"""The key of the metadata that says what the weights mean, as JSON."""


@dataclass(frozen=True, eq=False)
class Model:
    """A verified model folder: its card and its network, in eval mode, float32, on the CPU."""

    folder: Path
    card: Card
    network: HeadedResNet | AveragedNetworks


def save_model(folder: Path, card: Card, state: dict[str, Tensor], curves: str) -> Card:
    """Write weights (fp16), curves (CSV text) and card beside the recipe: all of them or none.

    Returns the card as written: `weights_sha256` is filled from the file. Raises ModelError where a weight is no
    number, or too large for fp16.
    """
    check_fits_half(state, f"The weights of {card.id}")
    with replace_together(folder) as aside:
        save_file(to_half(state), aside / WEIGHTS, {MEANING: json.dumps(_describe_meaning(card))})
        (aside / CURVES).write_text(curves, encoding="utf-8")
        card = card.model_copy(update={"weights_sha256": compute_sha256(aside / WEIGHTS)})
        (aside / CARD).write_text(format_card(card), encoding="utf-8")
    return card


def load_model(folder: Path, sealed: bool = True) -> Model:
    """Load a model folder and verify its weights and its card.

    Raises ModelError where they do not match, or the card was changed since it was written; `sealed` is as in
    `read_card`.
    """
    card = read_card(folder, sealed)
    network = _load_average(folder, card) if card.members else _load_network(folder, card)
    network.requires_grad_(False).eval().to(memory_format=torch.channels_last)
    return Model(folder, card, network)


def choose_evidence(model: Model, name: str) -> Model:
    """Return a model with another member of an average as its evidence network; the card's file stays as it is.

    ModelError where the model is no average, or has no such member or one that lacks a task of the model.
    """
    members = {member.name: member for member in model.card.members}
    complete = [member for member in members.values() if len(member.tasks) == len(model.card.heads)]
    if not isinstance(model.network, AveragedNetworks) or members.get(name) not in complete:
        names = ", ".join(member.name for member in complete) or "none, because it is a single network"
        raise ModelError(f"{name} cannot be the evidence network of {model.card.id}. Name one of its members: {names}.")
    network = model.network.with_evidence(list(members).index(name))
    return Model(model.folder, model.card.model_copy(update={"evidence_network": name}), network)


def _load_network(folder: Path, card: Card) -> HeadedResNet:
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder} has a card but no {WEIGHTS}. Restore it, or train the model again.")
    if compute_sha256(weights) != card.weights_sha256:
        raise ModelError(
            f"{weights} is not the file of its card: the sha256 differs. Restore it, or train the model again."
        )
    _check_meaning(weights, card)
    # The meta device allocates no random weights first, which halves the memory needed for loading.
    with torch.device("meta"):
        network = HeadedResNet(card.architecture, {head.name: len(head.classes) for head in card.heads})
    state = to_single(read_safetensors(weights))
    try:
        network.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise ModelError(
            f"{weights} does not fit the {card.architecture} of its card. Train the model again."
        ) from error
    if broken := find_not_finite(state):
        raise ModelError(f"{weights} holds weights that are no numbers, in {broken[0]}. Train the model again.")
    return network


def _describe_meaning(card: Card) -> dict[str, object]:
    return {
        "architecture": card.architecture,
        "heads": {head.name: list(head.classes) for head in card.heads},
        "preprocessing": card.preprocessing.model_dump(mode="json"),
    }


def _check_meaning(weights: Path, card: Card) -> None:
    """Raise ModelError where a card contradicts what its weights file says of itself."""
    text = read_metadata(weights).get(MEANING)
    if text is None:
        return
    stated = _describe_meaning(card)
    try:
        saved = dict(json.loads(text))
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"{weights} has metadata that cannot be read. Train the model again.") from error
    if wrong := [key for key, value in stated.items() if saved.get(key) != value]:
        facts = "; ".join(f"{key} {saved.get(key)}, but the card says {stated[key]}" for key in wrong)
        raise ModelError(f"{weights} was saved with {facts}. Restore the card of these weights, or train again.")


def _load_average(folder: Path, card: Card) -> AveragedNetworks:
    members = [load_model(get_member_folder(folder, member.name)) for member in card.members]
    if hash_members([member.card for member in members]) != card.weights_sha256:
        raise ModelError(
            f"The members of {folder} have changed since its card was written. "
            f"Average them again with `skinapp average {folder / RECIPE}`."
        )
    check_average(card, [member.card for member in members])
    evidence = [member.name for member in card.members].index(find_evidence_network(card))
    return AveragedNetworks([(member.network, member.card) for member in members], evidence)
