from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from skinapp.models.card import Preprocessing
from skinapp.networks import preprocess
from skinapp.networks.preprocess import crop_for_network, normalise, resize_short_side, to_tensor
from skinapp.photo import Photo

MakePhoto = Callable[..., Photo]
SMALL = Preprocessing(resize_px=20, input_px=16)


def ramps(height: int, width: int) -> np.ndarray:
    """Draw red rising by 2 a column, green by 3 a row, blue constant."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[..., 0] = 2 * np.arange(width)
    pixels[..., 1] = 3 * np.arange(height)[:, None]
    pixels[..., 2] = 77
    return pixels


def test_a_constant_photo_by_hand(make_photo: MakePhoto) -> None:
    photo = make_photo(np.full((60, 80, 3), (0, 128, 255), dtype=np.uint8))
    tensor = to_tensor([crop_for_network(photo, SMALL)], SMALL)
    assert tensor.shape == (1, 3, 16, 16)
    assert tensor.dtype == torch.float32
    expected = [(0 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    for channel, value in zip(tensor[0], expected, strict=True):
        torch.testing.assert_close(channel, torch.full((16, 16), value))


def test_ramps_by_hand(make_photo: MakePhoto) -> None:
    view = crop_for_network(make_photo(ramps(40, 80)), SMALL)
    # Halved, pixel x stands where 2x + 0.5 was, and 40 x 20 pixels lose 12 columns on each side and 2 rows.
    assert view[5, :, 0].tolist() == [2 * (2 * (x + 12) + 0.5) for x in range(16)]
    greens = [3 * (2 * (y + 2) + 0.5) for y in range(16)]
    assert view[:, 5, 1].tolist() == pytest.approx(greens, abs=0.5)
    assert (view[..., 2] == 77).all()


def test_the_crop_is_centred(make_photo: MakePhoto) -> None:
    photo = make_photo(3, size=(64, 40))
    view = crop_for_network(photo, Preprocessing(resize_px=40, input_px=32))
    assert np.array_equal(view, photo.pixels[4:36, 16:48])


@pytest.mark.parametrize("flip", [(slice(None, None, -1),), (slice(None), slice(None, None, -1))])
def test_a_mirrored_photo_gives_the_mirrored_view(make_photo: MakePhoto, flip: tuple[slice, ...]) -> None:
    pixels = make_photo(4, size=(72, 60)).pixels  # 24 x 20 pixels then: the margins are even
    view = crop_for_network(make_photo(pixels), SMALL).astype(int)
    mirrored = crop_for_network(make_photo(pixels[flip]), SMALL).astype(int)[flip]
    assert np.abs(view - mirrored).max() <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"resize_px": 24},
        {"input_px": 14},
        {"mean": (0.486, 0.456, 0.406)},
        {"mean": (0.485, 0.456, 0.405)},
        {"std": (0.229, 0.225, 0.225)},
    ],
)
def test_every_constant_counts(make_photo: MakePhoto, change: dict[str, object]) -> None:
    photo = make_photo(5)
    changed = Preprocessing.model_validate(SMALL.model_dump() | change)
    usual, other = (to_tensor([crop_for_network(photo, p)], p) for p in (SMALL, changed))
    assert usual.shape != other.shape or (usual - other).abs().max() > 1e-3


@pytest.mark.parametrize("size", [(32, 40), (40, 32), (33, 900), (900, 33), (21, 20)])
def test_every_shape_becomes_a_square(make_photo: MakePhoto, size: tuple[int, int]) -> None:
    view = crop_for_network(make_photo(6, size), SMALL)
    assert view.shape == (16, 16, 3)
    assert view.dtype == np.uint8


def test_a_strip_is_cut_before_it_is_enlarged(make_photo: MakePhoto, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[tuple[int, ...]] = []

    def watched(pixels: np.ndarray, short_side_px: int) -> np.ndarray:
        arrived.append(pixels.shape)
        return resize_short_side(pixels, short_side_px)

    monkeypatch.setattr(preprocess, "resize_short_side", watched)
    strip = make_photo(7, size=(32, 5000)).pixels
    large = Preprocessing(resize_px=64, input_px=64)
    view = crop_for_network(make_photo(strip), large)
    assert arrived == [(64, 32, 3)]
    middle = strip[2500 - 32 : 2500 + 32]
    assert np.array_equal(view, crop_for_network(make_photo(middle), large))
    lying = crop_for_network(make_photo(np.swapaxes(strip, 0, 1)), large)
    assert arrived[-1] == (32, 64, 3)
    assert np.abs(np.swapaxes(view, 0, 1).astype(int) - lying).max() <= 2


def test_shrink_sets_the_short_side_and_keeps_the_ratio() -> None:
    assert resize_short_side(ramps(60, 80), 30).shape == (30, 40, 3)
    assert resize_short_side(ramps(80, 60), 30).shape == (40, 30, 3)
    same = ramps(60, 80)
    assert resize_short_side(same, 60) is same


def test_shrinking_is_smoothed_against_aliasing() -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resize_short_side(stripes, 16)[:, 2:-2].astype(int) - 127.5).max() < 10


def test_a_batch_keeps_its_order_and_lies_channels_last(make_photo: MakePhoto) -> None:
    views = [crop_for_network(make_photo(seed), SMALL) for seed in (8, 9)]
    batch = to_tensor(views, SMALL)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    planes = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    assert normalise(planes, SMALL).is_contiguous(memory_format=torch.channels_last)
    for view, photo in zip(views, batch, strict=True):
        torch.testing.assert_close(photo[None], normalise(torch.tensor(view).permute(2, 0, 1)[None], SMALL))


def test_a_crop_larger_than_the_photo_is_refused() -> None:
    with pytest.raises(ValidationError, match="input_px must not exceed resize_px"):
        Preprocessing(resize_px=20, input_px=21)
