"""The random changes of a training photo: what differs between photos of one lesion, and says nothing about it."""

import math

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from skinapp.training.recipe import Augmentation

BLUR_PX = (0.3, 1.5)
"""Standard deviation of the blur, in px of the crop."""
COARSEST = 3
JPEG_QUALITY = (30, 95)
TUBE_RADIUS = (0.9, 1.3)
"""Radius of a dermatoscope's round field, in half sides of the crop; at 1.41 even the corners are lit."""
RIM, UNLIT = 0.05, 0.03
"""Width of the edge of that field, in half sides, and how much light is left outside it."""


def augmentation(settings: Augmentation, input_px: int) -> v2.Transform:
    """Build the random changes of a training photo: uint8 (3, h, w) -> uint8 (3, s, s), s = crop_px or input_px."""
    side = settings.crop_px or input_px
    crop = TurnedCrop if settings.any_turn else v2.RandomResizedCrop
    steps: list[nn.Module] = [crop(side, settings.crop_scale, settings.crop_ratio)]
    if settings.flip:
        steps += [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]
    if settings.quarter_turns:
        steps.append(v2.RandomApply([v2.RandomRotation((90, 90))]))
    steps += [v2.RandomApply([change], share) for change, share in _of_cameras(settings) if share]
    if settings.cast:
        steps.append(Cast(settings.cast))
    steps.append(v2.ColorJitter(settings.brightness, settings.contrast, settings.saturation, settings.hue))
    return v2.Compose(steps)


def _of_cameras(settings: Augmentation) -> list[tuple[nn.Module, float]]:
    """List what cameras and their files do to a photo, each with the share of photos it is done to."""
    return [
        (GreyWorld(), settings.grey_world),
        (Coarse(), settings.coarse),
        (v2.GaussianBlur(5, BLUR_PX), settings.blur),
        (v2.JPEG(JPEG_QUALITY), settings.jpeg),
        (DarkCorners(), settings.dark_corners),
    ]


class TurnedCrop(nn.Module):
    """As RandomResizedCrop, but the crop is turned by any angle; where it leaves the photo, the photo is mirrored.

    One bilinear sampling does all, without smoothing against aliasing: for photos that are not much larger than the
    crop.
    """

    def __init__(self, side: int, scale: tuple[float, float], ratio: tuple[float, float]) -> None:
        """Keep the side of the crop in px, and the share of the photo's area and the ratio of sides it is cut from."""
        super().__init__()
        self.side, self._box = side, v2.RandomResizedCrop(side, scale, ratio)

    def forward(self, photo: Tensor) -> Tensor:
        """Cut the turned crop from a photo: uint8 (3, h, w) -> uint8 (3, s, s)."""
        height, width = photo.shape[-2:]
        box = self._box.make_params([photo])
        angle = _drawn(-math.pi, math.pi)
        cos, sin = math.cos(angle), math.sin(angle)
        # From the crop's coordinates to the photo's, both -1 to 1: stretched to the box, turned in px, moved.
        theta = torch.tensor(
            [
                [cos * box["width"] / width, -sin * box["height"] / width, _middle(box["left"], box["width"], width)],
                [sin * box["width"] / height, cos * box["height"] / height, _middle(box["top"], box["height"], height)],
            ]
        )
        grid = nn.functional.affine_grid(theta[None], [1, 3, self.side, self.side], align_corners=False)
        turned = nn.functional.grid_sample(
            photo[None].float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )
        return turned[0].round().to(torch.uint8)


class Coarse(nn.Module):
    """Shrinks a photo by a factor of 1 to COARSEST and enlarges it again: fewer details, as from a lesser camera."""

    def forward(self, photo: Tensor) -> Tensor:
        """Coarsen a photo, uint8 (3, h, w)."""
        factor, size = _drawn(1, COARSEST), list(photo.shape[-2:])
        small = v2.functional.resize(photo, [max(1, round(side / factor)) for side in size], antialias=True)
        large: Tensor = v2.functional.resize(small, size, antialias=True)
        return large


class GreyWorld(nn.Module):
    """Takes the colour cast off by the grey-world rule: each channel is scaled to the mean of all three.

    Buchsbaum, 1980 (A spatial processor model for object colour perception).
    """

    def forward(self, photo: Tensor) -> Tensor:
        """Take the cast off a photo, uint8 (3, h, w)."""
        means = photo.float().mean(dim=(1, 2), keepdim=True).clamp(min=1)
        return (photo.float() * (means.mean() / means)).clamp(0, 255).to(torch.uint8)


class Cast(nn.Module):
    """Scales each channel by a factor of its own, as another light or white balance would."""

    def __init__(self, most: float) -> None:
        """Keep how far a factor may be from 1."""
        super().__init__()
        self.most = most

    def forward(self, photo: Tensor) -> Tensor:
        """Tint a photo, uint8 (3, h, w)."""
        factors = torch.empty(3, 1, 1).uniform_(1 - self.most, 1 + self.most)
        return (photo.float() * factors).clamp(0, 255).to(torch.uint8)


class DarkCorners(nn.Module):
    """Darkens what lies outside a circle of TUBE_RADIUS about the middle, as a dermatoscope's tube does."""

    def forward(self, photo: Tensor) -> Tensor:
        """Darken the corners of a photo, uint8 (3, h, w)."""
        height, width = photo.shape[-2:]
        down, across = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None, :]
        light = ((_drawn(*TUBE_RADIUS) - torch.hypot(down, across)) / RIM + 0.5).clamp(UNLIT, 1)
        return (photo.float() * light).to(torch.uint8)


def _drawn(low: float, high: float) -> float:
    return float(torch.empty(1).uniform_(low, high))


def _middle(start: float, length: float, whole: float) -> float:
    """Return the middle of a stretch within a whole, in coordinates of -1 to 1."""
    return (2 * start + length) / whole - 1
