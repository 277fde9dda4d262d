"""Turn a photo into a tensor: the one deterministic transform of evaluation, app and export."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from skinapp.models.card import Preprocessing
from skinapp.photo import Photo


def resize_short_side(pixels: np.ndarray, short_side_px: int) -> np.ndarray:
    """Resize pixels, uint8 (h, w, 3), to a short side of `short_side_px`, with antialiasing."""
    height, width = pixels.shape[:2]
    scale = short_side_px / min(height, width)
    size = (max(short_side_px, round(width * scale)), max(short_side_px, round(height * scale)))
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def crop_for_network(photo: Photo, preprocessing: Preprocessing) -> np.ndarray:
    """Return the part of a photo that the network sees: uint8 (input_px, input_px, 3), before normalisation."""
    pixels = resize_short_side(_limit_aspect(photo.pixels), preprocessing.resize_px)
    side = preprocessing.input_px
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return pixels[top : top + side, left : left + side]


def _limit_aspect(pixels: np.ndarray) -> np.ndarray:
    """Crop a long strip about its centre to an aspect ratio of 1:2; enlarged whole, it could fill the memory."""
    height, width = pixels.shape[:2]
    longest = 2 * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : height - top, left : width - left]


def normalise(crops: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Normalise crops, uint8 (n, 3, s, s), to float32 of the same shape, in channels-last memory format."""
    mean = torch.tensor(preprocessing.mean, device=crops.device).view(3, 1, 1)
    std = torch.tensor(preprocessing.std, device=crops.device).view(3, 1, 1)
    return ((crops.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def to_tensor(crops: list[np.ndarray], preprocessing: Preprocessing) -> Tensor:
    """Stack crops, each uint8 (s, s, 3), into one normalised batch: float32 (n, 3, s, s)."""
    return normalise(torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2), preprocessing)
