import numpy as np
import pytest

from skinapp.training.squeezed.doubling import append_copies, make_copies, zoom


@pytest.fixture
def photos() -> np.ndarray:
    """Make 20 photos, uint8 (75, 100, 3), all different."""
    return np.random.default_rng(3).integers(0, 256, (20, 75, 100, 3), dtype=np.uint8)


def test_half_of_the_copies_are_flipped_and_half_zoomed(photos: np.ndarray) -> None:
    copies = make_copies(photos, 1)
    flipped = [(copy == photo[:, ::-1]).all() for copy, photo in zip(copies, photos, strict=True)]
    enlarged = [(copy == zoom(photo)).all() for copy, photo in zip(copies, photos, strict=True)]
    assert (sum(flipped), sum(enlarged)) == (10, 10)
    assert (make_copies(photos, 1) == copies).all()
    assert not (make_copies(photos, 2) == copies).all()


def test_a_zoom_shows_the_central_third() -> None:
    photo = np.zeros((75, 100), dtype=np.uint8)
    photo[25:50, 33:66] = 200
    assert (zoom(photo) == 200).all()
    photo[25:50, 33:50] = 0
    assert (zoom(photo)[:, :45] == 0).all()
    assert (zoom(photo)[:, 55:] == 200).all()


def test_what_is_cut_off_the_end_are_copies_of_what_is_trained_on(photos: np.ndarray) -> None:
    classes = np.arange(20)
    (trained, trained_classes), (cut, cut_classes) = append_copies(photos, classes, 0.4, seed=1)
    assert (len(trained), len(cut)) == (24, 16)
    assert (trained[:20] == photos).all()
    assert (cut == make_copies(photos, 1)[4:]).all()
    assert set(cut_classes) <= set(trained_classes[:20])


@pytest.mark.parametrize(("side", "start", "length"), [(75, 12, 63), (100, 16, 84)])
def test_the_earlier_code_s_crop_is_no_crop_of_the_centre(side: int, start: int, length: int) -> None:
    radius = int((1 - 0.33) * side * 2)
    places = np.arange(side)[side // 2 - radius : side // 2 + radius]
    assert (places[0], len(places)) == (start, length)  # as the module says of a start below zero
    assert side // 2 - radius < 0
    assert side // 2 + radius > side  # cut off at the edges, it is the whole photo
