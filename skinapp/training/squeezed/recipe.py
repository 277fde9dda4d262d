"""Recipes of networks for photos squeezed to 75 x 100 px: a small CNN and a MobileNetV2."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from skinapp.errors import RecipeError
from skinapp.files import read_toml
from skinapp.training.recipe import Recipe, parse_recipe
from skinapp.training.sections import BatchSize, Seed, StrictModel


class SqueezedData(StrictModel):
    """The image table, in colour or in grey."""

    table: str = Field(description="path of the image table, relative to the working directory")
    grey: bool = False


class SqueezedSplit(StrictModel):
    """The test and validation split, drawn by photo, by photo within each class, or by lesion.

    The test share is drawn from all photos except the showcase, then the validation share from the rest. With seed 101
    and `by` photo, the draw equals that of scikit-learn's train_test_split. `twins` is as in a ResNet's recipe.
    """

    by: Literal["photo", "class", "lesion"]
    test_share: float = Field(0.4, gt=0, lt=1)
    validation_share: float = Field(0.4, gt=0, lt=1)
    seed: Seed = 101
    twins: str | None = Field(None, description="findings of `skinapp audit`, relative to the working directory")


class Stage(StrictModel):
    """RMSprop for some epochs; the learning rate falls with Keras' `decay`: rate / (1 + decay x step)."""

    epochs: PositiveInt
    batch_size: BatchSize
    learning_rate: PositiveFloat
    decay: float = Field(0.0, ge=0)


class InitialNetwork(StrictModel):
    """The initial weights: a file (safetensors or PyTorch), a torchvision name, or "none"."""

    initial_weights: str = "none"
    initial_licence: str = "none: trained from random weights"


class _SqueezedRecipe(StrictModel):
    seed: Seed
    evaluate: tuple[Literal["test", "showcase"], ...] = Field(("test", "showcase"), min_length=1)
    data: SqueezedData
    split: SqueezedSplit
    network: InitialNetwork = InitialNetwork()


class SmallCnnRecipe(_SqueezedRecipe):
    """Every setting of a training of the small CNN.

    `doubled` adds a flipped or zoomed copy of each training photo (see skinapp.training.squeezed.doubling).
    """

    kind: Literal["small-cnn"]
    doubled: bool = False
    training: Stage


class MobileNetRecipe(_SqueezedRecipe):
    """Every setting of a training of a MobileNetV2: its new head on frozen features, then the whole network."""

    kind: Literal["mobilenet"]
    frozen: Stage
    tuned: Stage


SqueezedRecipe = SmallCnnRecipe | MobileNetRecipe

_KINDS: dict[str, type[SmallCnnRecipe] | type[MobileNetRecipe]] = {
    "small-cnn": SmallCnnRecipe,
    "mobilenet": MobileNetRecipe,
}


def read_any_recipe(path: Path) -> Recipe | SqueezedRecipe:
    """Read a recipe of any kind; a ResNet's has no `kind`. RecipeError names each wrong, missing or unknown key."""
    raw = read_toml(path)
    if "kind" not in raw:
        return parse_recipe(Recipe, path, raw)
    if not isinstance(raw["kind"], str) or raw["kind"] not in _KINDS:
        raise RecipeError(
            f"{path}: kind: {raw['kind']!r} is unknown. Name {' or '.join(_KINDS)}, or leave it out for a ResNet."
        )
    return parse_recipe(_KINDS[raw["kind"]], path, raw)
