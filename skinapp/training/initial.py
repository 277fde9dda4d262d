"""What a training starts from: a network with its initial weights, and the file that they come from."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.files import file_sha256
from skinapp.models.card import RANDOM_WEIGHTS, InitialWeights
from skinapp.networks.resnet import HeadedResNet, load_trunk, read_safetensors, torchvision_weights
from skinapp.training.recipe import Recipe


def initial_network(recipe: Recipe, folder: Path, weights_folder: Path | None) -> tuple[HeadedResNet, InitialWeights]:
    """Build the recipe's network with its initial weights; heads are random by the recipe's seed.

    Raises ModelError where the recipe's file of weights is missing (see initial_file) or does not fit.
    """
    torch.manual_seed(recipe.seed)
    settings = recipe.network
    network = HeadedResNet(
        settings.architecture, {task: len(classes) for task, classes in recipe.heads.items()}, settings.dropout
    )
    name = settings.initial_weights
    file = initial_file(name, folder, weights_folder)
    if state := initial_state(name, file):
        load_trunk(network, state)
    return network, initial_facts(name, file, settings.initial_licence)


def initial_state(name: str, file: Path | None) -> Mapping[str, Tensor]:
    """Read initial weights from their file, or fetch torchvision's by name; nothing for "none"."""
    if file:
        return read_safetensors(file)
    return {} if name == RANDOM_WEIGHTS else torchvision_weights(name)


def initial_facts(name: str, file: Path | None, licence: str) -> InitialWeights:
    """Say for a card what a training started from."""
    return InitialWeights(name=name, sha256=file_sha256(file) if file else None, licence=licence)


def initial_file(name: str, beside: Path, weights_folder: Path | None) -> Path | None:
    """Find a recipe's file of initial weights by its name; None where that is torchvision's or "none".

    A file is looked for as named, in the folder `beside` the recipe, then in `weights_folder`; ModelError where it
    is nowhere.
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
