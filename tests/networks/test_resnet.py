import os
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from skinapp.errors import ModelError
from skinapp.networks.resnet import (
    HeadedResNet,
    fetch_torchvision_weights,
    read_safetensors,
    to_half,
    to_single,
)


@pytest.fixture(scope="module")
def plain() -> torchvision.models.ResNet:
    """Make torchvision's own ResNet-18 with random weights and norms that have seen something."""
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None)
    with torch.no_grad():
        network(torch.rand(4, 3, 64, 64))
    return network.eval()


def test_equals_torchvision_with_the_same_weights(plain: torchvision.models.ResNet) -> None:
    network = HeadedResNet("resnet18", {"few": 7, "rest": 993}).eval()
    network.trunk.load_state_dict({name: v for name, v in plain.state_dict().items() if name[:3] != "fc."})
    for name, rows in (("few", slice(0, 7)), ("rest", slice(7, 1000))):
        head = network.heads[name]
        head.load_state_dict({"weight": plain.fc.weight[rows], "bias": plain.fc.bias[rows]})
    photos = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        logits, expected = network(photos), plain(photos)
    assert list(logits) == ["few", "rest"]
    torch.testing.assert_close(torch.cat([logits["few"], logits["rest"]], dim=1), expected)


@pytest.mark.parametrize("architecture", ["resnet18", "resnet34", "resnet50"])
def test_each_head_has_its_classes(architecture: str) -> None:
    network = HeadedResNet(architecture, {"malignancy": 2, "lesion_type": 8}).eval()  # type: ignore[arg-type]
    with torch.inference_mode():
        logits = network(torch.rand(3, 3, 32, 32))
    assert {name: tuple(values.shape) for name, values in logits.items()} == {
        "malignancy": (3, 2),
        "lesion_type": (3, 8),
    }


def test_dropout_is_for_training_alone() -> None:
    network = HeadedResNet("resnet18", {"malignancy": 2}, dropout=0.5).eval()
    photos = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(network(photos), network(photos), rtol=0, atol=0)
        features = network.trunk(photos)
        network.dropout.train()
        assert (network.dropout(features) == 0).float().mean() > (features == 0).float().mean() + 0.2


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no weights file at .*absent\.safetensors"):
        read_safetensors(tmp_path / "absent.safetensors")


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    trap, file = tmp_path / "sprung", tmp_path / "model.safetensors"
    torch.save({"conv1.weight": Trap(trap)}, file)
    with pytest.raises(ModelError, match=r"model\.safetensors is not a complete safetensors file"):
        read_safetensors(file)
    assert not trap.exists()


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"a": torch.rand(1000)}, file)
    for size in (0, 5, 2000):
        file.write_bytes(file.read_bytes()[:size])
        with pytest.raises(ModelError, match="not a complete safetensors file"):
            read_safetensors(file)


def test_unknown_torchvision_weights_are_named() -> None:
    with pytest.raises(ModelError, match="no weights named ResNet19_Weights"):
        fetch_torchvision_weights("ResNet19_Weights.DEFAULT")


def test_half_and_single_touch_floats_alone() -> None:
    state = {"weight": torch.tensor([[1.0, 0.1]]).T, "batches": torch.tensor(70_000)}
    stored = to_half(state)
    assert stored["weight"].dtype == torch.float16
    assert stored["weight"].is_contiguous()
    back = to_single(stored)
    assert back["weight"].dtype == torch.float32
    torch.testing.assert_close(back["weight"], state["weight"], rtol=2**-11, atol=0)
    assert stored["batches"].dtype == back["batches"].dtype == torch.int64
    assert back["batches"] == 70_000


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50"])
def test_what_is_observed_is_what_the_heads_read(architecture: str) -> None:
    torch.manual_seed(0)
    network = HeadedResNet(architecture, {"malignancy": 2, "lesion_type": 8}).eval()  # type: ignore[arg-type]
    photos = torch.rand(3, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        seen, expected = network.observe(photos), network(photos)
        for name, logits in expected.items():
            torch.testing.assert_close(seen.logits[name], logits, rtol=0, atol=0)
            torch.testing.assert_close(network.heads[name](seen.features), logits, rtol=1e-5, atol=1e-5)
    width = 512 if architecture == "resnet18" else 2048
    assert seen.maps.shape == (3, width, 2, 2)
    assert seen.features.shape == (3, width)


def test_early_blocks_give_the_mean_and_spread_of_each_channel(plain: torchvision.models.ResNet) -> None:
    network = HeadedResNet("resnet18", {"malignancy": 2}).eval()
    network.trunk.load_state_dict({name: v for name, v in plain.state_dict().items() if name[:3] != "fc."})
    photos = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        maps = plain.layer1(plain.maxpool(plain.relu(plain.bn1(plain.conv1(photos)))))
        early = network.observe(photos).early
    assert early.shape == (2, 2 * (64 + 128 + 256))
    torch.testing.assert_close(early[:, :64], maps.mean((2, 3)))
    torch.testing.assert_close(early[:, 64:128], maps.flatten(2).std(2, correction=0), rtol=1e-4, atol=1e-5)
