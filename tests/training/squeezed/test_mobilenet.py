import pytest
import torch
import torchvision

from skinapp.errors import ModelError
from skinapp.models.card import IMAGENET_MEAN, IMAGENET_STD
from skinapp.networks.resnet import to_half
from skinapp.training.squeezed.mobilenet import MobileNetHead, MobileNetTrunk


@pytest.fixture(scope="module")
def whole() -> torchvision.models.MobileNetV2:
    torch.manual_seed(5)
    network = torchvision.models.mobilenet_v2(weights=None)
    with torch.inference_mode():  # statistics of its own, or its answers would all be 0
        for _ in range(30):
            network(torch.randn(8, 3, 75, 100))
    return network.eval()


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    return torch.randint(0, 256, (3, 75, 100, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def test_the_trunk_makes_the_features_of_the_network_it_was_given(
    whole: torchvision.models.MobileNetV2, photos: torch.Tensor
) -> None:
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    normal = (photos.permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.inference_mode():
        features = MobileNetTrunk(to_half(whole.state_dict()))(photos)
        exact = MobileNetTrunk(whole.state_dict())(photos)
        logits = whole(normal)
        assert logits.std() > 0.05
        assert torch.allclose(whole.classifier(exact), logits, atol=1e-4)
    assert features.shape == (3, 1280)
    assert torch.allclose(features, exact, atol=0.1)


def test_statistics_of_batch_norms_stay_while_weights_learn(
    whole: torchvision.models.MobileNetV2, photos: torch.Tensor
) -> None:
    trunk = MobileNetTrunk(whole.state_dict()).train()
    trunk(photos).sum().backward()
    norm = trunk.features[0][1]
    assert torch.equal(norm.running_mean, whole.features[0][1].running_mean)
    assert all(values.grad is not None for values in trunk.parameters())


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(ModelError, match="not a MobileNetV2's"):
        MobileNetTrunk(torchvision.models.resnet18(weights=None).state_dict())


def test_the_head_has_256_units_with_batch_norm_and_dropout() -> None:
    head = MobileNetHead(seed=1)
    assert [type(layer).__name__ for layer in head] == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]
    assert [tuple(head[place].weight.shape) for place in (0, 4)] == [(256, 1280), (7, 256)]
