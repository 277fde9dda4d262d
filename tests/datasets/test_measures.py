from pathlib import Path

import cv2
import numpy as np
import pytest

from skinapp.datasets.measures import MEASURES, SIDE_PX, compute_perceptual_hash, measure


def draw_flat(grey: int, size: tuple[int, int] = (SIDE_PX, SIDE_PX)) -> np.ndarray:
    return np.full((*size, 3), grey, dtype=np.uint8)


def draw_scene(seed: int) -> np.ndarray:
    """Draw a smooth picture, uint8 (300, 400, 3), of which no two are alike."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, (400, 300), interpolation=cv2.INTER_CUBIC)


def count_bits(first: np.ndarray, second: np.ndarray) -> int:
    return (int(compute_perceptual_hash(first), 16) ^ int(compute_perceptual_hash(second), 16)).bit_count()


@pytest.mark.parametrize("size", [(SIDE_PX, SIDE_PX), (600, 450), (60, 40)])
def test_a_flat_grey_picture_is_as_bright_as_it_is_and_has_nothing_else(size: tuple[int, int]) -> None:
    expected = {"red": 100, "green": 100, "blue": 100, "brightness": 100}
    assert measure(draw_flat(100, size)) == expected | {"contrast": 0, "sharpness": 0, "dark_corners": 0}


def test_colours_keep_their_names() -> None:
    red = draw_flat(0)
    red[..., 0] = 255
    found = measure(red)
    assert list(found) == list(MEASURES)
    assert (found["red"], found["green"], found["blue"]) == (255, 0, 0)
    assert found["brightness"] == round(0.299 * 255)  # BT.601's weight of red


def test_contrast_is_the_standard_deviation() -> None:
    halves = draw_flat(100)
    halves[: SIDE_PX // 2] = 140
    assert (measure(halves)["brightness"], measure(halves)["contrast"]) == (120, 20)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    stripes = draw_flat(100)
    stripes[:, ::2] = 110  # each column differs from both beside it by 10: the Laplacian is 20 or -20
    assert measure(stripes)["sharpness"] == 400


def test_a_blurred_picture_is_less_sharp() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert measure(cv2.GaussianBlur(noise, (0, 0), 2))["sharpness"] < measure(noise)["sharpness"] / 10


def test_a_larger_copy_is_not_a_sharper_one() -> None:
    picture = draw_scene(0)
    larger = cv2.resize(picture, (800, 600), interpolation=cv2.INTER_CUBIC)
    assert measure(larger)["sharpness"] == pytest.approx(measure(picture)["sharpness"], rel=0.1)


def test_dark_corners_are_counted_in_squares_of_a_tenth() -> None:
    side = round(SIDE_PX / 10)
    round_field = draw_flat(255)
    for rows in (slice(side), slice(-side, None)):
        for columns in (slice(side), slice(-side, None)):
            round_field[rows, columns] = 0
    assert measure(round_field)["dark_corners"] == 1
    white = 1 - 4 * side**2 / SIDE_PX**2
    assert measure(round_field)["brightness"] == pytest.approx(255 * white, abs=1e-3)
    one = draw_flat(255)
    one[:side, :side] = 49
    assert measure(one)["dark_corners"] == 0.25
    one[:side, :side] = 50  # not dark any more
    assert measure(one)["dark_corners"] == 0
    middle = draw_flat(255)
    middle[side:-side, side:-side] = 0
    assert measure(middle)["dark_corners"] == 0


def test_a_hash_is_near_for_a_copy_and_far_for_another_picture(tmp_path: Path) -> None:
    picture = draw_scene(0)
    squashed = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "copy.jpg"), squashed, [cv2.IMWRITE_JPEG_QUALITY, 60])
    recompressed = cv2.imread(str(tmp_path / "copy.jpg"))
    assert len(compute_perceptual_hash(picture)) == 64
    assert count_bits(picture, picture) == 0
    assert count_bits(picture, recompressed) <= 14
    assert all(count_bits(picture, draw_scene(seed)) > 80 for seed in range(1, 6))
