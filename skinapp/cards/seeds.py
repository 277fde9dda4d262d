"""How much a network's figures change with another seed; the bootstrap intervals do not include this."""

from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path

from skinapp.cards.figure import DECIMALS
from skinapp.cards.tried_recipes import Recipe, find_trained
from skinapp.files import read_toml
from skinapp.models.card import RECIPE, Card, SeedFigures
from skinapp.models.folder import get_member_folder
from skinapp.runs.intervals import get_figure, load_intervals
from skinapp.runs.stored import RunFacts, find_own_runs, read_facts
from skinapp.taxonomy import MALIGNANCY_CLASSES, MELANOMA

SPLIT = "validation"

NOT_THE_TRAINING = ("seed", "evaluate")
"""Keys that may differ between recipes of the same training: the seed, and the splits whose runs are stored."""


def read_seed_figures(folder: Path, card: Card, experiments: Path) -> tuple[SeedFigures, ...]:
    """Return the figures of each network that was trained again from other seeds.

    An experiment counts where its recipe is the network's own but for the seed. The network's own figures come first,
    then those of the experiments by seed. A network without such an experiment has none. Raises RunError or RecipeError
    where a stored file cannot be read.
    """
    recipes = {record.parent: read_toml(record.parent / RECIPE) for record in find_trained(experiments)}
    return tuple(
        row
        for network in card.networks
        for row in _compare(network.name, get_member_folder(folder, network.name) if card.members else folder, recipes)
    )


def _compare(network: str, own: Path, recipes: Mapping[Path, Recipe]) -> Iterator[SeedFigures]:
    recipe = read_toml(own / RECIPE) if (own / RECIPE).is_file() else {}
    if "seed" not in recipe:
        return
    training = _without_seed(recipe)
    seeds = {
        folder: other["seed"]
        for folder, other in recipes.items()
        if "seed" in other and _without_seed(other) == training
    }
    if seeds:
        yield _read(network, own, recipe["seed"])
        for folder in sorted(seeds, key=seeds.__getitem__):
            yield _read(network, folder, seeds[folder])


def _without_seed(recipe: Recipe) -> Recipe:
    return {key: value for key, value in recipe.items() if key not in NOT_THE_TRAINING}


def _read(network: str, folder: Path, seed: int) -> SeedFigures:
    values = dict(_read_values(folder))
    return SeedFigures(
        network=network,
        recipe=folder.name,
        seed=seed,
        figures={name: round(value, DECIMALS) for name, value in values.items() if not isnan(value)},
    )


def _read_values(folder: Path) -> Iterator[tuple[str, float]]:
    # Runs are sorted by name: "-malignancy" follows "-lesion-type", so its AUROC replaces that of the types together.
    for path in find_own_runs(folder):
        facts, intervals = read_facts(path), load_intervals(path)
        if facts.split == SPLIT and intervals is not None:
            for name, label in _list_figures(facts):
                yield name, get_figure(intervals, name, label).value


def _list_figures(facts: RunFacts) -> tuple[tuple[str, str | None], ...]:
    """List the figures of a run that are compared, each with its class where it belongs to one."""
    if facts.classes == MALIGNANCY_CLASSES:
        return (("malignant_auroc", None),)
    melanoma = (("recall", MELANOMA),) if MELANOMA in facts.classes else ()
    return ("balanced_accuracy", None), *melanoma, ("macro_auroc", None), ("malignant_auroc", None)
