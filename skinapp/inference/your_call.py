"""The reader's own call, made before the answer opens, and how often it agreed with the verdict. All its words."""

from collections.abc import Iterable
from dataclasses import dataclass

from skinapp.inference.triage import Category

ASK = "Your call first: would you have this lesion examined?"
FLAG, LEAVE = "I would have it examined", "I would not"

BOTH_FLAG = "You would have it examined, and the answer flags it."
NEITHER_FLAGS = "You would not have it examined, and the answer does not flag it."
ONLY_YOU = "You would have it examined, and the answer does not flag it. Keep to your call: suspicion is reason enough."
ONLY_ANSWER = "You would not have it examined, but the answer flags it. Look at the lesion again."


@dataclass(frozen=True)
class Call:
    """What the reader decided before the answer opened, and the verdict that it was compared with.

    `flags` says whether the reader would have the lesion examined.
    """

    flags: bool
    verdict: Category


def describe_call(call: Call) -> str:
    """Describe whether a call agrees with the verdict; "" where the photo is not assessable."""
    if call.verdict == "not_assessable":
        return ""
    if call.verdict == "flagged":
        return BOTH_FLAG if call.flags else ONLY_ANSWER
    return ONLY_YOU if call.flags else NEITHER_FLAGS


def describe_agreement(calls: Iterable[Call]) -> str:
    """Describe on how many photos the reader and the verdict agreed; "" without a photo that could be assessed."""
    compared = [call for call in calls if call.verdict != "not_assessable"]
    if not compared:
        return ""
    agreed = sum(call.flags == (call.verdict == "flagged") for call in compared)
    return f"You and the answer agree on {agreed} of {len(compared)} photo{'s' if len(compared) > 1 else ''} so far."
