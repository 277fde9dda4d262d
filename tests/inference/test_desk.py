import numpy as np
import pytest

from skinapp.inference.answer import Answer
from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.desk import Desk


@pytest.fixture
def answer() -> Answer:
    scores = Scores(("malignant", "benign"), (0.5, 0.5))
    return Answer(Assessment("", 1, 1, (), scores, scores, "a", "a"), np.zeros((1, 1, 3), np.uint8))


def put(desk: Desk, answer: Answer, times: int) -> Desk:
    for _ in range(times):
        desk = desk.put_answer("none", answer)
    return desk


def ids(desk: Desk, answer_id: int) -> list[int]:
    return [photo.id for photo in desk.find_lesion(answer_id)]


def test_an_answer_is_alone_until_it_is_joined(answer: Answer) -> None:
    desk = put(Desk(), answer, 3)
    assert ids(desk, 2) == [2]
    joined = desk.join(1, 3)
    assert ids(joined, 1) == ids(joined, 3) == [1, 3]
    assert ids(joined, 2) == [2]


def test_joining_anew_replaces_what_was_said_before(answer: Answer) -> None:
    desk = put(Desk(), answer, 3).join(1, 2).join(2, 3)
    assert ids(desk, 1) == [1]
    assert ids(desk, 2) == [2, 3]
    assert put(Desk(), answer, 2).join(1, 2).join(1).lesions == ()


def test_the_next_photo_joins_the_lesion_that_is_named_and_the_one_after_it_does_not(answer: Answer) -> None:
    desk = put(Desk(), answer, 2).join(1, 2).clear()
    added = put(Desk(answers=desk.answers, count=desk.count, lesions=desk.lesions, joining=2), answer, 1)
    assert ids(added, 1) == [1, 2, 3]
    assert ids(put(added.clear(), answer, 1), 4) == [4]
    refused = Desk(answers=desk.answers, count=desk.count, joining=2).put_answer("none", None, "Not a photo.")
    assert refused.lesions == ()
