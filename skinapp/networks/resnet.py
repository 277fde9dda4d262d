"""A torchvision ResNet with one or more named heads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.models.card import Architecture


@dataclass(frozen=True, eq=False)
class Observation:
    """What one forward pass says of photos, beside the logits (n, classes) of each head.

    `maps` (n, d, h, w) is the output of the last convolutional block. `early` (n, m) holds the mean and the standard
    deviation over the picture of each channel after the first three blocks: they tell kinds of pictures apart that
    the last block takes for lesions.
    """

    logits: dict[str, Tensor]
    maps: Tensor
    early: Tensor

    @property
    def features(self) -> Tensor:
        """The means of the maps (n, d): what the linear heads read."""
        return self.maps.mean((2, 3))


class HeadedResNet(nn.Module):
    """A ResNet trunk with a linear head for each named task, in place of the ImageNet classifier."""

    def __init__(self, architecture: Architecture, heads: Mapping[str, int], dropout: float = 0.0) -> None:
        """Build the network with random weights; `heads` maps each head's name to its number of classes."""
        super().__init__()
        self.trunk = torchvision.models.get_model(architecture, weights=None)
        features = self.trunk.fc.in_features
        self.trunk.fc = nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(features, classes) for name, classes in heads.items()})

    def forward(self, photos: Tensor) -> dict[str, Tensor]:
        """Map photos (n, 3, h, w), float32, to the logits (n, classes) of each head."""
        features = self.dropout(self.trunk(photos))  # (n, 512) for ResNet-18 and -34, (n, 2048) above
        return {name: head(features) for name, head in self.heads.items()}

    def observe(self, photos: Tensor) -> Observation:
        """Map photos (n, 3, h, w), float32, to the same logits and to what is seen on the way there."""
        trunk = self.trunk
        early: list[Tensor] = []
        maps = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(photos))))
        for block in (trunk.layer1, trunk.layer2, trunk.layer3):
            maps = block(maps)
            early += torch.var_mean(maps, (2, 3), correction=0)[::-1]
        maps = trunk.layer4(maps)
        features = self.dropout(trunk.avgpool(maps).flatten(1))
        logits = {name: head(features) for name, head in self.heads.items()}
        early[1::2] = [variance.sqrt() for variance in early[1::2]]
        return Observation(logits, maps, torch.cat(early, 1))


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read tensors from a safetensors file, without unpickling; ModelError where it is missing or damaged."""
    with _explain_safetensors(path):
        return load_file(path)


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of a safetensors file; empty where it has none. Raises what `read_safetensors` raises."""
    with _explain_safetensors(path), safe_open(path, "pt") as file:
        return file.metadata() or {}


@contextmanager
def _explain_safetensors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ModelError(f"There is no weights file at {path}. Check the path.") from error
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not a complete safetensors file ({error}). Fetch it or make it again.") from error


def fetch_torchvision_weights(name: str) -> Mapping[str, Tensor]:
    """Download weights by torchvision's name, such as ResNet34_Weights.IMAGENET1K_V1.

    Raises ModelError where the name is unknown or the download fails.
    """
    try:
        weights: Mapping[str, Tensor] = torchvision.models.get_weight(name).get_state_dict(progress=True)
    except ValueError as error:
        raise ModelError(
            f"torchvision has no weights named {name}. Names look like ResNet34_Weights.DEFAULT."
        ) from error
    except OSError as error:
        raise ModelError(f"The weights {name} cannot be downloaded ({error}). Name a local file instead.") from error
    return weights


def to_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return floating-point tensors as contiguous fp16, as models ship; others keep their type."""
    return {name: (v.half() if v.is_floating_point() else v).detach().cpu().contiguous() for name, v in state.items()}


def to_single(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return floating-point tensors as float32, the precision of predictions; others keep their type.

    Every tensor is copied, because a view would keep the whole file in memory.
    """
    return {name: v.to(torch.float32 if v.is_floating_point() else v.dtype, copy=True) for name, v in state.items()}
