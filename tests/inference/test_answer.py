from dataclasses import replace

import numpy as np

from skinapp.inference.answer import MAX_ANSWERS, Answer, add_answer, sort_answers
from skinapp.inference.assessment import Assessment, Scores
from skinapp.models.card import OperatingPoint
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT


def make_answer(number: int, score: float) -> Answer:
    values = tuple(score if label == MALIGNANT else 1 - score for label in MALIGNANCY_CLASSES)
    types = tuple(1 / len(CODES) for _ in CODES)
    assessment = Assessment(
        sha256="",
        width=10,
        height=10,
        notes=(),
        malignancy=Scores(MALIGNANCY_CLASSES, values),
        lesion_type=Scores(CODES, types),
        malignancy_weights="",
        lesion_type_weights="",
        operating_points=(OperatingPoint(sensitivity=0.95, threshold=0.5),),
    )
    return Answer(assessment, np.zeros((2, 2, 3), np.uint8), id=number)


def test_the_oldest_answers_go_beyond_the_most() -> None:
    answers: tuple[Answer, ...] = ()
    for number in range(MAX_ANSWERS + 3):
        answers = add_answer(answers, make_answer(number, 0.5))
    assert [answer.id for answer in answers] == list(range(3, MAX_ANSWERS + 3))


def test_answers_are_sorted_by_time_or_by_score() -> None:
    answers = [make_answer(1, 0.2), make_answer(2, 0.9), make_answer(3, 0.6)]
    assert [answer.id for answer in sort_answers(answers, "time")] == [3, 2, 1]
    assert [answer.id for answer in sort_answers(answers, "score")] == [2, 3, 1]


def test_what_is_not_assessable_has_no_place_by_its_score() -> None:
    unclear = make_answer(3, 0.99)
    unclear = replace(unclear, assessment=replace(unclear.assessment, in_scope=False))
    answers = [make_answer(1, 0.2), make_answer(2, 0.9), unclear]
    assert [answer.id for answer in sort_answers(answers, "score")] == [2, 1, 3]
