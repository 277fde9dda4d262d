"""What a training starts from: a network with its initial weights, and the file that they come from."""

from pathlib import Path

import torch

from skinapp.errors import ModelError
from skinapp.networks.folder import InitialWeights
from skinapp.networks.resnet import HeadedResNet, load_trunk, read_safetensors, torchvision_weights
from skinapp.storage import file_sha256
from skinapp.training.recipe import Recipe


def initial_network(recipe: Recipe, folder: Path, weights_folder: Path | None) -> tuple[HeadedResNet, InitialWeights]:
    """Build the recipe's network with its initial weights; heads are random by the recipe's seed.

    Raises ModelError where the recipe's file of weights is missing (see initial_file) or does not fit.
    """
    torch.manual_seed(recipe.seed)
    settings = recipe.network
    network = HeadedResNet(settings.architecture, {recipe.role: len(recipe.classes)}, settings.dropout)
    name, file = settings.initial_weights, initial_file(recipe, folder, weights_folder)
    if file:
        load_trunk(network, read_safetensors(file))
    elif name != "none":
        load_trunk(network, torchvision_weights(name))
    sha256 = file_sha256(file) if file else None
    return network, InitialWeights(name=name, sha256=sha256, licence=settings.initial_licence)


def initial_file(recipe: Recipe, beside: Path, weights_folder: Path | None) -> Path | None:
    """Find the recipe's file of initial weights; None where it names torchvision's or none.

    A file is looked for as named, in the folder `beside` the recipe, then in `weights_folder`; ModelError where it
    is nowhere.
    """
    name = recipe.network.initial_weights
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
