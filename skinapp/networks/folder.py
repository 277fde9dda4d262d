"""Model folders, models/<id>/: recipe, card and weights; loaded and verified, saved whole or not at all."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.files import file_sha256
from skinapp.models.card import CARD, RECIPE, Card, as_json, read_card
from skinapp.models.folder import CURVES, WEIGHTS, member_folder
from skinapp.networks.average import AveragedNetworks, joint_sha256
from skinapp.networks.resnet import HeadedResNet, half, read_safetensors, single


@dataclass(frozen=True, eq=False)
class Model:
    """A verified model folder: its card and its network, in eval mode, float32, on the CPU."""

    folder: Path
    card: Card
    network: nn.Module


def save_model(folder: Path, card: Card, state: dict[str, Tensor], curves: str) -> Card:
    """Write weights (fp16), curves (CSV text) and card beside the recipe: complete or not at all.

    Everything is written aside first. Then the old card goes, because a folder without a card does not
    load, and the new one comes last. Returns the card as written: `weights_sha256` is filled from the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = {name: folder / f"{name}.partial" for name in (WEIGHTS, CURVES, CARD)}
    save_file(half(state), aside[WEIGHTS])
    aside[CURVES].write_text(curves, encoding="utf-8")
    whole = card.model_copy(update={"weights_sha256": file_sha256(aside[WEIGHTS])})
    aside[CARD].write_text(as_json(whole), encoding="utf-8")
    (folder / CARD).unlink(missing_ok=True)
    for name in (WEIGHTS, CURVES, CARD):
        aside[name].replace(folder / name)
    return whole


def load_model(folder: Path) -> Model:
    """Load a model folder and verify its weights against its card; ModelError where they do not belong together."""
    card = read_card(folder)
    network = _average_of(folder, card) if card.members else _network_of(folder, card)
    return Model(folder, card, network.requires_grad_(False).eval().to(memory_format=torch.channels_last))


def _network_of(folder: Path, card: Card) -> HeadedResNet:
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder} holds a card but no {WEIGHTS}. Restore it, or train the model anew.")
    if file_sha256(weights) != card.weights_sha256:
        raise ModelError(f"{weights} is not the file that its card describes (sha256 differs). Restore or retrain it.")
    # On the meta device nothing is drawn at random only to be overwritten: half the memory while loading.
    with torch.device("meta"):
        network = HeadedResNet(card.architecture, {head.name: len(head.classes) for head in card.heads})
    try:
        network.load_state_dict(single(read_safetensors(weights)), strict=True, assign=True)
    except RuntimeError as error:
        raise ModelError(
            f"{weights} does not fit the {card.architecture} of its card. Train the model anew."
        ) from error
    return network


def _average_of(folder: Path, card: Card) -> AveragedNetworks:
    members = [load_model(member_folder(folder, member.name)) for member in card.members]
    if joint_sha256([member.card for member in members]) != card.weights_sha256:
        raise ModelError(
            f"The members of {folder} are not those that its card describes: trained or calibrated anew. "
            f"Average them anew with `skinapp average {folder / RECIPE}`."
        )
    return AveragedNetworks([(member.network, member.card) for member in members])
