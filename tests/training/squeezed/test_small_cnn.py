import numpy as np
import pytest
import torch
from torch import nn

from skinapp.training.squeezed import small_cnn
from skinapp.training.squeezed.small_cnn import SmallCnn


def test_the_layers_are_those_of_the_table() -> None:
    layers = [layer for layer in SmallCnn(3, seed=1).layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    counts = [sum(values.numel() for values in layer.parameters()) for layer in layers]
    assert counts == [448, 4640, 18496, 884864, 903]
    for count in counts:
        assert f"{count:,}" in small_cnn.__doc__
    assert sum(values.numel() for values in SmallCnn(1, seed=1).layers[0].parameters()) == 160


def test_there_are_three_dropouts() -> None:
    assert [layer.p for layer in SmallCnn(3, seed=1).layers if isinstance(layer, nn.Dropout)] == [0.25, 0.25, 0.5]


def test_first_weights_are_glorot_uniform_and_biases_zero() -> None:
    for layer in SmallCnn(3, seed=1).layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert (layer.bias == 0).all()
            area = int(np.prod(layer.weight.shape[2:]))
            limit = (6 / (area * (layer.weight.shape[0] + layer.weight.shape[1]))) ** 0.5
            assert layer.weight.abs().max() <= limit
            assert layer.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.15)
    first, again, other = (SmallCnn(3, seed).layers[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("shape", [(2, 75, 100, 3), (2, 75, 100)])
def test_photos_in_colour_or_grey_get_seven_logits(shape: tuple[int, ...]) -> None:
    network = SmallCnn(3 if len(shape) == 4 else 1, seed=1).eval()
    photos = torch.randint(0, 256, shape, dtype=torch.uint8)
    logits = network(photos)
    assert logits.shape == (2, 7)
    pixels = photos.float() / 255
    channels_first = pixels.permute(0, 3, 1, 2) if len(shape) == 4 else pixels[:, None]
    assert torch.allclose(logits, network.layers(channels_first), atol=1e-5)
