"""Eight lesion types as seven: HAM10000 has no label for squamous cell carcinoma and counts it as akiec."""

from collections.abc import Mapping
from typing import TypeVar

from skinapp.errors import RunError
from skinapp.runs.predictions import Predictions, probability_columns
from skinapp.taxonomy import CODES

P = TypeVar("P", bound=Predictions)

MERGED, INTO = "scc", "akiec"

SEVEN_CODES = tuple(code for code in CODES if code != MERGED)
"""akiec, bcc, bkl, df, mel, nv, vasc: the labels of HAM10000 and of the ISIC challenge of 2018."""


def can_merge_to_seven(run: Predictions) -> bool:
    """Return whether a run has the eight types, so that `merge_to_seven` can merge them."""
    return set(run.classes) == set(CODES)


def merge_to_seven(run: P) -> P:
    """Return a run of eight types as one of seven: scc is added to akiec, in truth and in probability.

    The run's temperature and offsets are dropped, because they applied to eight logits. Raises RunError for a run of
    other classes.
    """
    if not can_merge_to_seven(run):
        raise RunError(
            f"The run {run.name} cannot be counted as seven types: its classes are {', '.join(run.classes)}. "
            f"Choose a run of the eight types ({', '.join(CODES)})."
        )
    merged, into = probability_columns((MERGED, INTO))
    frame = run.frame.drop(columns=merged)
    frame[into] = (run.frame[into] + run.frame[merged]).clip(upper=1)  # rounded numbers may add up to a little more
    frame["truth"] = frame["truth"].where(frame["truth"] != MERGED, INTO)
    return run.rescored(frame, SEVEN_CODES)


def merge_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the shares of the seven types from those of the eight, 0 to 1: scc is added to akiec."""
    seven = {code: share for code, share in shares.items() if code != MERGED}
    return seven | {INTO: shares[INTO] + shares[MERGED]}
