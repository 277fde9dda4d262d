"""Recipes of networks that look at photos squeezed to 75 x 100 px: a small one of our own, and a MobileNetV2."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from skinapp.errors import RecipeError
from skinapp.files import read_toml
from skinapp.training.recipe import Recipe, Strict, checked


class SqueezedData(Strict):
    """Which image table, in colour or in grey."""

    table: str = Field(description="path of the image table, relative to the folder the command runs in")
    grey: bool = False


class SqueezedSplit(Strict):
    """Who is tested on and who validates, drawn by photo, by photo within each class, or by lesion.

    The test share is drawn from all photos but the showcase's, the validation share then from what is left; seed 101
    by photo draws what scikit-learn's train_test_split does. `twins` is as in a ResNet's recipe.
    """

    by: Literal["photo", "class", "lesion"]
    test_share: float = Field(0.4, gt=0, lt=1)
    validation_share: float = Field(0.4, gt=0, lt=1)
    seed: int = 101
    twins: str | None = Field(None, description="findings of `skinapp audit`, relative to the folder of the command")


class Stage(Strict):
    """RMSprop for some epochs; its rate falls as Keras' `decay` lets it: rate / (1 + decay x step)."""

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    decay: float = Field(0.0, ge=0)


class InitialNetwork(Strict):
    """What a network starts from: a safetensors file, torchvision's name of weights, or "none"."""

    initial_weights: str = "none"
    initial_licence: str = "none: trained from random weights"


class _SqueezedRecipe(Strict):
    seed: int
    evaluate: tuple[Literal["test", "showcase"], ...] = Field(("test", "showcase"), min_length=1)
    data: SqueezedData
    split: SqueezedSplit
    network: InitialNetwork = InitialNetwork()


class SmallCnnRecipe(_SqueezedRecipe):
    """All that decides a training of the small network.

    `doubled` trains on each photo once more, flipped or zoomed (see skinapp.training.squeezed.doubling).
    """

    kind: Literal["small-cnn"]
    doubled: bool = False
    training: Stage


class MobileNetRecipe(_SqueezedRecipe):
    """All that decides a training of a MobileNetV2: its new head on frozen features, then all of it."""

    kind: Literal["mobilenet"]
    frozen: Stage
    tuned: Stage


SqueezedRecipe = SmallCnnRecipe | MobileNetRecipe

_KINDS: dict[str, type[SmallCnnRecipe] | type[MobileNetRecipe]] = {
    "small-cnn": SmallCnnRecipe,
    "mobilenet": MobileNetRecipe,
}


def read_any_recipe(path: Path) -> Recipe | SqueezedRecipe:
    """Read a recipe of any kind: a ResNet's names no `kind`. RecipeError names the key that is wrong."""
    raw = read_toml(path)
    if "kind" not in raw:
        return checked(Recipe, path, raw)
    if raw["kind"] not in _KINDS:
        raise RecipeError(
            f"{path}: kind: there is none called {raw['kind']!r}. Name {' or '.join(_KINDS)}, or none for a ResNet."
        )
    return checked(_KINDS[raw["kind"]], path, raw)
