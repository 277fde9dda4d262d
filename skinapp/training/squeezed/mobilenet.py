"""A MobileNetV2 for photos of 75 x 100 px: ImageNet's features, and the head that an earlier system described."""

from collections.abc import Mapping

import torch
import torchvision
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.models.card import Preprocessing
from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import single
from skinapp.training.squeezed.arrays import CLASSES

FEATURES, HIDDEN = 1280, 256

_IMAGENET = Preprocessing()


class Trunk(nn.Module):
    """MobileNetV2 without its classifier; its batch norms keep their statistics, in training too.

    A batch of a few photos would move them far from what the pretrained features were made for.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        """Build the trunk from a whole MobileNetV2's state dict; random where that is empty.

        Raises ModelError where the weights are of another architecture.
        """
        super().__init__()
        whole = torchvision.models.mobilenet_v2(weights=None)
        try:
            whole.load_state_dict(single(state) if state else whole.state_dict(), strict=True)
        except RuntimeError as error:
            raise ModelError("The initial weights are not a MobileNetV2's. Name a file of its weights.") from error
        self.features = whole.features.to(memory_format=torch.channels_last)
        self.train(False)

    def train(self, mode: bool = True) -> "Trunk":
        """Stay in eval mode, which stops no gradient."""
        return super().train(False)

    def forward(self, photos: Tensor) -> Tensor:
        """Map photos, uint8 (n, 75, 100, 3), to features (n, 1280), the mean over the last 3 x 4 places."""
        features: Tensor = self.features(normalise(photos.permute(0, 3, 1, 2), _IMAGENET))
        return features.mean(dim=(2, 3))


class MobileNetHead(nn.Sequential):
    """256 units with batch normalisation and dropout, then seven outputs: features (n, 1280) -> logits (n, 7)."""

    def __init__(self, seed: int) -> None:
        """Build the head with random weights by the seed."""
        torch.manual_seed(seed)
        super().__init__(
            nn.Linear(FEATURES, HIDDEN),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(HIDDEN, len(CLASSES)),
        )
