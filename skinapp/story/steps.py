"""The seven steps of the story in order."""

from collections.abc import Callable

from skinapp.errors import RunError
from skinapp.story import browser, deleting, held_out, merged, skew, two_classes, unseen
from skinapp.story.experiments import StoredExperiments
from skinapp.story.parts import Step

_STEPS: tuple[tuple[str, tuple[str, ...], Callable[[StoredExperiments], Step]], ...] = (
    (skew.TITLE, ("A1", "A2", "A3"), skew.build_step),
    (unseen.TITLE, ("A4",), unseen.build_step),
    (held_out.TITLE, ("A5", "B2"), held_out.build_step),
    (merged.TITLE, ("A6",), merged.build_step),
    (two_classes.TITLE, ("A7",), two_classes.build_step),
    (deleting.TITLE, ("A8", "A9", "A10"), deleting.build_step),
    (browser.TITLE, ("B1", "B3", "B4", "B5", "B6", "B7"), browser.build_step),
)

TITLES = tuple(title for title, _, _ in _STEPS)
"""The titles of steps 1 to 7."""

CLAIMED = tuple(claims for _, claims, _ in _STEPS)
"""The ids of the claims that each step answers."""


def compute_step(number: int, stored: StoredExperiments) -> Step:
    """Compute a step, 1 to 7, from what is stored.

    If stored runs do not belong together, `missing` says so. Raises DatasetError if an image table cannot be read.
    """
    title, _, build_step = _STEPS[number - 1]
    try:
        return build_step(stored)
    except RunError as error:
        return Step(title, (), missing=(str(error),))
