"""The story: seven steps in order, each computed from what is stored."""

from collections.abc import Callable

from skinapp.errors import RunError
from skinapp.story import browser, deleting, held_out, merged, skew, two_classes, unseen
from skinapp.story.experiments import StoredExperiments
from skinapp.story.parts import Step

_STEPS: tuple[tuple[str, tuple[str, ...], Callable[[StoredExperiments], Step]], ...] = (
    (skew.TITLE, ("A1", "A2", "A3"), skew.step),
    (unseen.TITLE, ("A4",), unseen.step),
    (held_out.TITLE, ("A5", "B2"), held_out.step),
    (merged.TITLE, ("A6",), merged.step),
    (two_classes.TITLE, ("A7",), two_classes.step),
    (deleting.TITLE, ("A8", "A9", "A10"), deleting.step),
    (browser.TITLE, ("B1", "B3", "B4", "B5", "B6", "B7"), browser.step),
)

TITLES = tuple(title for title, _, _ in _STEPS)
"""The steps' titles in order; step 1 is the first."""

CLAIMED = tuple(claims for _, claims, _ in _STEPS)
"""The claims that each step answers, by id."""


def compute_step(number: int, shelf: StoredExperiments) -> Step:
    """Compute a step, 1 to 7, from a shelf.

    Where stored runs do not belong together, the step says so in `missing`. Raises DatasetError where an image table
    cannot be read.
    """
    title, _, step = _STEPS[number - 1]
    try:
        return step(shelf)
    except RunError as error:
        return Step(title, (), missing=(str(error),))
