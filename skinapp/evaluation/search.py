"""The search for a recipe: what each one that was tried says of the validation photos, and of another camera's."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skinapp.datasets.splits import OUTSIDE
from skinapp.errors import ModelError
from skinapp.evaluation.intervals import Figure, figure, load_intervals
from skinapp.evaluation.run import RunFacts, find_runs, read_facts
from skinapp.networks.folder import RECIPE, TRAINING, read_training
from skinapp.taxonomy import MALIGNANCY_CLASSES

SEARCH_SPLITS = ("validation", OUTSIDE)
"""Splits that may be looked at while choosing; the test split is none of them."""


@dataclass(frozen=True)
class Tried:
    """A recipe that was tried: what it says of itself, what it cost, and its figures by (split, figure).

    `minutes` is the time of its training. Figures are "balanced_accuracy" and "macro_auroc" of the lesion types and
    "malignant_auroc", of the malignancy head where there is one, else of the malignant types together.
    """

    id: str
    what: str
    epochs: int
    crop_px: int
    minutes: float
    figures: dict[tuple[str, str], Figure]


def tried_recipes(root: Path) -> tuple[Tried, ...]:
    """Read every recipe below a folder that was trained, sorted by name.

    Raises ModelError or RunError where what is stored of one is damaged, ModelError where one looked at another split
    than SEARCH_SPLITS.
    """
    folders = sorted(file.parent for file in root.glob(f"*/{TRAINING}"))
    return tuple(_tried(folder) for folder in folders)


def _tried(folder: Path) -> Tried:
    text = (folder / RECIPE).read_text(encoding="utf-8")
    recipe = tomllib.loads(text)
    training = read_training(folder / TRAINING)
    return Tried(
        id=folder.name,
        what=" ".join(_comment(text)),
        epochs=training.epochs,
        crop_px=recipe["augmentation"].get("crop_px") or recipe["input"]["input_px"],
        minutes=training.elapsed_s / 60,
        figures=dict(_figures(folder)),
    )


def _comment(recipe: str) -> Iterator[str]:
    """Yield the lines of the comment that a recipe begins with."""
    for line in recipe.splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").strip()


def _figures(folder: Path) -> Iterator[tuple[tuple[str, str], Figure]]:
    # Sorted, "-malignancy" follows "-lesion-type": its own AUROC replaces that of the types together.
    for path in find_runs(folder):
        facts, intervals = read_facts(path), load_intervals(path)
        if facts.split not in SEARCH_SPLITS:
            raise ModelError(f"{path} is of the split {facts.split}: a search looks at {' and '.join(SEARCH_SPLITS)}.")
        if intervals is not None:
            for name in _names(facts):
                yield (facts.split, name), figure(intervals, name)


def _names(facts: RunFacts) -> tuple[str, ...]:
    if facts.classes == MALIGNANCY_CLASSES:
        return ("malignant_auroc",)
    return ("balanced_accuracy", "macro_auroc", "malignant_auroc")


_HEAD = """# The search for a recipe

Every recipe that was tried for the shipped model, and what it says of the validation photos; no test photo was looked
at. Written by `skinapp search -o docs/search.md`: no figure is typed in. `search/README.md` says what was learned.
Figures are at the recipe's own small size, with 95% intervals by bootstrap over lesions. "Outside" are photos of a
camera or a clinic that this recipe did not learn from: which one, its description says.

"""

_FIGURES = {
    "balanced accuracy": ("validation", "balanced_accuracy"),
    "macro AUROC": ("validation", "macro_auroc"),
    "malignancy AUROC": ("validation", "malignant_auroc"),
    "malignancy AUROC outside": (OUTSIDE, "malignant_auroc"),
}


def as_markdown(tried: tuple[Tried, ...]) -> str:
    """Set the recipes side by side as a table in Markdown; a dash where a figure was not asked for."""
    names = ("recipe", "what", "epochs", "crop, px", "minutes", *_FIGURES)
    lines = [names, ("---",) * len(names), *(_row(one) for one in tried)]
    return _HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(one: Tried) -> tuple[str, ...]:
    found = (one.figures.get(key) for key in _FIGURES.values())
    words = (value.in_words() if value else "–" for value in found)
    return (one.id, one.what, str(one.epochs), str(one.crop_px), f"{one.minutes:.0f}", *words)
