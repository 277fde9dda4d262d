"""The lesion is found where it is drawn, and not where there is none."""

import cv2
import numpy as np
import pytest

from skinapp.photo.lesion_box import LesionBox, locate_lesion

SKIN, LESION = (222, 180, 165), (120, 75, 60)


def draw(centre: tuple[float, float], radius: float, size: tuple[int, int] = (300, 400), noise: int = 6) -> np.ndarray:
    """Draw skin with a round lesion; its centre and radius are shares of width, height and short side."""
    height, width = size
    pixels = np.full((height, width, 3), SKIN, np.uint8)
    at = (round(centre[0] * width), round(centre[1] * height))
    cv2.circle(pixels, at, round(radius * min(size)), LESION, -1)
    jitter = np.random.default_rng(0).integers(-noise, noise + 1, pixels.shape)
    return np.clip(pixels + jitter, 0, 255).astype(np.uint8)


def found(pixels: np.ndarray) -> LesionBox:
    box = locate_lesion(pixels)
    assert box is not None
    return box


@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.3, 0.4), (0.75, 0.7)])
@pytest.mark.parametrize("size", [(300, 400), (500, 300), (64, 64), (1200, 1600)])
def test_the_box_is_around_the_lesion(centre: tuple[float, float], size: tuple[int, int]) -> None:
    height, width = size
    radius = 0.18
    box = found(draw(centre, radius, size))
    wide, high = radius * min(size) / width, radius * min(size) / height
    expected = (centre[0] - wide, centre[1] - high, centre[0] + wide, centre[1] + high)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(expected, abs=0.05)
    assert box.area == pytest.approx(np.pi * wide * high, rel=0.35)
    assert box.edge == 0
    assert box.contrast > 20


def test_a_lesion_that_the_frame_cuts_lies_on_its_edge() -> None:
    assert found(draw((0.02, 0.5), 0.3)).edge > 0.1


def test_the_dark_outside_of_a_round_field_is_no_lesion() -> None:
    pixels = draw((0.55, 0.5), 0.12, (300, 300))
    rows, columns = np.mgrid[:300, :300]
    pixels[(rows - 150) ** 2 + (columns - 150) ** 2 > 140**2] = 3
    box = found(pixels)
    assert box.centre == pytest.approx((0.55, 0.5), abs=0.05)
    assert box.area < 0.1


def test_a_hair_is_no_lesion() -> None:
    pixels = draw((0.4, 0.5), 0.15)
    cv2.line(pixels, (0, 20), (400, 280), (30, 20, 20), 2)
    assert found(pixels).centre == pytest.approx((0.4, 0.5), abs=0.08)


def test_of_two_spots_the_one_near_the_centre_counts() -> None:
    pixels = draw((0.5, 0.55), 0.12)
    cv2.circle(pixels, (30, 30), 30, LESION, -1)
    assert found(pixels).centre == pytest.approx((0.5, 0.55), abs=0.05)


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_flat_picture_has_no_lesion(value: int) -> None:
    assert locate_lesion(np.full((200, 260, 3), value, np.uint8)) is None


def test_bare_skin_has_no_lesion() -> None:
    assert locate_lesion(draw((0.5, 0.5), 0.0, noise=6)[:, :120]) is None
