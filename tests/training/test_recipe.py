from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.errors import RecipeError
from skinapp.networks.folder import RECIPE
from skinapp.storage import MODELS
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.training.recipe import read_recipe

WriteRecipe = Callable[..., Path]


def test_reads_what_is_written_and_fills_in_the_rest(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml"))
    assert (recipe.role, recipe.seed, recipe.input.resize_px) == ("malignancy", 7, 36)
    assert recipe.network.initial_weights == "none"
    assert recipe.data.classes == CODES


def test_the_role_decides_the_classes(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    assert read_recipe(write_recipe(tmp_path / "recipe.toml")).classes == MALIGNANCY_CLASSES
    types = write_recipe(tmp_path / "recipe.toml", ('"malignancy"', '"lesion_type"'))
    assert read_recipe(types).classes == CODES
    table_end = ('.parquet"', '.parquet"\nclasses = ["nv", "mel"]')
    two = write_recipe(tmp_path / "recipe.toml", ('"malignancy"', '"lesion_type"'), table_end)
    assert read_recipe(two).classes == ("nv", "mel")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seed = 7", 'seed = "often"', "seed: "),
        ("seed = 7", "", "seed: Field required"),
        ("seed = 7", "seed = 7\ncolour = 1", "colour: Extra"),
        ("hue = 0", "hue = 0\nblur = 1", r"augmentation\.blur: Extra"),
        ("hue = 0", "hue = 0.6", r"augmentation\.hue: "),
        ("batch_size = 8", "batch_size = 0", r"schedule\.batch_size: "),
        ("epochs = 3", "", r"schedule\.epochs: Field required"),
        ('"resnet18"', '"vgg16"', r"network\.architecture: "),
        ('"malignancy"', '"both"', "role: "),
        ("input_px = 32", "input_px = 37", "input: .*input_px must not exceed resize_px"),
        ("crop_scale = [1.0, 1.0]", "crop_scale = [1.0]", r"augmentation\.crop_scale"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, write_recipe: WriteRecipe, old: str, new: str, named: str) -> None:
    with pytest.raises(RecipeError, match=rf"recipe\.toml: {named}"):
        read_recipe(write_recipe(tmp_path / "recipe.toml", (old, new)))


def test_all_wrong_keys_are_named_at_once(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    path = write_recipe(tmp_path / "recipe.toml", ("seed = 7", ""), ("epochs = 3", "epochs = -1"))
    with pytest.raises(RecipeError, match=r"seed: .*schedule\.epochs: .*Correct these keys"):
        read_recipe(path)


@pytest.mark.parametrize("content", [b"role = ", b"[data\n", b"role = 'a'\nrole = 'b'\n", b"\xff\xfe"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(RecipeError, match=r"recipe\.toml is not TOML"):
        read_recipe(tmp_path / "recipe.toml")


def test_no_recipe_or_a_folder_in_its_place(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(RecipeError, match="There is no recipe at"):
            read_recipe(path)


def test_the_shipped_recipes_are_valid() -> None:
    recipes = [read_recipe(path) for path in sorted(MODELS.rglob(RECIPE))]
    assert {"malignancy", "lesion_type"} <= {recipe.role for recipe in recipes}
