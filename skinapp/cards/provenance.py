"""Whether a stored run was made by the model that a card describes."""

from collections.abc import Sequence

from skinapp.datasets.splits import OUTSIDE
from skinapp.models.card import Card, Head, Task
from skinapp.runs.stored import Scaling, StoredRun


def get_malignancy_scaling(head: Head, card: Card) -> Scaling | None:
    """Return the calibration of the malignancy head that a pair's lesion types were made to agree with."""
    if card.role != "both" or head.name != "lesion_type":
        return None
    malignancy = card.head("malignancy")
    return Scaling(malignancy.temperature, malignancy.offsets)


def is_own_test(run: StoredRun, card: Card, task: Task | None = None) -> bool:
    """Tell whether a run is of these very weights on the test split of the table they were trained on.

    With a task, the run must be that of the head of that name; ModelError where the card has no such head.
    """
    return is_own_run(run, card, "test", task)


def is_own_run(run: StoredRun, card: Card, split: str, task: Task | None = None) -> bool:
    """Tell whether a run is of these very weights on a split of the table they were trained on; else as is_own_test.

    A run from before the model was calibrated anew is not.
    """
    own = (run.split, run.table_sha256) == (split, card.data.table_sha256)
    return own and _made_by(run, card, card.heads if task is None else (card.head(task),))


def is_outside_run(run: StoredRun, card: Card) -> bool:
    """Tell whether a run is of these very weights on photos of another clinic or camera."""
    return run.split == OUTSIDE and _made_by(run, card, card.heads)


def _made_by(run: StoredRun, card: Card, heads: Sequence[Head]) -> bool:
    """Tell whether a run is of these very weights by one of these heads, calibrated as the card says."""
    return run.weights_sha256 == card.weights_sha256 and any(
        run.classes == head.classes and _scaled_as(run, head, card) for head in heads
    )


def _scaled_as(run: StoredRun, head: Head, card: Card) -> bool:
    """Tell whether a run's scores were calibrated as the card says; the run of a past that kept no word is believed."""
    if run.temperature is None:
        return True
    return (run.temperature, run.offsets, run.malignancy) == (
        head.temperature,
        head.offsets,
        get_malignancy_scaling(head, card),
    )
