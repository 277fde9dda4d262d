"""Photo -> tensor: the one deterministic transform, shared by evaluation, app and export."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from skinapp.models.card import Preprocessing
from skinapp.photo import Photo


def shrink(pixels: np.ndarray, short_side_px: int) -> np.ndarray:
    """Resize uint8 pixels (h, w, 3) so that the short side is `short_side_px`, smoothed against aliasing."""
    height, width = pixels.shape[:2]
    scale = short_side_px / min(height, width)
    size = (max(short_side_px, round(width * scale)), max(short_side_px, round(height * scale)))
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def network_view(photo: Photo, preprocessing: Preprocessing) -> np.ndarray:
    """Return what the network sees of a photo: uint8 (input_px, input_px, 3), before normalisation."""
    pixels = shrink(_middle(photo.pixels), preprocessing.resize_px)
    side = preprocessing.input_px
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return pixels[top : top + side, left : left + side]


def _middle(pixels: np.ndarray) -> np.ndarray:
    """Cut a strip's ends off, as much on both, down to 1:2; enlarged whole, a strip could take all the memory."""
    height, width = pixels.shape[:2]
    longest = 2 * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : height - top, left : width - left]


def normalise(views: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Turn views, uint8 (n, 3, s, s), into float32 of the same shape, channels last in memory."""
    mean = torch.tensor(preprocessing.mean, device=views.device).view(3, 1, 1)
    std = torch.tensor(preprocessing.std, device=views.device).view(3, 1, 1)
    return ((views.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def to_tensor(views: list[np.ndarray], preprocessing: Preprocessing) -> Tensor:
    """Stack network views, each uint8 (s, s, 3), into one normalised batch: float32 (n, 3, s, s)."""
    return normalise(torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2), preprocessing)
