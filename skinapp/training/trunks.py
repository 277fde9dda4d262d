"""Find the ResNet in a state dict of any training: strip wrappers' prefixes, and name what it is if it does not fit."""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.models.card import Architecture
from skinapp.networks.weights import find_not_finite

_NUMBERED = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
"""The children of a ResNet by place: nn.Sequential(*resnet.children()) names its weights so."""

_PARTS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")

_BLOCKS = {
    (2, 2, 2, 2, False): "resnet18",
    (3, 4, 6, 3, False): "resnet34",
    (3, 4, 6, 3, True): "resnet50",
    (3, 4, 23, 3, True): "resnet101",
    (3, 8, 36, 3, True): "resnet152",
}
"""Blocks of each stage, and whether they are bottlenecks, as in the paper (He et al. 2016, arXiv 1512.03385)."""

_FAMILIES = (
    ("patch_embed", "a vision transformer (ViT, DeiT or Swin)"),
    ("cls_token", "a vision transformer"),
    ("class_token", "a vision transformer"),
    ("conv_stem", "an EfficientNet or MobileNet of timm"),
    ("denseblock", "a DenseNet"),
    ("Mixed_5b", "an Inception network"),
    ("stages.", "a ConvNeXt or another network of timm"),
    ("features.", "a VGG, MobileNet, EfficientNet or ConvNeXt of torchvision"),
)


def load_trunk(trunk: nn.Module, architecture: Architecture, weights: Mapping[str, Tensor], source: str) -> None:
    """Load a torchvision ResNet without its classifier from the state dict of any training that holds one.

    Prefixes of wrappers and heads of other tasks are left out. ModelError, naming `source`, where the weights are of
    another architecture (says which), lack some (says which) or are no numbers.
    """
    found = find_trunk(weights, source)
    expected = {name: v for name, v in trunk.state_dict().items() if not name.endswith("num_batches_tracked")}
    shown = recognise_architecture(found)
    if shown not in (None, architecture):
        raise ModelError(
            f'{source} holds a {shown}, but the recipe says architecture = "{architecture}". '
            "Change the one or name other weights."
        )
    if missing := sorted(expected.keys() - found.keys()):
        raise ModelError(f"{source} lacks {_shorten(missing)} of a {architecture}. Name weights of the whole network.")
    strange = sorted(name for name in found.keys() - trunk.state_dict().keys())
    misshapen = [f"{name} {tuple(found[name].shape)}" for name, v in expected.items() if found[name].shape != v.shape]
    if strange or misshapen:
        raise ModelError(
            f"{source} is no plain {architecture}, though it resembles one: see {_shorten(strange + misshapen)}. "
            "Name weights of torchvision's architecture."
        )
    if broken := find_not_finite(found):
        raise ModelError(f"{source} holds weights that are no numbers, in {_shorten(broken)}. Fetch it again.")
    kept = {name: v.float() if v.is_floating_point() else v for name, v in found.items()}
    trunk.load_state_dict(trunk.state_dict() | kept, strict=True)


def load_heads(heads: nn.ModuleDict, weights: Mapping[str, Tensor], source: str) -> None:
    """Load the heads of a network of our own, whose classes must be in the same order, from its state dict.

    ModelError, naming `source`, where it lacks one of them or has another number of classes or features.
    """
    for name, head in heads.items():
        found = strip_wrappers(weights, f"heads.{name}.weight")
        state = {key: found.get(f"heads.{name}.{key}") for key in head.state_dict()}
        misshapen = [key for key, v in head.state_dict().items() if (w := state[key]) is None or w.shape != v.shape]
        if misshapen:
            raise ModelError(
                f"{source} has no head {name} of that size ({', '.join(misshapen)}). Name weights of a network with "
                "the recipe's classes, or set initial_heads = false."
            )
        head.load_state_dict({key: v.float() for key, v in state.items() if v is not None})


def find_trunk(weights: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return the ResNet's weights in a state dict, under torchvision's names and without its classifier.

    ModelError where there is none, or where there are several.
    """
    by_prefix = {prefix: _take(weights, prefix) for prefix in _list_prefixes(weights)}
    trunks = {prefix: state for prefix, state in by_prefix.items() if "layer1.0.conv1.weight" in state}
    if len(trunks) == 1:
        return next(iter(trunks.values()))
    if trunks:
        raise ModelError(
            f"{source} holds several ResNets, under {_shorten(sorted(trunks))}. Save the state dict of one of them."
        )
    raise ModelError(
        f"{source} holds no ResNet{_name_family(weights)}: its weights are named as {_shorten(list(weights)[:3])}, "
        "where conv1.weight, layer1.0.conv1.weight and so on belong. Name weights of a torchvision ResNet; those of "
        "timm have these names where the architecture is the same."
    )


def _list_prefixes(weights: Mapping[str, Tensor]) -> list[str]:
    """List what stands before the first convolution's name, torchvision's or numbered, wherever it could begin."""
    ends = re.compile(r"^((?:.*\.)?)(?:layer1|4)\.0\.conv1\.weight$")
    return [match[1] for name in weights if (match := ends.match(name))]


def _take(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    taken: dict[str, Tensor] = {}
    numbered = f"{prefix}layer1.0.conv1.weight" not in weights
    for name, value in weights.items():
        first, _, rest = name.removeprefix(prefix).partition(".")
        part = _NUMBERED.get(first) if numbered else first
        if name.startswith(prefix) and part in _PARTS:
            taken[f"{part}.{rest}"] = value
    return taken


def recognise_architecture(trunk: Mapping[str, Tensor]) -> str | None:
    """Return the architecture that a ResNet's weights show by their number of blocks, or None for another variant."""
    blocks = [len({name.split(".")[1] for name in trunk if name.startswith(f"layer{stage}.")}) for stage in range(1, 5)]
    name = _BLOCKS.get((*blocks, "layer1.0.conv3.weight" in trunk))  # type: ignore[arg-type]
    wide = trunk["layer1.0.conv1.weight"].shape[0] != 64
    return f"wide or grouped {name} (Wide ResNet, ResNeXt)" if name and wide else name


def strip_wrappers(weights: Mapping[str, Tensor], landmark: str) -> dict[str, Tensor]:
    """Take the prefix off a state dict that stands before `landmark`, a name of one of the network's weights."""
    prefix = next((name.removesuffix(landmark) for name in weights if name.endswith(landmark)), "")
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _name_family(weights: Mapping[str, Tensor]) -> str:
    kind = next((kind for mark, kind in _FAMILIES if any(mark in name for name in weights)), "")
    return f", but {kind}" if kind else ""


def _shorten(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
