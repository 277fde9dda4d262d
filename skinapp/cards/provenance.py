"""Whether a stored run was made by the model of a card."""

from collections.abc import Sequence

from skinapp.datasets.splits import OUTSIDE
from skinapp.models.card import Card, Head, Task
from skinapp.runs.stored import Scaling, StoredRun


def get_malignancy_scaling(head: Head, card: Card) -> Scaling | None:
    """Return the malignancy calibration that a pair's lesion types agree with; None for other heads and models."""
    if card.role != "both" or head.name != "lesion_type":
        return None
    malignancy = card.head("malignancy")
    return Scaling(malignancy.temperature, malignancy.offsets)


def is_own_test(run: StoredRun, card: Card, task: Task | None = None) -> bool:
    """Tell whether a run is of exactly these weights on the test split of their own table.

    With a task, the run must be of that head; ModelError where the card has no such head.
    """
    return is_own_run(run, card, "test", task)


def is_own_run(run: StoredRun, card: Card, split: str, task: Task | None = None) -> bool:
    """Tell whether a run is of exactly these weights and calibration on a split of their own table.

    With a task, the run must be of that head; ModelError where the card has no such head.
    """
    own = (run.split, run.table_sha256) == (split, card.data.table_sha256)
    return own and _is_made_by(run, card, card.heads if task is None else (card.head(task),))


def is_outside_run(run: StoredRun, card: Card) -> bool:
    """Tell whether a run is of exactly these weights on photos of another clinic or camera."""
    return run.split == OUTSIDE and _is_made_by(run, card, card.heads)


def _is_made_by(run: StoredRun, card: Card, heads: Sequence[Head]) -> bool:
    """Tell whether a run is of exactly these weights by one of these heads, with the card's calibration."""
    return run.weights_sha256 == card.weights_sha256 and any(
        run.classes == head.classes and _has_scaling_of(run, head, card) for head in heads
    )


def _has_scaling_of(run: StoredRun, head: Head, card: Card) -> bool:
    """Tell whether a run was calibrated like the card's head; true for old runs that did not store it."""
    if run.temperature is None:
        return True
    return (run.temperature, run.offsets, run.malignancy) == (
        head.temperature,
        head.offsets,
        get_malignancy_scaling(head, card),
    )
