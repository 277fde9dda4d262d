"""The initial weights of a training: find them, read them and build the network with them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.files import file_sha256
from skinapp.models.card import RANDOM_WEIGHTS, InitialWeights
from skinapp.networks.resnet import HeadedResNet, fetch_torchvision_weights, load_trunk, read_safetensors
from skinapp.training.recipe import Recipe


def build_network(recipe: Recipe, folder: Path, weights_folder: Path | None) -> tuple[HeadedResNet, InitialWeights]:
    """Build the recipe's network with its initial weights and random heads, by the recipe's seed.

    Raises ModelError where the file of weights is missing (see `find_initial_file`) or does not fit.
    """
    torch.manual_seed(recipe.seed)
    settings = recipe.network
    network = HeadedResNet(
        settings.architecture, {task: len(classes) for task, classes in recipe.heads.items()}, settings.dropout
    )
    name = settings.initial_weights
    file = find_initial_file(name, folder, weights_folder)
    if state := read_initial_weights(name, file):
        load_trunk(network, state)
    return network, describe_initial_weights(name, file, settings.initial_licence)


def read_initial_weights(name: str, file: Path | None) -> Mapping[str, Tensor]:
    """Read initial weights from a file, or download torchvision's by name; empty for "none"."""
    if file:
        return read_safetensors(file)
    return {} if name == RANDOM_WEIGHTS else fetch_torchvision_weights(name)


def describe_initial_weights(name: str, file: Path | None, licence: str) -> InitialWeights:
    """Return the name, hash and licence of the initial weights, for a card."""
    return InitialWeights(name=name, sha256=file_sha256(file) if file else None, licence=licence)


def find_initial_file(name: str, beside: Path, weights_folder: Path | None) -> Path | None:
    """Return the path of a recipe's file of initial weights; None for a torchvision name or "none".

    It is looked for in the working directory, in `beside` (the recipe's folder), then in `weights_folder`. ModelError
    where it is in none of them.
    """
    if not name.endswith(".safetensors"):
        return None
    folders = [Path(), beside, *([weights_folder] if weights_folder else [])]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        f"The initial weights {name} are in none of {', '.join(str(f.resolve()) for f in folders)}. "
        "Name their folder with --weights."
    )
