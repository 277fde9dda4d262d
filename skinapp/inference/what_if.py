"""What if the photo had been taken otherwise: the same view with a ruler, ink, blur and so on, scored again.

None of the changes is a change of the lesion, so a score that moves with them depends on how the photo was taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from skinapp.errors import PhotoError
from skinapp.formatting import format_score_percent, format_threshold
from skinapp.inference.assessment import NOT_ASSESSABLE

View = npt.NDArray[np.uint8]
"""What the network sees of a photo: (s, s, 3), sRGB."""

JPEG_QUALITY = 30
HUE_DEGREES = 10
DARKER = 0.2
"""Share of the light that is taken away."""

_BLUR_OF_SIDE = 1 / 120
"""The standard deviation of the blur, of the side of the view: 2 px of 240."""

_INK, _INK_OPACITY = (72, 38, 118), 0.8
"""The violet of a surgical marker, sRGB, and how much of the skin it covers."""

_RULER_STEPS, _RULER_MAJOR = 24, 5
"""A side of the view is this many millimetres of the ruler; each fifth mark is a long one."""

_CORNER_RADIUS, _CORNER_SOFTNESS = 0.52, 0.04
"""Where the dark corners begin and how far they fade, of the side of the view."""


@dataclass(frozen=True)
class Change:
    """A way in which the photo could differ: its name, and the function that makes it from a view."""

    name: str
    apply: Callable[[View], View]


@dataclass(frozen=True)
class Move:
    """The malignancy score, 0 to 1, of a photo after one change."""

    name: str
    score: float


@dataclass(frozen=True)
class WhatIf:
    """The malignancy score of a photo, 0 to 1, and how it moves with each change, in the order of CHANGES."""

    score: float
    moves: tuple[Move, ...]

    @property
    def largest(self) -> Move:
        """The change that moves the score furthest."""
        return max(self.moves, key=lambda move: abs(move.score - self.score))

    def find_crossing(self, threshold: float) -> tuple[Move, ...]:
        """Return the changes that take the score to the other side of a threshold, 0 to 1."""
        return tuple(move for move in self.moves if (move.score >= threshold) != (self.score >= threshold))


class ScoresViews(Protocol):
    """What is needed of an assessor."""

    def score_views(self, views: Sequence[View]) -> npt.NDArray[np.float64]:
        """Return the malignancy score, (n,) in 0 to 1, of each view."""


def ask_what_if(assessor: ScoresViews, view: View) -> WhatIf:
    """Score a view and all its changes in one batch; PhotoError where an answer is no number."""
    scores = assessor.score_views([view, *(change.apply(view) for change in CHANGES)])
    if not np.isfinite(scores).all():
        raise PhotoError(NOT_ASSESSABLE)
    own, *changed = map(float, scores)
    return WhatIf(own, tuple(Move(change.name, score) for change, score in zip(CHANGES, changed, strict=True)))


def describe_moves(answer: WhatIf, threshold: float | None, threshold_name: str) -> str:
    """Say in one or two sentences how far the score moves and whether it crosses the threshold (None: there is none).

    `threshold_name` is what the page calls it: "95% threshold".
    """
    largest = answer.largest
    moved = (
        f"The score moves most with *{largest.name.lower()}*: "
        f"from {_format_exact(answer.score)} to {_format_exact(largest.score)}."
    )
    if threshold is None:
        return moved
    crossing = answer.find_crossing(threshold)
    if not crossing:
        return f"{moved} No change takes it to the other side of the {threshold_name}."
    names = ", ".join(f"*{move.name.lower()}*" for move in crossing)
    below = "above" if answer.score < threshold else "below"
    return (
        f"{moved} It goes {below} the {threshold_name} with {len(crossing)} of {len(answer.moves)} changes: {names}. "
        "An answer that depends on how the photo was taken deserves a second photo."
    )


def _format_exact(score: float) -> str:
    """Write a score below 10% with three digits, as thresholds are: there "7%" would not tell the sides apart."""
    return format_threshold(score) if score < 0.1 else format_score_percent(score)


def add_ruler(view: View) -> View:
    """Draw the millimetre marks of a ruler along the left edge."""
    side, drawn = view.shape[0], view.copy()
    thick = max(1, side // 160)
    for mark in range(1, _RULER_STEPS):
        length = side // 10 if mark % _RULER_MAJOR == 0 else side // 20
        middle = round(mark * side / _RULER_STEPS)
        drawn[middle : middle + thick, :length] = 20
    return drawn


def add_ink(view: View) -> View:
    """Draw four strokes of a surgical marker around the centre."""
    side = view.shape[0]
    stroke: npt.NDArray[np.float32] = np.zeros((side, side), np.float32)
    for start in (20, 110, 200, 290):
        centre, axes = (side // 2, side // 2), (round(0.44 * side), round(0.44 * side))
        cv2.ellipse(stroke, centre, axes, 0, start, start + 45, 1.0, max(2, side // 30), cv2.LINE_AA)
    covered = _INK_OPACITY * cv2.GaussianBlur(stroke, (0, 0), side / 200)[..., None]
    return _to_view(view * (1 - covered) + np.array(_INK, np.float32) * covered)


def add_dark_corners(view: View) -> View:
    """Darken all that lies outside a circle, as the rim of a dermatoscope does."""
    side = view.shape[0]
    place = (np.arange(side) + 0.5) / side - 0.5
    distance = np.hypot(place[:, None], place[None, :])
    light = np.clip((_CORNER_RADIUS + _CORNER_SOFTNESS - distance) / _CORNER_SOFTNESS, 0.03, 1.0)
    return _to_view(view * light[..., None])


def blur(view: View) -> View:
    """Blur a view as a photo out of focus: a Gaussian of 2 px at a side of 240 px."""
    return _to_view(cv2.GaussianBlur(view, (0, 0), view.shape[0] * _BLUR_OF_SIDE))


def shift_hue(view: View, degrees: float) -> View:
    """Turn the hue of every pixel, in degrees of the HSV colour circle: below 0 is redder skin, above is yellower."""
    hsv = cv2.cvtColor(view.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)  # hue 0 to 360
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return _to_view(255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def darken(view: View) -> View:
    """Take away a fifth of the light, linear in the pixel values."""
    return _to_view(view * (1 - DARKER))


def compress(view: View) -> View:
    """Save a view as JPEG at quality 30, and read it again."""
    file = BytesIO()
    Image.fromarray(view).save(file, "JPEG", quality=JPEG_QUALITY)
    return np.asarray(Image.open(file))


def mirror(view: View) -> View:
    """Swap left and right."""
    return np.ascontiguousarray(view[:, ::-1])


def turn(view: View) -> View:
    """Turn by a quarter."""
    return np.ascontiguousarray(np.rot90(view))


def _to_view(pixels: npt.ArrayLike) -> View:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


CHANGES = (
    Change("Ruler at the edge", add_ruler),
    Change("Ink around it", add_ink),
    Change("Dark corners", add_dark_corners),
    Change("Blur", blur),
    Change("Redder", lambda view: shift_hue(view, -HUE_DEGREES)),
    Change("Yellower", lambda view: shift_hue(view, HUE_DEGREES)),
    Change("Darker", darken),
    Change(f"JPEG quality {JPEG_QUALITY}", compress),
    Change("Mirrored", mirror),
    Change("Turned by 90°", turn),
)
"""What is tried, in the order of the chart. Names are short, because they stand beside dots on a phone."""

MEANING = (
    f"Redder and yellower turn the hue by {HUE_DEGREES}°. Darker takes away {DARKER:.0%} of the light. Blur is a "
    "Gaussian of 2 pixels at a side of 240. The changes are drawn on what the networks saw, one at a time."
)
"""How strong the changes are."""
