import numpy as np
import pytest

from skinapp.training.gate.drawn import FITTED, MEASURED, draw_kind
from skinapp.training.gate.skin import paste_lesion


@pytest.mark.parametrize("kind", [*FITTED, *MEASURED])
def test_drawings_are_the_same_for_the_same_seed_alone(kind: str) -> None:
    draw = (FITTED | MEASURED)[kind]
    first, again, other = (list(draw_kind(draw, 3, 64, seed)) for seed in (1, 1, 2))
    assert len(first) == 3
    for picture, same in zip(first, again, strict=True):
        assert picture.shape == (64, 64, 3)
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, same)
    assert any((picture != one).any() for picture, one in zip(first, other, strict=True))
    assert (first[0] != first[1]).any()


def test_no_kind_is_both_fitted_and_measured() -> None:
    assert not FITTED.keys() & MEASURED.keys()


def test_a_pasted_lesion_is_small_and_darker_than_the_skin_around_it() -> None:
    photo = np.full((60, 80, 3), 200, np.uint8)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    photo[mask] = 40
    for seed in range(8):
        pasted, without = (
            paste_lesion(np.random.default_rng(seed), 96, photo, shown).astype(float).mean(axis=2)
            for shown in (mask, np.zeros_like(mask))
        )
        assert 0.001 < (without - pasted > 15).mean() < 0.2
