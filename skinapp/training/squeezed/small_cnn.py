"""A small CNN for photos of 75 x 100 px, like that of an earlier system in the browser.

That system documents the input, three dropouts, seven outputs, the initialisation and the optimiser, but not the layers
or the scaling of pixels. These are our choice:

====================  =====================  ==========
layer                 output (h, w, c)       parameters
====================  =====================  ==========
pixels / 255          75, 100, 3 (grey: 1)
convolution 3x3, ReLU 75, 100, 16            448 (160)
largest of 2x2        37, 50, 16
convolution 3x3, ReLU 37, 50, 32             4,640
largest of 2x2        18, 25, 32
dropout 0.25
convolution 3x3, ReLU 18, 25, 64             18,496
largest of 2x2        9, 12, 64
dropout 0.25
dense, ReLU           128                    884,864
dropout 0.5
dense                 7                      903
====================  =====================  ==========
"""

import torch
from torch import Tensor, nn

from skinapp.training.squeezed.arrays import CLASSES, HEIGHT_PX, WIDTH_PX

FILTERS, HIDDEN = (16, 32, 64), 128


class SmallCnn(nn.Module):
    """Three convolutions, three dropouts, two dense layers; see the table above."""

    def __init__(self, channels: int, seed: int) -> None:
        """Build the network for 3 channels or 1; weights are Glorot-uniform from the seed, biases zero."""
        super().__init__()
        torch.manual_seed(seed)
        first, second, third = FILTERS
        self.layers = nn.Sequential(
            *_convolution(channels, first),
            *_convolution(first, second),
            nn.Dropout(0.25),
            *_convolution(second, third),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(third * (HEIGHT_PX // 8) * (WIDTH_PX // 8), HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(HIDDEN, len(CLASSES)),
        )
        for name, values in self.named_parameters():
            if name.endswith("weight"):
                nn.init.xavier_uniform_(values)
            else:
                nn.init.zeros_(values)
        self.to(memory_format=torch.channels_last)  # a third faster on a CPU

    def forward(self, photos: Tensor) -> Tensor:
        """Map photos, uint8 (n, 75, 100, c) or grey (n, 75, 100), to logits (n, 7)."""
        pixels = photos if photos.ndim == 4 else photos[..., None]
        logits: Tensor = self.layers(pixels.permute(0, 3, 1, 2).float() / 255)  # channels stay last in memory
        return logits


def _convolution(channels: int, filters: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
