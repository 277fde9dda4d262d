"""Checks of what a card or a recipe says about classes, calibration and preprocessing: each returns its problems.

They catch what would otherwise give a wrong answer without a word: classes in another order, twice or under another
name, numbers that are none, sizes that fill the memory.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MAX_RESIZE_PX, MAX_INPUT_PX = 2048, 1024
"""Largest sizes of a network's input: at 1,024 px a ResNet-50 takes about 1 GB for each batch of 8 photos."""

TEMPERATURES = (0.01, 100.0)
"""Far beyond the 0.05 to 20 that a calibration searches."""

MAX_OFFSET = 100.0
"""Largest size of an offset; a class of one photo in a million has a logarithm of -14."""

SMALLEST_STD = 0.01
"""Of pixels / 255. The colours of photos of skin spread by 0.1 and more."""

_SUM_TOLERANCE = 1e-3


def check_classes(task: str, classes: Sequence[str]) -> list[str]:
    """Return what is wrong with a head's classes: fewer than two, one twice, or malignancy in another order."""
    problems = []
    if twice := [name for name, count in Counter(classes).items() if count > 1]:
        problems.append(f"{', '.join(twice)} comes twice among its classes")
    if len(classes) < 2:
        problems.append("a head needs two classes or more")
    if task == "malignancy" and tuple(classes) != MALIGNANCY_CLASSES:
        problems.append(f"the classes of malignancy must be {', '.join(MALIGNANCY_CLASSES)}, in this order")
    return problems


def find_unknown_types(classes: Sequence[str]) -> list[str]:
    """Return the lesion types that are none of the eight codes of the taxonomy."""
    return [name for name in classes if name not in CODES]


def check_per_class(values: Mapping[str, Sequence[float]], classes: int) -> list[str]:
    """Return which lists hold neither nothing nor one number per class."""
    return [
        f"{name} holds {len(numbers)} numbers, but there are {classes} classes"
        for name, numbers in values.items()
        if len(numbers) not in (0, classes)
    ]


def check_shares(shares: Sequence[float]) -> list[str]:
    """Return what is wrong with class shares: one outside 0 to 1, or a sum that is not 1."""
    if not shares or (min(shares) >= 0 and abs(sum(shares) - 1) < _SUM_TOLERANCE):
        return []
    return ["shares must be 0 to 1 and add up to 1"]


def check_normalisation(mean: Sequence[float], std: Sequence[float]) -> list[str]:
    """Return what is wrong with the mean and std of colour channels, which are those of pixels / 255."""
    problems = []
    if not all(0 <= value <= 1 for value in mean):
        problems.append("mean must be 0 to 1, as of pixels / 255")
    if not all(SMALLEST_STD <= value <= 1 for value in std):
        problems.append(f"std must be {SMALLEST_STD} to 1, as of pixels / 255")
    return problems


def check_thresholds(points: Sequence[tuple[float, float]]) -> list[str]:
    """Return what is wrong with operating points, as (sensitivity, threshold): more is caught by a lower threshold."""
    ordered = sorted(points)
    if len({sensitivity for sensitivity, _ in points}) < len(points):
        return ["two operating points have the same sensitivity"]
    if any(higher > lower for (_, lower), (_, higher) in pairwise(ordered)):
        return ["operating points of a higher sensitivity must not have a higher threshold"]
    return []


def require_none(problems: Sequence[str]) -> None:
    """Raise ValueError, for pydantic, that lists all problems."""
    if problems:
        raise ValueError("; ".join(problems))
