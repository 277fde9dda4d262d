import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from skinapp.training import augment
from skinapp.training.augment import ColourCast, DarkCorners, Downscale, GreyWorld, TurnedCrop, build_augmentation
from skinapp.training.recipe import Augmentation

SHARES = ("blur", "coarse", "jpeg", "dark_corners", "grey_world")
"""Settings that name the share of photos something is done to."""


def settings(**changes: object) -> Augmentation:
    still = {"crop_scale": (1, 1), "crop_ratio": (1, 1), "flip": False, "quarter_turns": False}
    colours = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0)
    return Augmentation.model_validate(still | colours | changes)


def noise(height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def smooth(height: int, width: int) -> Tensor:
    """Draw a photo without fine detail, the same in no two directions: red rises to the right, green downwards."""
    down, across = torch.linspace(20, 220, height)[:, None], torch.linspace(30, 200, width)[None, :]
    blue = 128 + 60 * torch.sin(down / 40) * torch.cos(across / 30)
    return torch.stack([across.expand(height, width), down.expand(height, width), blue]).round().to(torch.uint8)


@pytest.fixture
def photo() -> Tensor:
    return noise(24, 24)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (33, 33)])
@pytest.mark.parametrize("any_turn", [False, True])
def test_augmented_photos_keep_type_and_get_the_networks_size(height: int, width: int, any_turn: bool) -> None:
    colours = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.05, "cast": 0.1}
    cameras = dict.fromkeys(SHARES, 0.5)
    change = build_augmentation(settings(crop_scale=(0.3, 1), flip=True, any_turn=any_turn, **colours, **cameras), 32)
    photo = noise(height, width)
    kept = photo.clone()
    once, again = change(photo), change(photo)
    assert once.shape == (3, 32, 32)
    assert once.dtype == torch.uint8
    assert not torch.equal(once, again)
    assert torch.equal(photo, kept)


@pytest.mark.parametrize("any_turn", [False, True])
def test_crops_of_a_size_of_their_own(photo: Tensor, any_turn: bool) -> None:
    assert build_augmentation(settings(crop_px=16, any_turn=any_turn), 24)(photo).shape == (3, 16, 16)


def test_no_augmentation_changes_nothing(photo: Tensor) -> None:
    assert torch.equal(build_augmentation(settings(), 24)(photo), photo)


def test_flips_and_quarter_turns_reach_all_eight_sides(photo: Tensor) -> None:
    change = build_augmentation(settings(flip=True, quarter_turns=True), 24)
    turned = [photo.rot90(quarters, (1, 2)) for quarters in range(4)]
    sides = {side.numpy().tobytes() for side in [*turned, *(side.flip(2) for side in turned)]}
    assert {change(photo).numpy().tobytes() for _ in range(200)} == sides


@pytest.mark.parametrize("colour", ["brightness", "contrast", "saturation", "hue", "cast"])
def test_each_colour_setting_has_its_effect(photo: Tensor, colour: str) -> None:
    assert not torch.equal(build_augmentation(settings(**{colour: 0.5}), 24)(photo), photo)


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_photos_is_changed_and_the_others_are_not(name: str) -> None:
    # With half of its red the photo has a cast to take off.
    photo = noise(24, 24)
    photo[0] //= 2
    changed = {
        share: sum(not torch.equal(build_augmentation(settings(**{name: share}), 24)(photo), photo) for _ in range(200))
        for share in (0.25, 1.0)
    }
    assert changed[0.25] == pytest.approx(50, abs=25)
    assert changed[1.0] >= 190  # a shrinking by a factor near 1 changes nothing


def turned(monkeypatch: pytest.MonkeyPatch, photo: Tensor, angle: float, side: int, scale: float = 1.0) -> Tensor:
    monkeypatch.setattr(augment, "_draw_uniform", lambda low, high: angle)
    cut: Tensor = TurnedCrop(side, (scale, scale), (1.0, 1.0))(photo)
    return cut


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_crop_of_all_turned_by_quarters_is_the_photo_turned(monkeypatch: pytest.MonkeyPatch, quarters: int) -> None:
    photo = noise(24, 24)
    difference = turned(monkeypatch, photo, quarters * math.pi / 2, 24).int() - photo.rot90(quarters, (1, 2)).int()
    assert difference.abs().max() <= 1


@pytest.mark.parametrize("angle", [0.4, 2.0, -1.1])
def test_a_turned_crop_keeps_the_middle_and_turns_what_is_beside_it(
    monkeypatch: pytest.MonkeyPatch, angle: float
) -> None:
    photo = smooth(63, 63)
    cut = turned(monkeypatch, photo, angle, 63)
    assert (cut[:, 31, 31].int() - photo[:, 31, 31].int()).abs().max() <= 1
    # 20 px right of the middle of the crop lies what was 20 px from the middle of the photo, at the angle.
    row, column = 31 + round(20 * math.sin(angle)), 31 + round(20 * math.cos(angle))
    assert (cut[:, 31, 51].int() - photo[:, row, column].int()).abs().max() <= 8
    assert (photo[:, 31, 51].int() - photo[:, row, column].int()).abs().max() > 20


def test_what_a_turned_crop_leaves_outside_is_mirrored_in(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = smooth(64, 64)
    corners = turned(monkeypatch, photo, math.pi / 4, 64)[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners >= photo.amin(dim=(1, 2))[:, None]).all()  # no black, as without the mirror


@pytest.mark.parametrize(("height", "width"), [(48, 96), (96, 48)])
def test_a_turned_crop_of_an_oblong_photo_is_not_stretched(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int
) -> None:
    photo = torch.zeros(3, height, width, dtype=torch.uint8)
    down, across = torch.arange(height)[:, None] - height / 2 + 0.5, torch.arange(width)[None, :] - width / 2 + 0.5
    photo[:, torch.hypot(down, across) < 15] = 255
    # A share of a half is a square of 48 px: the whole height or width.
    monkeypatch.setattr(v2.RandomResizedCrop, "make_params", lambda self, flat: middle_box(height, width))
    disc = turned(monkeypatch, photo, 0.6, 48, 0.5)[0] > 127
    rows, columns = torch.where(disc)
    assert (rows.float().mean(), columns.float().mean()) == (pytest.approx(23.5, abs=0.3), pytest.approx(23.5, abs=0.3))
    assert int(rows.max() - rows.min()) == pytest.approx(29, abs=1)
    assert int(columns.max() - columns.min()) == pytest.approx(29, abs=1)


def middle_box(height: int, width: int) -> dict[str, int]:
    side = min(height, width)
    return {"top": (height - side) // 2, "left": (width - side) // 2, "height": side, "width": side}


def test_turned_crops_are_of_many_angles_and_places() -> None:
    crop, photo = TurnedCrop(16, (0.3, 0.6), (0.8, 1.25)), smooth(64, 64)
    middles = torch.stack([crop(photo)[:2, 8, 8] for _ in range(50)]).float()
    assert (middles.std(dim=0) > 5).all()


def test_coarse_photos_have_lost_their_detail_but_not_their_colour() -> None:
    photo = noise(48, 48)
    coarse = Downscale()
    changed = [coarse(photo) for _ in range(20)]
    spreads = torch.tensor([float(one.float().std()) for one in changed])
    assert (spreads <= photo.float().std()).all()
    assert spreads.min() < 0.5 * photo.float().std()
    for one in changed:
        assert one.dtype == torch.uint8
        assert one.shape == photo.shape
        assert one.float().mean(dim=(1, 2)).tolist() == pytest.approx(photo.float().mean(dim=(1, 2)).tolist(), abs=2)


def test_the_coarsest_photo_is_made_of_thirds(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = smooth(45, 45)
    stripes = photo.clone()
    stripes[:, :, ::3] = 0
    monkeypatch.setattr(augment, "_draw_uniform", lambda low, high: high)
    coarse = Downscale()(stripes)[:, 5:-5, 5:-5]  # at the rim a third of a stripe is missing
    ratio = coarse.float() / photo[:, 5:-5, 5:-5]
    assert ratio.min() > 0.5
    assert ratio.max() < 0.8


def test_dark_corners_are_dark_and_the_middle_is_as_it_was() -> None:
    photo = noise(40, 60)
    dark = DarkCorners()(photo)
    assert (dark.shape, dark.dtype) == (photo.shape, torch.uint8)
    assert torch.equal(dark[:, 10:30, 15:45], photo[:, 10:30, 15:45])
    assert (dark <= photo).all()
    for row in (0, -1):
        for column in (0, -1):
            assert (dark[:, row, column] <= augment.OUTSIDE_LIGHT * photo[:, row, column] + 1).all()


def test_the_narrowest_tube_darkens_the_sides_and_the_widest_only_the_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    white = torch.full((3, 41, 41), 255, dtype=torch.uint8)
    for place, lit in ((0, False), (1, True)):
        monkeypatch.setattr(augment, "_draw_uniform", lambda low, high, place=place: (low, high)[place])
        dark = DarkCorners()(white)
        assert bool((dark[:, 20, 0] == 255).all()) == lit
        assert (dark[:, 0, 0] < 10).all()


def test_the_grey_world_has_no_cast() -> None:
    photo = (noise(24, 24).float() * torch.tensor([0.8, 0.5, 0.3])[:, None, None]).to(torch.uint8)
    means = GreyWorld()(photo).float().mean(dim=(1, 2))
    assert means.tolist() == pytest.approx([float(photo.float().mean())] * 3, abs=1)
    assert float(photo.float().mean(dim=(1, 2)).max() - photo.float().mean(dim=(1, 2)).min()) > 50


def test_a_black_channel_stays_black_in_a_grey_world() -> None:
    photo = noise(8, 8)
    photo[2] = 0
    grey = GreyWorld()(photo)
    assert (grey[2] == 0).all()
    assert grey.dtype == torch.uint8


def test_casts_scale_each_channel_by_itself_within_bounds() -> None:
    photo = torch.full((3, 4, 4), 200, dtype=torch.uint8)
    tints = torch.stack([ColourCast(0.2)(photo)[:, 0, 0] for _ in range(300)]).float()
    assert tints.min() >= 0.8 * 200 - 1
    assert tints.max() <= 1.2 * 200
    assert (tints.amin(dim=0) < 170).all()
    assert (tints.amax(dim=0) > 230).all()
    spread = tints.amax(dim=1) - tints.amin(dim=1)
    assert spread.mean() > 10  # not one factor for all three


def test_a_cast_of_bright_photos_is_clamped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "uniform_", lambda self, low, high: self.fill_(high))
    assert (ColourCast(0.5)(torch.full((3, 2, 2), 250, dtype=torch.uint8)) == 255).all()
