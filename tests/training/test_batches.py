import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import build_image_table, read_table
from skinapp.errors import DatasetError, PhotoError
from skinapp.networks.preprocess import crop_for_network
from skinapp.photo import read_photo_file
from skinapp.training.batches import (
    UNTYPED,
    Draw,
    EpochSampler,
    compute_class_shares,
    compute_photo_weights,
    compute_sampling_weights,
    decode_photos,
    encode_classes,
    load_training_batches,
    load_validation_batches,
)
from skinapp.training.recipe import Recipe, read_recipe

WriteRecipe = Callable[..., Path]


@pytest.fixture
def recipe(tmp_path: Path, write_recipe: WriteRecipe) -> Recipe:
    return read_recipe(write_recipe(tmp_path / "recipe.toml"))


@pytest.fixture
def table(data_root: Path) -> pd.DataFrame:
    table = read_table(data_root / "table.parquet")
    return table[table["split"] == "train"].reset_index(drop=True)


def pair(folder: Path, write_recipe: WriteRecipe, *changes: tuple[str, str]) -> Recipe:
    """Read a recipe of two heads; three kinds of photos are enough to count by hand."""
    return read_recipe(write_recipe(folder / "pair.toml", ('role = "malignancy"', 'role = "both"'), *changes))


def test_targets_follow_the_recipes_classes(tmp_path: Path, write_recipe: WriteRecipe, recipe: Recipe) -> None:
    rows = {"image_id": ["a", "b", "c"], "diagnosis": ["vasc", "akiec", "nv"], "malignant": [False, True, False]}
    table = build_image_table(pd.DataFrame(rows))
    types = read_recipe(write_recipe(tmp_path / "types.toml", ('"malignancy"', '"lesion_type"')))
    assert encode_classes(table, recipe).tolist() == [[1], [0], [1]]
    assert encode_classes(table, types).tolist() == [[7], [0], [5]]
    assert encode_classes(table, pair(tmp_path, write_recipe)).tolist() == [[1, 7], [0, 0], [1, 5]]
    assert encode_classes(table, types).dtype == np.int64


def test_sampling_weights_by_hand() -> None:
    classes = np.array([0, 0, 1, 0, 0])
    assert compute_sampling_weights(classes, 0).tolist() == pytest.approx([1 / 5] * 5)
    assert compute_sampling_weights(classes, 0.5).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 6, 1 / 6])
    assert compute_sampling_weights(classes, 1).tolist() == pytest.approx([1 / 8, 1 / 8, 1 / 2, 1 / 8, 1 / 8])


@pytest.fixture
def three_kinds() -> pd.DataFrame:
    """Name eight photos: five nevi, two melanomas, a basal cell carcinoma."""
    diagnoses = ["nv"] * 5 + ["mel"] * 2 + ["bcc"]
    rows = {"image_id": list("abcdefgh"), "diagnosis": diagnoses, "malignant": [False] * 5 + [True] * 3}
    return build_image_table(pd.DataFrame(rows))


THREE = ('.parquet"\n', '.parquet"\nclasses = ["bcc", "mel", "nv"]\n')


def test_photos_are_drawn_by_the_recipe_s_task(
    tmp_path: Path, write_recipe: WriteRecipe, three_kinds: pd.DataFrame, recipe: Recipe
) -> None:
    # Exponent 0.5: each photo by one over the root of how many its class has; of a pair that is its lesion type.
    by_type = np.array([5**-0.5] * 5 + [2**-0.5] * 2 + [1.0])
    two = pair(tmp_path, write_recipe, THREE)
    assert compute_photo_weights(three_kinds, two) == pytest.approx(by_type / by_type.sum())
    malignancy = np.array([5**-0.5] * 5 + [3**-0.5] * 3)
    assert compute_photo_weights(three_kinds, recipe) == pytest.approx(malignancy / malignancy.sum())


def test_shares_of_classes_as_they_come_and_as_they_are_drawn(
    tmp_path: Path, write_recipe: WriteRecipe, three_kinds: pd.DataFrame
) -> None:
    two = pair(tmp_path, write_recipe, THREE, ("balance_exponent = 0.5", "balance_exponent = 1"))
    natural = compute_class_shares(three_kinds, two)
    assert list(natural) == ["malignancy", "lesion_type"]
    assert natural["malignancy"] == pytest.approx([3 / 8, 5 / 8])
    assert natural["lesion_type"] == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    drawn = compute_class_shares(three_kinds, two, compute_photo_weights(three_kinds, two))
    assert drawn["malignancy"] == pytest.approx([2 / 3, 1 / 3])
    assert drawn["lesion_type"] == pytest.approx([1 / 3] * 3)


def test_a_class_without_a_photo_has_share_0(
    tmp_path: Path, write_recipe: WriteRecipe, three_kinds: pd.DataFrame
) -> None:
    shares = compute_class_shares(three_kinds, pair(tmp_path, write_recipe))["lesion_type"]
    assert shares == pytest.approx([0, 1 / 8, 0, 0, 2 / 8, 5 / 8, 0, 0])


def test_photos_without_a_type_are_a_class_of_their_own_to_draw_and_share_that_of_their_kind(
    tmp_path: Path, write_recipe: WriteRecipe
) -> None:
    diagnoses = ["nv"] * 3 + ["bkl"] + ["mel"] * 2 + ["bcc"] + [None] * 5
    malignant = [code in ("mel", "bcc") for code in diagnoses[:7]] + [False] * 4 + [True]
    rows = {"image_id": list("abcdefghijkl"), "diagnosis": diagnoses, "malignant": malignant}
    table = build_image_table(pd.DataFrame(rows))
    classes = ('.parquet"\n', '.parquet"\nclasses = ["bcc", "bkl", "mel", "nv"]\n')
    recipe = pair(tmp_path, write_recipe, classes)
    assert encode_classes(table, recipe)[7:].tolist() == [[1, UNTYPED]] * 4 + [[0, UNTYPED]]
    weights = np.array([3**-0.5] * 3 + [1.0] + [2**-0.5] * 2 + [1.0] + [5**-0.5] * 5)
    assert compute_photo_weights(table, recipe) == pytest.approx(weights / weights.sum())
    # Four benign photos more for four with a type, one malignant for three: each type has twice, or a third more.
    shares = compute_class_shares(table, recipe)
    assert shares["malignancy"] == pytest.approx([4 / 12, 8 / 12])
    assert shares["lesion_type"] == pytest.approx([4 / 36, 2 / 12, 8 / 36, 6 / 12])


def test_crops_grow_at_their_epoch_and_answers_come_along(
    tmp_path: Path, table: pd.DataFrame, data_root: Path, write_recipe: WriteRecipe
) -> None:
    stages = "".join(
        f"[[augmentation.stages]]\nfrom_epoch = {epoch}\ncrop_px = {px}\n" for epoch, px in ((2, 24), (4, 28))
    )
    path = write_recipe(tmp_path / "staged.toml", ("hue = 0", f"hue = 0\ncrop_px = 16\n{stages}"))
    answers = np.arange(len(table) * 2, dtype=np.float32).reshape(-1, 2)
    batches = load_training_batches(table, data_root, read_recipe(path), 0, ignore_progress, answers)
    sides = []
    for epoch in range(5):
        batches.sampler.set_epoch(epoch)
        drawn_rows = rows(batches.sampler)
        photos, _, told = next(iter(batches))
        sides.append(photos.shape[-1])
        assert told.tolist() == answers[drawn_rows[: len(told)]].tolist()
    assert sides == [16, 24, 24, 28, 28]


def drawn(seed: int, epoch: int) -> list[int]:
    sampler = EpochSampler(np.full(50, 1 / 50), seed)
    sampler.set_epoch(epoch)
    return rows(sampler)


def rows(sampler: Iterable[Draw]) -> list[int]:
    return [draw.photo for draw in sampler]


def test_seed_and_epoch_alone_decide_the_draws() -> None:
    assert drawn(1, 2) == drawn(1, 2)
    assert len({tuple(drawn(*pair)) for pair in itertools.product((1, 2, 3), repeat=2)}) == 9


def test_draws_as_many_as_there_are_by_weight() -> None:
    sampler = EpochSampler(np.array([0.0, 0.2, 0.8] + [0.0] * 997), seed=1)
    photos = rows(sampler)
    assert len(photos) == len(sampler) == 1000
    assert set(photos) == {1, 2}
    assert photos.count(2) == pytest.approx(800, abs=60)


def test_without_replacement_photos_alike_come_once_an_epoch_in_another_order_each() -> None:
    sampler = EpochSampler(np.full(997, 1 / 997), seed=1, replacement=False)
    first = rows(sampler)
    sampler.set_epoch(1)
    second = rows(sampler)
    assert sorted(first) == sorted(second) == list(range(997))
    assert first != second
    assert rows(EpochSampler(np.full(997, 1 / 997), seed=1, replacement=False)) == first


def test_without_replacement_a_photo_comes_as_often_as_its_weight_says_rounded_by_lot() -> None:
    weights = np.array([2.0, 1.5, 1.5, 1.25, 0.75, 0.5, 0.5, 0.0]) / 8
    sampler = EpochSampler(weights, seed=1, replacement=False)
    counts = np.zeros((1000, 8))
    for epoch in range(len(counts)):
        sampler.set_epoch(epoch)
        counts[epoch] = np.bincount(rows(sampler), minlength=8)
    assert (np.abs(counts - weights * 8) < 1).all()
    assert counts.mean(axis=0) == pytest.approx(weights * 8, abs=0.06)
    assert (counts[:, 5:7].sum(axis=1) != 1).any(), "neighbours in the table are rounded each by itself"


def test_a_recipe_may_ask_for_each_photo_once(
    tmp_path: Path, table: pd.DataFrame, data_root: Path, write_recipe: WriteRecipe
) -> None:
    path = write_recipe(tmp_path / "once.toml", ("balance_exponent = 0.5", "balance_exponent = 0\nreplacement = false"))
    batches = load_training_batches(table, data_root, read_recipe(path), 0, ignore_progress)
    assert sorted(rows(batches.sampler)) == list(range(len(table)))


def test_validation_sees_what_the_app_will_see(table: pd.DataFrame, data_root: Path, recipe: Recipe) -> None:
    batches = list(load_validation_batches(table, data_root, recipe, ignore_progress))
    assert [len(classes) for _, classes in batches] == [8, 8, 8]
    photos = torch.cat([photos for photos, _ in batches])
    for path, photo in zip(table["path"], photos, strict=True):
        view = crop_for_network(read_photo_file(data_root / path), recipe.input)
        assert np.array_equal(photo.permute(1, 2, 0).numpy(), view)
    assert torch.cat([classes for _, classes in batches]).tolist() == encode_classes(table, recipe).tolist()


def test_training_batches_hold_the_photos_that_were_drawn(table: pd.DataFrame, data_root: Path, recipe: Recipe) -> None:
    batches = list(load_training_batches(table, data_root, recipe, 0, ignore_progress))
    weights = compute_photo_weights(table, recipe)
    expected = encode_classes(table, recipe)[rows(EpochSampler(weights, recipe.seed))]
    assert torch.cat([classes for _, classes in batches]).tolist() == expected.tolist()
    assert {(tuple(photos.shape), photos.dtype) for photos, _ in batches} == {((8, 3, 32, 32), torch.uint8)}


def test_a_photo_is_changed_by_its_draw_alone(
    tmp_path: Path, table: pd.DataFrame, data_root: Path, write_recipe: WriteRecipe
) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "changed.toml", ("brightness = 0", "brightness = 0.5")))
    batches = load_training_batches(table, data_root, recipe, 0, ignore_progress)
    once, state = list(batches), torch.get_rng_state()
    torch.manual_seed(3)
    again = list(batches)
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(once, again, strict=True))
    assert not torch.equal(state, torch.get_rng_state())
    batches.sampler.set_epoch(1)
    assert not torch.equal(once[0][0].float().mean((1, 2, 3)), next(iter(batches))[0].float().mean((1, 2, 3)))
    photo = Draw(0, 5), Draw(0, 6)
    assert not torch.equal(batches.dataset[photo[0]][0], batches.dataset[photo[1]][0])


def test_a_short_last_batch_is_dropped_unless_it_is_all_there_is(
    table: pd.DataFrame, data_root: Path, recipe: Recipe
) -> None:
    sizes = {
        n: [len(c) for _, c in load_training_batches(table.head(n), data_root, recipe, 0, ignore_progress)]
        for n in (5, 13)
    }
    assert sizes == {5: [5], 13: [8]}


def test_a_photo_that_cannot_be_read_is_named(table: pd.DataFrame, data_root: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for path, kind in ((tmp_path / "broken.jpg", PhotoError), (tmp_path / "absent.jpg", DatasetError)):
        spoilt = pd.DataFrame({"path": [table["path"][0], str(path)]})
        with pytest.raises(kind, match=path.stem[:6]):
            decode_photos(spoilt, data_root, lambda photo: photo.pixels, ignore_progress)


def test_reading_reports_progress(table: pd.DataFrame, data_root: Path) -> None:
    seen: list[tuple[int, int]] = []
    decode_photos(table.head(3), data_root, lambda photo: photo.pixels, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
