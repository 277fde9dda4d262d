from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from skinapp.photo import DECODE_SIDE, Square, read_photo
from skinapp.photo.square import LEAST_SIDE, find_largest_square, fit_square, propose_square


def encode(width: int, height: int, orientation: int = 1) -> bytes:
    """Encode a smooth photo whose colour says where a pixel lies in the upright photo."""
    upright = (height, width) if orientation > 4 else (width, height)
    columns, rows = np.meshgrid(np.linspace(0, 255, upright[0]), np.linspace(0, 255, upright[1]))
    pixels = np.stack([columns, rows, np.full_like(rows, 128)], -1).round().astype(np.uint8)
    stored = {
        1: pixels,
        2: np.fliplr(pixels),
        3: np.rot90(pixels, 2),
        4: np.flipud(pixels),
        5: pixels.swapaxes(0, 1),
        6: np.rot90(pixels),
        7: np.rot90(pixels, 2).swapaxes(0, 1),
        8: np.rot90(pixels, -1),
    }[orientation]
    exif, file = Image.Exif(), BytesIO()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(600, 450), (2_000, 1_500)])
def test_a_square_is_cut_from_where_it_lies_in_the_upright_photo(size: tuple[int, int], orientation: int) -> None:
    data = encode(*size, orientation)
    whole = read_photo(data)
    square = fit_square(whole.width * 0.5, whole.height * 0.1, 300, whole.width, whole.height)
    cut = read_photo(data, square)
    assert cut.pixels.shape == (300, 300, 3)
    assert (cut.width, cut.height, cut.sha256) == (whole.width, whole.height, whole.sha256)
    for (row, column), (down, across) in {(0, 0): (0, 0), (-1, -1): (1, 1), (0, -1): (0, 1)}.items():
        expected = (
            255 * (square.left + across * square.side) / whole.width,
            255 * (square.top + down * square.side) / whole.height,
        )
        assert cut.pixels[row, column, :2] == pytest.approx(expected, abs=4)


def test_a_small_square_of_a_large_photo_is_not_reduced() -> None:
    data = encode(4_000, 3_000)
    assert min(read_photo(data).pixels.shape[:2]) < 2 * DECODE_SIDE
    assert read_photo(data, Square(1_000, 500, 900)).pixels.shape == (900, 900, 3)


def test_the_central_square_is_the_whole_photo() -> None:
    data = encode(600, 450)
    whole = read_photo(data)
    assert np.array_equal(read_photo(data, find_largest_square(600, 450)).pixels, whole.pixels)


@pytest.mark.parametrize(
    ("wished", "fitted"),
    [
        ((-10, -10, 100), Square(0, 0, 100)),
        ((590, 440, 100), Square(500, 350, 100)),
        ((0, 0, 9_999), Square(0, 0, 450)),
        ((10, 20, 1), Square(10, 20, LEAST_SIDE)),
    ],
)
def test_a_square_is_fitted_into_its_photo(wished: tuple[float, float, float], fitted: Square) -> None:
    assert fit_square(*wished, 600, 450) == fitted


def test_a_photo_shorter_than_the_least_side_is_taken_whole() -> None:
    assert fit_square(0, 0, 10, 40, 50) == Square(0, 0, 40)


@pytest.mark.parametrize(
    ("box", "proposed"),
    [
        ((200, 120, 400, 330), find_largest_square(600, 450)),  # large, near the centre
        ((290, 215, 320, 235), Square(273, 193, LEAST_SIDE)),  # tiny
        ((40, 40, 140, 140), Square(0, 0, 200)),  # near a corner
        ((0, 50, 320, 400), Square(0, 0, 450)),  # large and to the left: the whole short side, moved
    ],
)
def test_the_proposal_is_central_unless_the_lesion_is_small_or_off_the_centre(
    box: tuple[float, float, float, float], proposed: Square
) -> None:
    assert propose_square(box, 600, 450) == proposed


@pytest.mark.parametrize("seed", range(20))
def test_a_proposal_lies_in_the_photo_and_leaves_room_around_the_lesion(seed: int) -> None:
    random = np.random.default_rng(seed)
    left, top = random.uniform(0, 500), random.uniform(0, 350)
    box = (left, top, min(left + random.uniform(5, 300), 600), min(top + random.uniform(5, 300), 450))
    square = propose_square(box, 600, 450)
    assert square == fit_square(square.left, square.top, square.side, 600, 450)
    if square != find_largest_square(600, 450):
        assert square.side >= min(2 * max(box[2] - box[0], box[3] - box[1]), 450) - 1
        assert square.left <= box[0] + 1
        assert box[2] <= square.left + square.side + 1 or square.side == 450
