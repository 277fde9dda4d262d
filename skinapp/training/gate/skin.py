"""Drawn skin as a plain camera sees it from a distance: shaded, with pores, hairs and spots, without a dermatoscope.

Real close-ups without a dermatoscope are not among the photos at hand, apart from hands. These stand in for them when
the gate is fitted; how many real ones it refuses is measured on real ones alone.
"""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.floating]
Random = np.random.Generator

TONES = np.array([[243, 210, 190], [226, 184, 158], [200, 150, 120], [160, 110, 82], [105, 70, 52], [66, 44, 35]])
"""sRGB of six tones of skin, from light to dark, between which tones are drawn."""


def draw_bare_skin(random: Random, side: int) -> Pixels:
    """Draw skin with shade, pores, creases and hairs, and now and then a few small spots."""
    skin = _draw_skin(random, side)
    for _ in range(random.choice([0, 0, 2, 8])):
        skin = _add_spot(random, skin, random.uniform(0.005, 0.02))
    return _photograph(random, skin)


def draw_close_up(random: Random, side: int) -> Pixels:
    """Draw a limb before a background with a lesion of 2% to 15% of the side."""
    skin = _add_spot(random, _draw_skin(random, side), random.uniform(0.02, 0.15))
    if random.random() < 0.7:
        place = np.arange(side) / side - 0.5
        turn, width, bow = random.uniform(0, np.pi), random.uniform(0.25, 0.45), random.uniform(-0.4, 0.4)
        across = np.cos(turn) * place[None, :] + np.sin(turn) * place[:, None]
        along = -np.sin(turn) * place[None, :] + np.cos(turn) * place[:, None]
        depth = np.clip(1 - ((across + bow * along**2) / width) ** 2, 0, 1)
        skin *= (0.45 + 0.55 * np.sqrt(depth))[..., None]
        ground = random.uniform(0, 255, 3) + 25 * _smooth_noise(random, side, 0.1)[..., None]
        skin = np.where(depth[..., None] > 0, skin, ground)
    return _photograph(random, skin)


def paste_lesion(random: Random, side: int, photo: Pixels, mask: npt.NDArray[np.bool_]) -> Pixels:
    """Paste the lesion of a dermoscopy photo, uint8 (h, w, 3), small onto drawn skin; `mask` (h, w) is the lesion."""
    skin = photo[~mask].mean(axis=0) if not mask.all() else photo.mean(axis=(0, 1))
    scale = random.uniform(0.12, 0.6) * side / min(mask.shape)
    shade = cv2.resize(photo / np.maximum(skin, 1), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    share = cv2.resize(mask.astype(np.float32), shade.shape[1::-1], interpolation=cv2.INTER_AREA)
    share = cv2.GaussianBlur(share, (0, 0), side / 200)
    scene = _draw_skin(random, side)
    top, left = (int(random.uniform(0, max(1, side - length))) for length in share.shape)
    shade, share = shade[: side - top, : side - left], share[: side - top, : side - left, None]
    under = scene[top : top + len(shade), left : left + shade.shape[1]]
    under[:] = under * (1 - share + share * shade)
    return _photograph(random, scene)


def _draw_skin(random: Random, side: int) -> Values:
    tone = random.uniform(0, len(TONES) - 1)
    colour = np.array([np.interp(tone, range(len(TONES)), TONES[:, channel]) for channel in range(3)])
    blotches = _smooth_noise(random, side, 0.08)[..., None] * np.array([2.0, 5.0, 4.0])
    pores = _smooth_noise(random, side, random.uniform(0.003, 0.012)) * random.uniform(1, 7)
    shade = 1 + random.uniform(0.05, 0.3) * _smooth_noise(random, side, random.uniform(0.25, 0.5))
    skin: Values = (colour + blotches + pores[..., None]) * shade[..., None]
    return _add_hairs(random, skin, int(random.choice([0, 0, 5, 40])))


def _add_spot(random: Random, skin: Values, size: float) -> Values:
    """Add a spot of an irregular outline; `size` is its radius in sides."""
    side = len(skin)
    centre = random.uniform(0.3, 0.7, 2)
    place = np.arange(side) / side
    x, y = place[None, :] - centre[0], place[:, None] - centre[1]
    turn = np.arctan2(y, x)
    waves = sum(random.normal() * 0.12 / k * np.cos(k * turn + random.uniform(0, 7)) for k in range(1, 6))
    inside = np.clip((size * (1 + waves) - np.hypot(x, y)) / (size * random.uniform(0.1, 0.6)) + 0.5, 0, 1)
    colour = np.array([0.62, 0.48, 0.42]) * random.uniform(0.6, 1.4) + random.normal(0, 0.05, 3)
    grain = 1 + 0.1 * _smooth_noise(random, side, 0.01)
    spotted: Values = skin * (1 + inside[..., None] * (np.clip(colour, 0.1, 1.1) * grain[..., None] - 1))
    return spotted


def _add_hairs(random: Random, skin: Values, hairs: int) -> Values:
    side, drawn = len(skin), np.zeros(skin.shape[:2], np.float32)
    main = random.uniform(0, 2 * np.pi)
    for _ in range(hairs):
        turns = main + random.normal(0, 0.4) + np.cumsum(random.normal(0, 0.08, 12))
        steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * side * random.uniform(0.01, 0.03)
        path = (random.uniform(0, side, 2) + np.cumsum(steps, axis=0)).astype(np.int32)
        cv2.polylines(drawn, [path], False, float(random.uniform(0.3, 0.8)), 1, cv2.LINE_AA)
    return skin * (1 - 0.8 * drawn[..., None])


def _photograph(random: Random, scene: Values) -> Pixels:
    """Take a photo of a scene: lamp from one side, shine, colour of the light, soft focus and noise."""
    side = len(scene)
    glow = np.clip(_smooth_noise(random, side, 0.12) - random.uniform(1.2, 3), 0, None) * 60
    light = random.uniform(0.7, 1.15) * (1 + random.normal(0, 0.05, 3))
    photo = scene * light + glow[..., None]
    photo = cv2.GaussianBlur(photo, (0, 0), random.uniform(0.3, 1.8) * side / 240)
    noisy = photo + random.normal(0, random.uniform(0, 4), photo.shape)
    pixels: Pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return pixels


def _smooth_noise(random: Random, side: int, width: float) -> Values:
    """Return noise (side, side) of mean 0 and standard deviation 1 with blobs of so many sides."""
    coarse = max(3, round(2 / width))
    dots = random.normal(size=(min(coarse, side), min(coarse, side)))
    noise = cv2.resize(dots, (side, side), interpolation=cv2.INTER_CUBIC)
    scaled: Values = (noise - noise.mean()) / noise.std()
    return scaled
