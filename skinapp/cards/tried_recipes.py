"""The search for a recipe: what each one that was tried says of the validation photos, and of another camera's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skinapp.cards.photo_sources import photo_sources
from skinapp.datasets.splits import OUTSIDE
from skinapp.errors import ModelError
from skinapp.files import read_toml
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import CARD, RECIPE, TRAINING, Network, read_members, read_training
from skinapp.models.folder import find_models, member_folder
from skinapp.runs.intervals import figure, load_intervals
from skinapp.runs.stored import RunFacts, load_run, own_runs, read_facts
from skinapp.taxonomy import MALIGNANCY_CLASSES, MELANOMA

SEARCH_SPLITS = ("validation", OUTSIDE)
"""Splits that may be looked at while choosing; the test split is none of them."""


@dataclass(frozen=True)
class TriedRecipe:
    """A recipe that was tried: what it says of itself, what it cost, and its figures by (split, figure).

    `ships` tells the recipe of a shipped model from those that were tried for it, `minutes` is the time of its
    training, of an average that of its members together; an average has no epochs and crops of its own. Figures are
    "balanced_accuracy", "macro_auroc" and "recall" of melanoma of the lesion types, and "malignant_auroc", of the
    malignancy head where there is one, else of the malignant types together. `outside` names the cameras or clinics
    that the figures of that split are of.
    """

    id: str
    ships: bool
    what: str
    network: str
    epochs: int | None
    crop_px: int | None
    minutes: float
    figures: dict[tuple[str, str], Estimate]
    outside: tuple[str, ...] = ()


def tried_recipes(root: Path, models: Path) -> tuple[TriedRecipe, ...]:
    """Read every recipe below `root` that was trained, sorted by name, then those of the models that ship.

    The members of an average stand before it.

    Raises ModelError, RecipeError or RunError where what is stored of one is damaged, ModelError where one that does
    not ship looked at another split than SEARCH_SPLITS.
    """
    searched = [read_tried(file, ships=False) for file in tried(root)]
    return (*searched, *(one for folder in find_models(models) for one in _shipped(folder)))


def tried(root: Path) -> list[Path]:
    """List what is kept of the training of each recipe below `root` that was tried, sorted by the recipe's name."""
    return sorted(root.glob(f"*/{TRAINING}"))


def network_of(members: Sequence[Network], recipe: dict[str, Any]) -> str:
    """Name the architecture of a recipe, given as its TOML was read, or those of an average's members."""
    if members:
        return " + ".join(member.architecture for member in members)
    name: str = recipe["network"].get("architecture", "resnet18")
    return name


def _shipped(folder: Path) -> Iterator[TriedRecipe]:
    for member in read_members(folder / CARD):
        one = read_tried(member_folder(folder, member.name) / CARD, ships=True)
        yield replace(one, id=f"{folder.name}/{member.name}")
    yield read_tried(folder / CARD, ships=True)


def read_tried(record: Path, ships: bool) -> TriedRecipe:
    """Read a recipe that was tried, given what is kept of its training: a card, or an experiment's record."""
    folder = record.parent
    recipe = read_toml(folder / RECIPE)
    members = read_members(record)
    trainings = [member.training for member in members] or [read_training(record)]
    return TriedRecipe(
        id=folder.name,
        ships=ships,
        what=_what(folder),
        network=network_of(members, recipe),
        epochs=None if members else trainings[0].epochs,
        crop_px=None if members else recipe["augmentation"].get("crop_px") or recipe["input"]["input_px"],
        minutes=sum(training.elapsed_s for training in trainings) / 60,
        figures=dict(_figures(folder, ships)),
        outside=_outside(folder, recipe),
    )


def _outside(folder: Path, recipe: dict[str, Any]) -> tuple[str, ...]:
    """Name whose photos a recipe was asked about that it did not learn from."""
    paths = (path for path in own_runs(folder) if read_facts(path).split == OUTSIDE)
    first = next(paths, None)
    return () if first is None else photo_sources(load_run(first), recipe)


def _what(folder: Path) -> str:
    """Say what a recipe is, in the words that it begins with."""
    return " ".join(_comment((folder / RECIPE).read_text(encoding="utf-8")))


def _comment(recipe: str) -> Iterator[str]:
    """Yield the lines of the comment that a recipe begins with."""
    for line in recipe.splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").strip()


def _figures(folder: Path, ships: bool) -> Iterator[tuple[tuple[str, str], Estimate]]:
    # Sorted, "-malignancy" follows "-lesion-type": its own AUROC replaces that of the types together.
    for path in own_runs(folder):
        facts, intervals = read_facts(path), load_intervals(path)
        if facts.split not in SEARCH_SPLITS:
            if ships:
                continue
            raise ModelError(f"{path} is of the split {facts.split}: a search looks at {' and '.join(SEARCH_SPLITS)}.")
        if intervals is not None:
            for name, label in _names(facts):
                yield (facts.split, name), figure(intervals, name, label)


def _names(facts: RunFacts) -> tuple[tuple[str, str | None], ...]:
    """Return the figures of a run that count, each with its class where it is of one."""
    if facts.classes == MALIGNANCY_CLASSES:
        return (("malignant_auroc", None),)
    melanoma = (("recall", MELANOMA),) if MELANOMA in facts.classes else ()
    return ("balanced_accuracy", None), *melanoma, ("macro_auroc", None), ("malignant_auroc", None)


_HEAD = """# The search for a recipe

Every recipe that was tried, those of the models that ship last, and what each says of the validation photos; by test
photos none was chosen. Written by `skinapp search -o docs/search.md`: no figure is typed in. `search/README.md` says
what was learned. Figures are at the recipe's own size, with 95% intervals by bootstrap over lesions. "Outside" are
photos of cameras or clinics that this recipe did not learn from, named before them: figures of other photos cannot be
set side by side. Where intervals overlap, a recipe that stands higher need not be the better one.

"""

_FIGURES = {
    "balanced accuracy": ("validation", "balanced_accuracy"),
    "melanoma recall": ("validation", "recall"),
    "macro AUROC": ("validation", "macro_auroc"),
    "malignancy AUROC": ("validation", "malignant_auroc"),
}
_FIGURE_OUTSIDE = (OUTSIDE, "malignant_auroc")


def as_markdown(tried: tuple[TriedRecipe, ...]) -> str:
    """Set the recipes side by side as a table in Markdown; a dash where a figure was not asked for."""
    names = ("recipe", "what", "network", "epochs", "crop, px", "minutes", *_FIGURES, "malignancy AUROC outside")
    lines = [names, ("---",) * len(names), *(_row(one) for one in tried)]
    return _HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(one: TriedRecipe) -> tuple[str, ...]:
    words = (_in_words(one.figures.get(key)) for key in _FIGURES.values())
    outside = _in_words(one.figures.get(_FIGURE_OUTSIDE))
    if one.outside:
        outside = f"{'; '.join(one.outside)}: {outside}"
    name = f"**{one.id}** (ships)" if one.ships else one.id
    counts = ("–" if count is None else str(count) for count in (one.epochs, one.crop_px))
    return (name, one.what, one.network, *counts, f"{one.minutes:.0f}", *words, outside)


def _in_words(found: Estimate | None) -> str:
    return found.in_words() if found else "–"
