"""One answered photo, and the tray of the last ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from skinapp.datasets.showcase import Example
from skinapp.inference.assessment import Assessment
from skinapp.inference.triage import decide_triage
from skinapp.photo import Square

MAX_ANSWERS = 20
"""How many answers a visitor's tray holds; the oldest go first."""

Order = Literal["time", "score"]


@dataclass(frozen=True, eq=False)
class Answer:
    """One answered photo: its assessment, and `view`, uint8 (s, s, 3), which is what the networks saw.

    An example also has its label and attribution. `id` tells the answers of a session apart; later ones have higher
    numbers. `source` says where the photo came from ("Upload", "Camera", "Example 7") and `name` its file. `frame` is
    the part of the photo that was assessed. `thumbnail` is a data URL of a small JPEG.
    """

    assessment: Assessment
    view: np.ndarray
    example: Example | None = None
    attribution: str = ""
    id: int = 0
    source: str = ""
    name: str = ""
    frame: Square | None = None
    thumbnail: str = ""
    size_bytes: int = 0


def add_answer(answers: Iterable[Answer], new: Answer) -> tuple[Answer, ...]:
    """Return the answers of a tray, the oldest first, with a new one; the oldest go beyond MAX_ANSWERS."""
    return (*answers, new)[-MAX_ANSWERS:]


def sort_answers(answers: Iterable[Answer], order: Order) -> tuple[Answer, ...]:
    """Sort answers, the newest first or the highest score for malignant first; the last ones are not assessable."""
    if order == "time":
        return tuple(sorted(answers, key=lambda answer: -answer.id))
    return tuple(sorted(answers, key=_rank_by_score))


def _rank_by_score(answer: Answer) -> tuple[bool, float, int]:
    is_unclear = decide_triage(answer.assessment).category == "not_assessable"
    return is_unclear, -answer.assessment.malignant_score, -answer.id
