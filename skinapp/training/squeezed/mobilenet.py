"""A MobileNetV2 for photos of 75 x 100 px: ImageNet features, and a head as described by an earlier system."""

from collections.abc import Mapping

import torch
import torchvision
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.models.card import Preprocessing
from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import to_single
from skinapp.training.squeezed.arrays import CLASSES
from skinapp.training.trunks import strip_wrappers

FEATURES, HIDDEN = 1280, 256

_IMAGENET = Preprocessing()


class MobileNetTrunk(nn.Module):
    """MobileNetV2 without its classifier; its batch norms keep their statistics in training too.

    Small batches would move the statistics far from those of the pretrained features.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        """Build the trunk from the state dict of a complete MobileNetV2; random where it is empty.

        Raises ModelError where the weights are of another architecture.
        """
        super().__init__()
        whole = torchvision.models.mobilenet_v2(weights=None)
        try:
            known = to_single(strip_wrappers(state, "features.0.0.weight"))
            whole.load_state_dict(known if state else whole.state_dict(), strict=True)
        except RuntimeError as error:
            raise ModelError("The initial weights are not a MobileNetV2's. Name a file of its weights.") from error
        self.features = whole.features.to(memory_format=torch.channels_last)
        self.train(False)

    def train(self, mode: bool = True) -> "MobileNetTrunk":
        """Stay in eval mode; gradients still flow."""
        return super().train(False)

    def forward(self, photos: Tensor) -> Tensor:
        """Map photos, uint8 (n, 75, 100, 3), to features (n, 1280), averaged over the last feature map of 3 x 4."""
        features: Tensor = self.features(normalise(photos.permute(0, 3, 1, 2), _IMAGENET))
        return features.mean(dim=(2, 3))


class MobileNetHead(nn.Sequential):
    """256 units with batch normalisation and dropout, then seven outputs: features (n, 1280) -> logits (n, 7)."""

    def __init__(self, seed: int) -> None:
        """Build the head with random weights from the seed."""
        torch.manual_seed(seed)
        super().__init__(
            nn.Linear(FEATURES, HIDDEN),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(HIDDEN, len(CLASSES)),
        )
