from collections.abc import Callable, Mapping

import pytest
import torch
import torchvision
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.networks.resnet import HeadedResNet, to_half
from skinapp.training.trunks import load_heads, load_trunk

State = Mapping[str, Tensor]


@pytest.fixture(scope="module")
def plain() -> torchvision.models.ResNet:
    """Make torchvision's own ResNet-18 with random weights."""
    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None)


@pytest.fixture(scope="module")
def target() -> HeadedResNet:
    return HeadedResNet("resnet18", {"malignancy": 2})


def prefixed(prefix: str) -> Callable[[torchvision.models.ResNet], State]:
    return lambda network: {f"{prefix}{name}": v for name, v in network.state_dict().items()}


def in_order(network: torchvision.models.ResNet) -> State:
    """Name the weights as nn.Sequential(*network.children()) does."""
    return nn.Sequential(*network.children()).state_dict()


SOURCES: dict[str, Callable[[torchvision.models.ResNet], State]] = {
    "torchvision": prefixed(""),
    "parallel": prefixed("module."),
    "compiled in Lightning": prefixed("model._orig_mod.backbone."),
    "the other way round": prefixed("_orig_mod.module.encoder."),
    "by place": in_order,
    "by place, in a backbone": lambda network: {f"backbone.{name}": v for name, v in in_order(network).items()},
    "half": lambda network: to_half(network.state_dict()),
    "without counts": lambda n: {name: v for name, v in n.state_dict().items() if "num_batches" not in name},
    "with another head": lambda n: {
        **prefixed("net.")(n),
        "net.classifier.weight": torch.ones(3),
        "loss.w": torch.ones(1),
    },
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_trunk_is_found_under_any_wrapper(
    plain: torchvision.models.ResNet, target: HeadedResNet, source: str
) -> None:
    nn.init.zeros_(target.trunk.conv1.weight)
    nn.init.zeros_(target.trunk.layer4[1].conv2.weight)
    head = target.heads["malignancy"].state_dict()["weight"].clone()
    load_trunk(target.trunk, "resnet18", SOURCES[source](plain), "w.pth")
    loaded, expected = target.trunk.state_dict(), plain.state_dict()
    for name in ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "layer4.1.conv2.weight"):
        torch.testing.assert_close(loaded[name], expected[name], rtol=1e-3, atol=1e-3)
        assert loaded[name].dtype == torch.float32
    assert torch.equal(target.heads["malignancy"].state_dict()["weight"], head)


def changed(**changes: Tensor | None) -> Callable[[torchvision.models.ResNet], State]:
    """Replace weights by name (with _ for .) or take them out."""

    def change(network: torchvision.models.ResNet) -> State:
        names = {name.replace("__", "."): v for name, v in changes.items()}
        state = dict(network.state_dict()) | {name: v for name, v in names.items() if v is not None}
        return {name: v for name, v in state.items() if name not in names or names[name] is not None}

    return change


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (lambda network: {}, "w.pth holds no ResNet"),
        (lambda network: {"patch_embed.proj.weight": torch.ones(1)}, "vision transformer"),
        (lambda network: {"features.0.0.weight": torch.ones(1)}, "MobileNet.* named as features.0.0.weight"),
        (
            lambda n: {**prefixed("encoder_q.")(n), **prefixed("encoder_k.")(n)},
            "several ResNets, under encoder_k., enc",
        ),
        (changed(layer2__0__bn1__bias=None), "lacks layer2.0.bn1.bias of a resnet18"),
        (changed(conv1__weight=torch.zeros(64, 1, 7, 7)), r"no plain resnet18.*conv1.weight \(64, 1, 7, 7\)"),
        (changed(layer1__0__se__weight=torch.zeros(3)), "no plain resnet18.*layer1.0.se.weight"),
        (changed(bn1__weight=torch.full((64,), torch.nan)), "no numbers, in bn1.weight"),
    ],
)
def test_what_does_not_fit_is_named(
    plain: torchvision.models.ResNet, target: HeadedResNet, source: Callable[..., State], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        load_trunk(target.trunk, "resnet18", source(plain), "w.pth")


@pytest.mark.parametrize(
    ("architecture", "shown"),
    [("resnet34", "a resnet34"), ("resnet50", "a resnet50"), ("resnext50_32x4d", "grouped resnet50")],
)
def test_another_architecture_is_recognised_by_its_shapes(target: HeadedResNet, architecture: str, shown: str) -> None:
    with torch.device("meta"):  # shapes alone
        state = torchvision.models.get_model(architecture, weights=None).state_dict()
    with pytest.raises(ModelError, match=rf'{shown}.*, but the recipe says architecture = "resnet18"'):
        load_trunk(target.trunk, "resnet18", state, "w.pth")


@pytest.mark.parametrize("prefix", ["", "network."])
def test_heads_are_taken_from_a_network_of_our_own(prefix: str) -> None:
    source = HeadedResNet("resnet18", {"malignancy": 2, "lesion_type": 8})
    target = HeadedResNet("resnet18", {"lesion_type": 8})
    state = {f"{prefix}{name}": v.half() for name, v in source.state_dict().items()}
    load_heads(target.heads, state, "The weights a")
    for key, value in target.heads["lesion_type"].state_dict().items():
        assert torch.equal(value, source.heads["lesion_type"].state_dict()[key].half().float())


def test_a_head_of_another_size_or_none_is_named() -> None:
    seven = HeadedResNet("resnet18", {"lesion_type": 7})
    target = HeadedResNet("resnet18", {"lesion_type": 8})
    for state in (seven.state_dict(), seven.trunk.state_dict()):
        with pytest.raises(ModelError, match=r"The weights a has no head lesion_type of that size \(weight, bias\)"):
            load_heads(target.heads, state, "The weights a")
