"""Model folders, models/<id>/: recipe, card and weights; loaded and verified, saved all together or not at all."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.files import file_sha256, replace_together
from skinapp.models.card import CARD, RECIPE, Card, format_card, read_card
from skinapp.models.folder import CURVES, WEIGHTS, member_folder
from skinapp.networks.average import AveragedNetworks, hash_members
from skinapp.networks.resnet import HeadedResNet, read_safetensors, to_half, to_single


@dataclass(frozen=True, eq=False)
class Model:
    """A verified model folder: its card and its network, in eval mode, float32, on the CPU."""

    folder: Path
    card: Card
    network: nn.Module


def save_model(folder: Path, card: Card, state: dict[str, Tensor], curves: str) -> Card:
    """Write weights (fp16), curves (CSV text) and card beside the recipe: all of them or none.

    Returns the card as written: `weights_sha256` is filled from the file.
    """
    with replace_together(folder) as aside:
        save_file(to_half(state), aside / WEIGHTS)
        (aside / CURVES).write_text(curves, encoding="utf-8")
        card = card.model_copy(update={"weights_sha256": file_sha256(aside / WEIGHTS)})
        (aside / CARD).write_text(format_card(card), encoding="utf-8")
    return card


def load_model(folder: Path) -> Model:
    """Load a model folder and verify its weights against its card; ModelError where they do not match."""
    card = read_card(folder)
    network = _load_average(folder, card) if card.members else _load_network(folder, card)
    return Model(folder, card, network.requires_grad_(False).eval().to(memory_format=torch.channels_last))


def _load_network(folder: Path, card: Card) -> HeadedResNet:
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder} has a card but no {WEIGHTS}. Restore it, or train the model again.")
    if file_sha256(weights) != card.weights_sha256:
        raise ModelError(
            f"{weights} is not the file of its card: the sha256 differs. Restore it, or train the model again."
        )
    # The meta device allocates no random weights first, which halves the memory needed for loading.
    with torch.device("meta"):
        network = HeadedResNet(card.architecture, {head.name: len(head.classes) for head in card.heads})
    try:
        network.load_state_dict(to_single(read_safetensors(weights)), strict=True, assign=True)
    except RuntimeError as error:
        raise ModelError(
            f"{weights} does not fit the {card.architecture} of its card. Train the model again."
        ) from error
    return network


def _load_average(folder: Path, card: Card) -> AveragedNetworks:
    members = [load_model(member_folder(folder, member.name)) for member in card.members]
    if hash_members([member.card for member in members]) != card.weights_sha256:
        raise ModelError(
            f"The members of {folder} have changed since its card was written. "
            f"Average them again with `skinapp average {folder / RECIPE}`."
        )
    return AveragedNetworks([(member.network, member.card) for member in members])
