import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from skinapp.datasets.files import no_progress
from skinapp.datasets.table import image_table, read_table
from skinapp.errors import PhotoError
from skinapp.networks.preprocess import network_view
from skinapp.photo import read_photo_file
from skinapp.training.batches import (
    EpochSampler,
    augmentation,
    decode,
    sampling_weights,
    targets,
    training_batches,
    validation_batches,
)
from skinapp.training.recipe import Augmentation, Recipe, read_recipe

WriteRecipe = Callable[..., Path]


@pytest.fixture
def recipe(tmp_path: Path, write_recipe: WriteRecipe) -> Recipe:
    return read_recipe(write_recipe(tmp_path / "recipe.toml"))


@pytest.fixture
def table(data_root: Path) -> pd.DataFrame:
    table = read_table(data_root / "table.parquet")
    return table[table["split"] == "train"].reset_index(drop=True)


def test_targets_follow_the_recipes_classes(tmp_path: Path, write_recipe: WriteRecipe, recipe: Recipe) -> None:
    rows = {"image_id": ["a", "b", "c"], "diagnosis": ["vasc", "akiec", "nv"], "malignant": [False, True, False]}
    table = image_table(pd.DataFrame(rows))
    types = read_recipe(write_recipe(tmp_path / "types.toml", ('"malignancy"', '"lesion_type"')))
    assert targets(table, recipe).tolist() == [1, 0, 1]
    assert targets(table, types).tolist() == [7, 0, 5]
    assert targets(table, types).dtype == np.int64


def test_sampling_weights_by_hand() -> None:
    classes = np.array([0, 0, 1, 0, 0])
    assert sampling_weights(classes, 0).tolist() == pytest.approx([1 / 5] * 5)
    assert sampling_weights(classes, 0.5).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 6, 1 / 6])
    assert sampling_weights(classes, 1).tolist() == pytest.approx([1 / 8, 1 / 8, 1 / 2, 1 / 8, 1 / 8])


def drawn(seed: int, epoch: int) -> list[int]:
    sampler = EpochSampler(np.full(50, 1 / 50), seed)
    sampler.set_epoch(epoch)
    return list(sampler)


def test_seed_and_epoch_alone_decide_the_draws() -> None:
    assert drawn(1, 2) == drawn(1, 2)
    assert len({tuple(drawn(*pair)) for pair in itertools.product((1, 2, 3), repeat=2)}) == 9


def test_draws_as_many_as_there_are_by_weight() -> None:
    sampler = EpochSampler(np.array([0.0, 0.2, 0.8] + [0.0] * 997), seed=1)
    photos = list(sampler)
    assert len(photos) == len(sampler) == 1000
    assert set(photos) == {1, 2}
    assert photos.count(2) == pytest.approx(800, abs=60)


def settings(**changes: object) -> Augmentation:
    still = {"crop_scale": (1, 1), "crop_ratio": (1, 1), "flip": False, "quarter_turns": False}
    colours = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0)
    return Augmentation.model_validate(still | colours | changes)


@pytest.fixture
def photo() -> torch.Tensor:
    return torch.randint(0, 256, (3, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (33, 33)])
def test_augmented_photos_keep_type_and_get_the_networks_size(height: int, width: int) -> None:
    change = augmentation(
        settings(crop_scale=(0.3, 1), brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05, flip=True), 32
    )
    photo = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    once, again = change(photo), change(photo)
    assert once.shape == (3, 32, 32)
    assert once.dtype == torch.uint8
    assert not torch.equal(once, again)


def test_crops_of_a_size_of_their_own(photo: torch.Tensor) -> None:
    assert augmentation(settings(crop_px=16), 24)(photo).shape == (3, 16, 16)


def test_no_augmentation_changes_nothing(photo: torch.Tensor) -> None:
    assert torch.equal(augmentation(settings(), 24)(photo), photo)


def test_flips_and_quarter_turns_reach_all_eight_sides(photo: torch.Tensor) -> None:
    torch.manual_seed(0)
    change = augmentation(settings(flip=True, quarter_turns=True), 24)
    turned = [photo.rot90(quarters, (1, 2)) for quarters in range(4)]
    sides = {side.numpy().tobytes() for side in [*turned, *(side.flip(2) for side in turned)]}
    assert {change(photo).numpy().tobytes() for _ in range(200)} == sides


@pytest.mark.parametrize("colour", ["brightness", "contrast", "saturation", "hue"])
def test_each_colour_setting_has_its_effect(photo: torch.Tensor, colour: str) -> None:
    assert not torch.equal(augmentation(settings(**{colour: 0.5}), 24)(photo), photo)


def test_validation_sees_what_the_app_will_see(table: pd.DataFrame, data_root: Path, recipe: Recipe) -> None:
    batches = list(validation_batches(table, data_root, recipe, no_progress))
    assert [len(classes) for _, classes in batches] == [8, 8, 8]
    photos = torch.cat([photos for photos, _ in batches])
    for path, photo in zip(table["path"], photos, strict=True):
        view = network_view(read_photo_file(data_root / path), recipe.input)
        assert np.array_equal(photo.permute(1, 2, 0).numpy(), view)
    assert torch.cat([classes for _, classes in batches]).tolist() == targets(table, recipe).tolist()


def test_training_batches_hold_the_photos_that_were_drawn(table: pd.DataFrame, data_root: Path, recipe: Recipe) -> None:
    batches = list(training_batches(table, data_root, recipe, 0, no_progress))
    weights = sampling_weights(targets(table, recipe), 0.5)
    expected = targets(table, recipe)[list(EpochSampler(weights, recipe.seed))]
    assert torch.cat([classes for _, classes in batches]).tolist() == expected.tolist()
    assert {(tuple(photos.shape), photos.dtype) for photos, _ in batches} == {((8, 3, 32, 32), torch.uint8)}


def test_a_short_last_batch_is_dropped_unless_it_is_all_there_is(
    table: pd.DataFrame, data_root: Path, recipe: Recipe
) -> None:
    sizes = {
        n: [len(c) for _, c in training_batches(table.head(n), data_root, recipe, 0, no_progress)] for n in (5, 13)
    }
    assert sizes == {5: [5], 13: [8]}


def test_a_photo_that_cannot_be_read_is_named(table: pd.DataFrame, data_root: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for path in (tmp_path / "broken.jpg", tmp_path / "absent.jpg"):
        spoilt = pd.DataFrame({"path": [table["path"][0], str(path)]})
        with pytest.raises(PhotoError, match=path.stem):
            decode(spoilt, data_root, lambda photo: photo.pixels, no_progress)


def test_reading_reports_progress(table: pd.DataFrame, data_root: Path) -> None:
    seen: list[tuple[int, int]] = []
    decode(table.head(3), data_root, lambda photo: photo.pixels, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
