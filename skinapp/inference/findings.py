"""What a check found in a photo: a code for programs, a sentence for people, and how to retake the photo."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["warns", "refuses"]
"""A finding that warns stands beside the answer; one that refuses means that the photo cannot be judged."""


@dataclass(frozen=True)
class Finding:
    """One finding of a check of a photo.

    `code` names its kind and never changes ("blurred"). `sentence` says what was found and `advice` what to do now,
    each as one sentence.
    """

    code: str
    sentence: str
    advice: str
    severity: Severity
