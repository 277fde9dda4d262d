"""Copies of views with one flaw each, to measure how often the checks of quality find it. All are seeded."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from skinapp.inference.what_if import add_ink

View = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Degrade = Callable[[View, Mask, np.random.Generator], View | None]
"""Takes a view (s, s, 3), its lesion mask (s, s) and a source of chance; None where this view cannot show the flaw."""

_BLUR, _STRONG_BLUR, _LIGHT, _SHRINK = 1 / 125, 1 / 30, 0.3, 0.3
"""Standard deviation of a blur, and of a strong one, as a share of the side; the light that is left; the size of a
lesion far away."""

_CUT_SIDE, _BARE_SIDES = 0.5, (0.5, 0.4, 0.3)
_HAIRS, _HAIR = 40, (45, 32, 28)
_SPOTS = 12


@dataclass(frozen=True)
class Flaw:
    """A kind of degraded copy, the code of the finding that should result, and the function that makes it.

    `needs_mask` says whether the function needs the lesion's outline.
    """

    kind: str
    code: str
    make: Degrade
    needs_mask: bool = False


def blur(share: float) -> Degrade:
    """Return a function that puts a view out of focus: a Gaussian whose deviation is that share of the side."""

    def make(view: View, mask: Mask, chance: np.random.Generator) -> View:
        return np.asarray(cv2.GaussianBlur(view, (0, 0), share * view.shape[0]), np.uint8)

    return make


def darken(view: View, mask: Mask, chance: np.random.Generator) -> View:
    """Leave 30% of the light, linear in the pixel values."""
    return (view * _LIGHT).astype(np.uint8)


def tint(red: float, green: float, blue: float) -> Degrade:
    """Return a function that multiplies the colour channels, as a wrong white balance does."""

    def make(view: View, mask: Mask, chance: np.random.Generator) -> View:
        return _to_view(view * np.array([red, green, blue]))

    return make


def add_reflections(view: View, mask: Mask, chance: np.random.Generator) -> View:
    """Draw twelve white spots with soft edges."""
    side = view.shape[0]
    spots: npt.NDArray[np.float32] = np.zeros((side, side), np.float32)
    for _ in range(_SPOTS):
        across, down = (int(value) for value in chance.integers(side // 10, side - side // 10, 2))
        axes = (int(chance.integers(side // 56, side // 16)), int(chance.integers(side // 75, side // 25)))
        cv2.ellipse(spots, (across, down), axes, float(chance.integers(180)), 0, 360, 1.0, -1)
    light = cv2.GaussianBlur(spots, (0, 0), side / 150)[..., None]
    return _to_view(view * (1 - light) + 255 * light)


def cut_lesion(view: View, mask: Mask, chance: np.random.Generator) -> View | None:
    """Frame half the view so that an edge goes through the middle of the lesion."""
    side = view.shape[0]
    part = round(_CUT_SIDE * side)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    down, across = int(rows.mean()), int(columns.mean())
    middle_down, middle_across = (min(max(at - part // 2, 0), side - part) for at in (down, across))
    for top, left in ((middle_down, across), (middle_down, across - part), (down, middle_across)):
        whole = 0 <= top <= side - part and 0 <= left <= side - part
        # A part that the lesion fills shows no edge of it: nobody could say that it is cut.
        if whole and 0 < mask[top : top + part, left : left + part].mean() < 0.6:
            return _enlarge(view[top : top + part, left : left + part], side)
    return None


def shrink_lesion(view: View, mask: Mask, chance: np.random.Generator) -> View | None:
    """Show the view at 30% of its size, fading into skin of its own colour."""
    side = view.shape[0]
    if mask.all():
        return None
    small = round(_SHRINK * side)
    skin = np.median(view[~mask].reshape(-1, 3), axis=0) + chance.normal(0, 4, view.shape)
    inner = cv2.resize(view, (small, small), interpolation=cv2.INTER_AREA)
    fade: npt.NDArray[np.float32] = np.zeros((small, small), np.float32)
    cv2.circle(fade, (small // 2, small // 2), small // 2 - 3, 1.0, -1)
    weight = cv2.GaussianBlur(fade, (0, 0), 3.0)[..., None]
    start = (side - small) // 2
    framed = skin[start : start + small, start : start + small]
    framed[:] = framed * (1 - weight) + inner * weight
    return _to_view(skin)


def leave_lesion_out(view: View, mask: Mask, chance: np.random.Generator) -> View | None:
    """Frame the largest square of bare skin beside the lesion; None where there is none of 30% of the side."""
    side = view.shape[0]
    near = cv2.dilate(mask.astype(np.uint8), np.ones((side // 15, side // 15), np.uint8))
    sums = cv2.integral(near)
    for share in _BARE_SIDES:
        part = round(share * side)
        inside = sums[part:, part:] - sums[:-part, part:] - sums[part:, :-part] + sums[:-part, :-part]
        if (inside == 0).any():
            top, left = np.argwhere(inside == 0)[0]
            return _enlarge(view[top : top + part, left : left + part], side)
    return None


def add_hair(view: View, mask: Mask, chance: np.random.Generator) -> View:
    """Draw forty dark, slightly bent hairs across the view."""
    drawn, side = view.copy(), view.shape[0]
    for _ in range(_HAIRS):
        at, way, bend = chance.uniform(-0.1 * side, 1.1 * side, 2), chance.uniform(0, np.pi), chance.normal(0, 0.03)
        steps = side / 45 * np.stack([np.cos(way + bend * np.arange(40)), np.sin(way + bend * np.arange(40))], axis=1)
        line = (at + steps.cumsum(axis=0)).astype(np.int32)
        cv2.polylines(drawn, [line], False, _HAIR, int(chance.integers(1, 3)), cv2.LINE_AA)
    return drawn


def mark_with_ink(view: View, mask: Mask, chance: np.random.Generator) -> View:
    """Draw strokes of a surgical marker around the centre."""
    return add_ink(view)


def reduce_to(side_px: int) -> Degrade:
    """Return a function that shrinks a view to a side in px and enlarges it again."""

    def make(view: View, mask: Mask, chance: np.random.Generator) -> View:
        return _enlarge(cv2.resize(view, (side_px, side_px), interpolation=cv2.INTER_AREA), view.shape[0])

    return make


FLAWS = (
    Flaw("out of focus", "blurred", blur(_BLUR)),
    Flaw("far out of focus", "blurred", blur(_STRONG_BLUR)),
    Flaw("30% of the light", "dark", darken),
    Flaw("60% more light", "bright", tint(1.6, 1.6, 1.6)),
    Flaw("white reflections", "glare", add_reflections),
    Flaw("blue cast", "cast", tint(0.75, 0.95, 1.25)),
    Flaw("green cast", "cast", tint(0.8, 1.1, 0.8)),
    Flaw("yellow cast", "cast", tint(1.05, 1.0, 0.6)),
    Flaw("bare skin", "no_lesion", leave_lesion_out, needs_mask=True),
    Flaw("lesion far away", "tiny", shrink_lesion, needs_mask=True),
    Flaw("lesion cut in half", "cut", cut_lesion, needs_mask=True),
    Flaw("forty hairs", "hair", add_hair),
    Flaw("ink of a marker", "ink", mark_with_ink),
)


def _enlarge(part: npt.ArrayLike, side: int) -> View:
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _to_view(pixels: npt.ArrayLike) -> View:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
