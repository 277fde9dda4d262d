"""The initial weights of a training: find them, read them and build the network with them."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.files import compute_sha256
from skinapp.models.card import RANDOM_WEIGHTS, InitialWeights
from skinapp.networks.resnet import HeadedResNet, fetch_torchvision_weights
from skinapp.training.recipe import Recipe
from skinapp.training.trunks import load_heads, load_trunk
from skinapp.training.weights_files import SUFFIXES, list_weights, read_weights

_TORCHVISION_NAME = re.compile(r"\w+_Weights\.\w+")


def build_network(recipe: Recipe, folder: Path, weights_folder: Path | None) -> tuple[HeadedResNet, InitialWeights]:
    """Build the recipe's network with its initial weights, and heads from these or random ones by the recipe's seed.

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
        load_trunk(network.trunk, settings.architecture, state, f"The initial weights {name}")
        if settings.initial_heads:
            load_heads(network.heads, state, f"The initial weights {name}")
    return network, describe_initial_weights(name, file, settings.initial_licence)


def read_initial_weights(name: str, file: Path | None) -> Mapping[str, Tensor]:
    """Read initial weights from a file, or download torchvision's by name; empty for "none"."""
    if file:
        return read_weights(file)
    return {} if name == RANDOM_WEIGHTS else fetch_torchvision_weights(name)


def describe_initial_weights(name: str, file: Path | None, licence: str) -> InitialWeights:
    """Return the name, hash and licence of the initial weights, for a card."""
    return InitialWeights(name=name, sha256=compute_sha256(file) if file else None, licence=licence)


def find_initial_file(name: str, beside: Path, weights_folder: Path | None) -> Path | None:
    """Return the path of a recipe's file of initial weights; None for a torchvision name or "none".

    It is looked for in the working directory, in `beside` (the recipe's folder), then in `weights_folder`. ModelError
    where it is in none of them, or the name is an address on the web.
    """
    if name == RANDOM_WEIGHTS or _TORCHVISION_NAME.fullmatch(name):
        return None
    if "://" in name:
        raise ModelError(f"The initial weights {name} are an address. Download the file and name it instead.")
    wanted = Path(name).expanduser()
    folders = [Path(), beside, *([weights_folder] if weights_folder else [])]
    for folder in folders:
        if (folder / wanted).exists():
            return _require_file(folder / wanted)
    looked = f"The initial weights {name} are in none of {', '.join(str(f.resolve()) for f in folders)}. "
    if wanted.suffix.lower() in SUFFIXES or len(wanted.parts) > 1:
        raise ModelError(looked + "Name their folder with --weights.")
    raise ModelError(
        looked + "Nor is this a name of torchvision's, which look like ResNet34_Weights.DEFAULT. To start from weights "
        "of timm or Hugging Face, download their file (model.safetensors) and name that."
    )


def _require_file(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(
            f"The initial weights {path} are a folder. Name the file of weights in it{list_weights(path)}."
        )
    return path
