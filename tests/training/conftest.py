from collections.abc import Callable
from pathlib import Path

import pytest

WriteRecipe = Callable[..., Path]

RECIPE = """
role = "malignancy"
seed = 7

[data]
table = "{table}"

[network]
architecture = "resnet18"

[input]
resize_px = 36
input_px = 32

[augmentation]
crop_scale = [1.0, 1.0]
crop_ratio = [1.0, 1.0]
flip = false
quarter_turns = false
brightness = 0
contrast = 0
saturation = 0
hue = 0

[sampling]
balance_exponent = 0.5

[schedule]
epochs = 3
batch_size = 8
learning_rate = 1e-3
average_decay = 0.5
monitor = "loss"
"""
"""A training of seconds that changes no photo by chance, so that its figures can be compared."""


@pytest.fixture(scope="session")
def write_recipe(data_root: Path) -> WriteRecipe:
    """Write a recipe for the made-up table; each change is a pair: a line's text and what replaces it."""

    def write(path: Path, *changes: tuple[str, str]) -> Path:
        text = RECIPE.format(table=(data_root / "table.parquet").as_posix())
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
