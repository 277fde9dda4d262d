import pytest

from skinapp.inference.triage import Category
from skinapp.inference.your_call import (
    BOTH_FLAG,
    NEITHER_FLAGS,
    ONLY_ANSWER,
    ONLY_YOU,
    Call,
    describe_agreement,
    describe_call,
)


@pytest.mark.parametrize(
    ("flags", "verdict", "said"),
    [
        (True, "flagged", BOTH_FLAG),
        (False, "flagged", ONLY_ANSWER),
        (True, "not_flagged", ONLY_YOU),
        (False, "not_flagged", NEITHER_FLAGS),
        (True, "not_assessable", ""),
    ],
)
def test_a_call_is_held_against_the_verdict(flags: bool, verdict: Category, said: str) -> None:
    assert describe_call(Call(flags, verdict)) == said


def test_agreement_leaves_out_what_could_not_be_assessed() -> None:
    calls = [Call(True, "flagged"), Call(True, "not_flagged"), Call(False, "not_flagged"), Call(True, "not_assessable")]
    assert describe_agreement(calls) == "You and the answer agree on 2 of 3 photos so far."
    assert describe_agreement(calls[:1]) == "You and the answer agree on 1 of 1 photo so far."
    assert describe_agreement(calls[3:]) == ""
