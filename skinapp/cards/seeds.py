"""For a model's card: how far another seed moves the figures of a recipe, which no interval over lesions tells."""

from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from skinapp.cards.rows import DECIMALS
from skinapp.cards.tried_recipes import read_tried, tried
from skinapp.files import read_toml
from skinapp.models.card import CARD, RECIPE, Card, SeedFigures
from skinapp.models.folder import member_folder

Recipe = dict[str, Any]
"""A recipe as its TOML was read."""

SPLIT = "validation"

NOT_THE_RECIPE = ("seed", "evaluate")
"""What may differ between recipes that are one recipe: the seed, and which photos its network was asked about."""


def seeds(folder: Path, card: Card, search: Path) -> tuple[SeedFigures, ...]:
    """Return the figures of each network of a model that recipes tried below `search` trained again from other seeds.

    Those of the network itself come first, then those of the tried ones by their seeds; a network that was trained
    from one seed alone, or whose recipe is not kept or names no seed, has none, and a tried recipe without a seed is
    passed over. Raises RunError, RecipeError or ModelError where what is stored cannot be read.
    """
    recipes = {record: read_toml(record.parent / RECIPE) for record in tried(search)}
    return tuple(
        row
        for network in card.networks
        for row in _of(network.name, member_folder(folder, network.name) if card.members else folder, recipes)
    )


def _of(network: str, own: Path, recipes: Mapping[Path, Recipe]) -> Iterator[SeedFigures]:
    recipe = read_toml(own / RECIPE) if (own / RECIPE).is_file() else {}
    if "seed" not in recipe:
        return
    same = _but_for_the_seed(recipe)
    again = {
        record: other["seed"]
        for record, other in recipes.items()
        if "seed" in other and _but_for_the_seed(other) == same
    }
    if again:
        yield _figures(network, own / CARD, recipe["seed"])
        for record in sorted(again, key=again.__getitem__):
            yield _figures(network, record, again[record])


def _but_for_the_seed(recipe: Recipe) -> Recipe:
    return {key: value for key, value in recipe.items() if key not in NOT_THE_RECIPE}


def _figures(network: str, record: Path, seed: int) -> SeedFigures:
    held = read_tried(record, ships=record.name == CARD)
    found = {name: figure.value for (split, name), figure in held.figures.items() if split == SPLIT}
    return SeedFigures(
        network=network,
        recipe=held.id,
        seed=seed,
        figures={name: round(value, DECIMALS) for name, value in found.items() if not isnan(value)},
    )
