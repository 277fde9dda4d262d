"""Augmentation: random changes of training photos that leave the lesion's diagnosis as it is."""

import math

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from skinapp.training.sections import Augmentation

BLUR_PX = (0.3, 1.5)
"""Standard deviation of the blur, in px of the crop."""
MAX_DOWNSCALE = 3
"""Largest factor by which Downscale reduces the resolution."""
JPEG_QUALITY = (30, 95)
TUBE_RADIUS = (0.9, 1.3)
"""Radius of a dermatoscope's round field of view, in half sides of the crop; from 1.41 on the corners are lit too."""
RIM_WIDTH, OUTSIDE_LIGHT = 0.05, 0.03
"""Width of the edge of that field, in half sides, and the share of light outside it."""


def build_stages(settings: Augmentation, input_px: int) -> list[v2.Transform]:
    """Build the augmentation of each stage, in their order: from the first epoch, then from each stage's."""
    sides = [settings.crop_px, *(stage.crop_px for stage in settings.stages)]
    return [build_augmentation(settings.model_copy(update={"crop_px": side}), input_px) for side in sides]


def build_augmentation(settings: Augmentation, input_px: int) -> v2.Transform:
    """Build the augmentation of training photos: uint8 (3, h, w) -> uint8 (3, s, s), where s is crop_px or input_px."""
    side = settings.crop_px or input_px
    crop = TurnedCrop if settings.any_turn else v2.RandomResizedCrop
    steps: list[nn.Module] = [crop(side, settings.crop_scale, settings.crop_ratio)]
    if settings.flip:
        steps += [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]
    if settings.quarter_turns:
        steps.append(v2.RandomApply([v2.RandomRotation((90, 90))]))
    steps += [v2.RandomApply([change], share) for change, share in _camera_changes(settings) if share]
    if settings.cast:
        steps.append(ColourCast(settings.cast))
    steps.append(v2.ColorJitter(settings.brightness, settings.contrast, settings.saturation, settings.hue))
    return v2.Compose(steps)


def _camera_changes(settings: Augmentation) -> list[tuple[nn.Module, float]]:
    """List the changes that cameras and file formats cause, each with the share of photos to apply it to."""
    return [
        (GreyWorld(), settings.grey_world),
        (Downscale(), settings.coarse),
        (v2.GaussianBlur(5, BLUR_PX), settings.blur),
        (v2.JPEG(JPEG_QUALITY), settings.jpeg),
        (DarkCorners(), settings.dark_corners),
    ]


class TurnedCrop(nn.Module):
    """A RandomResizedCrop that is also rotated by any angle; outside the photo it shows the photo mirrored.

    It samples once, bilinearly and without antialiasing, so photos should not be much larger than the crop.
    """

    def __init__(self, side: int, scale: tuple[float, float], ratio: tuple[float, float]) -> None:
        """Keep the side of the crop in px, and the ranges of its share of the photo's area and of its aspect ratio."""
        super().__init__()
        self.side, self._box = side, v2.RandomResizedCrop(side, scale, ratio)

    def forward(self, photo: Tensor) -> Tensor:
        """Cut a rotated crop from a photo: uint8 (3, h, w) -> uint8 (3, s, s)."""
        height, width = photo.shape[-2:]
        box = self._box.make_params([photo])
        angle = _draw_uniform(-math.pi, math.pi)
        cos, sin = math.cos(angle), math.sin(angle)
        x, y = _find_centre(box["left"], box["width"], width), _find_centre(box["top"], box["height"], height)
        # Maps crop coordinates to photo coordinates (both -1 to 1): scale to the box, rotate in px, translate.
        theta = torch.tensor(
            [
                [cos * box["width"] / width, -sin * box["height"] / width, x],
                [sin * box["width"] / height, cos * box["height"] / height, y],
            ]
        )
        grid = nn.functional.affine_grid(theta[None], [1, 3, self.side, self.side], align_corners=False)
        turned = nn.functional.grid_sample(
            photo[None].float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )
        return turned[0].round().to(torch.uint8)


class Downscale(nn.Module):
    """Shrinks a photo by a factor of 1 to MAX_DOWNSCALE and enlarges it again, like a camera of low resolution."""

    def forward(self, photo: Tensor) -> Tensor:
        """Reduce the resolution of a photo, uint8 (3, h, w)."""
        factor, size = _draw_uniform(1, MAX_DOWNSCALE), list(photo.shape[-2:])
        small = v2.functional.resize(photo, [max(1, round(side / factor)) for side in size], antialias=True)
        large: Tensor = v2.functional.resize(small, size, antialias=True)
        return large


class GreyWorld(nn.Module):
    """Removes the colour cast by the grey-world rule: scales each channel to the mean of all three.

    Buchsbaum, 1980 (A spatial processor model for object colour perception).
    """

    def forward(self, photo: Tensor) -> Tensor:
        """Remove the colour cast of a photo, uint8 (3, h, w)."""
        means = photo.float().mean(dim=(1, 2), keepdim=True).clamp(min=1)
        return (photo.float() * (means.mean() / means)).clamp(0, 255).to(torch.uint8)


class ColourCast(nn.Module):
    """Scales each channel by a random factor, as another light or white balance would."""

    def __init__(self, max_change: float) -> None:
        """Keep how far a factor may be from 1."""
        super().__init__()
        self.max_change = max_change

    def forward(self, photo: Tensor) -> Tensor:
        """Change the colour cast of a photo, uint8 (3, h, w)."""
        factors = torch.empty(3, 1, 1).uniform_(1 - self.max_change, 1 + self.max_change)
        return (photo.float() * factors).clamp(0, 255).to(torch.uint8)


class DarkCorners(nn.Module):
    """Darkens a photo outside a central circle of TUBE_RADIUS, as a dermatoscope's tube does."""

    def forward(self, photo: Tensor) -> Tensor:
        """Darken the corners of a photo, uint8 (3, h, w)."""
        height, width = photo.shape[-2:]
        down, across = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None, :]
        light = ((_draw_uniform(*TUBE_RADIUS) - torch.hypot(down, across)) / RIM_WIDTH + 0.5).clamp(OUTSIDE_LIGHT, 1)
        return (photo.float() * light).to(torch.uint8)


def _draw_uniform(low: float, high: float) -> float:
    return float(torch.empty(1).uniform_(low, high))


def _find_centre(start: float, length: float, whole: float) -> float:
    """Return the centre of an interval within `whole`, in coordinates of -1 to 1."""
    return (2 * start + length) / whole - 1
