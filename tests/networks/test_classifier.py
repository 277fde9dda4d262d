import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from skinapp.networks.classifier import Classifier, in_batches, prefetched
from skinapp.networks.device import Device
from skinapp.networks.folder import Head, load_model
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

CPU = Device("cpu", "CPU")


@pytest.fixture(scope="module")
def classifier(models: Path) -> Classifier:
    return Classifier(load_model(models / "lesion-type"), CPU)


@pytest.fixture(scope="module")
def batch() -> torch.Tensor:
    return torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_temperature_divides_the_logits(models: Path, classifier: Classifier, batch: torch.Tensor) -> None:
    model = load_model(models / "lesion-type")
    assert model.card.heads[0].temperature == 1.5
    with torch.inference_mode():
        logits = model.network(batch)["lesion_type"].double().numpy() / 1.5
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    (probabilities,) = classifier.probabilities(batch)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_probabilities_add_up_to_one_and_differ(classifier: Classifier, batch: torch.Tensor) -> None:
    (probabilities,) = classifier.probabilities(batch)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert (probabilities > 0).all()
    assert np.ptp(probabilities, axis=0).max() > 0.05


def test_each_head_answers_in_the_cards_order(
    tmp_path: Path, make_model: Callable[..., Path], batch: torch.Tensor
) -> None:
    heads = (Head(name="lesion_type", classes=CODES), Head(name="malignancy", classes=MALIGNANCY_CLASSES))
    folder = make_model(tmp_path / "both", "both", heads=heads)
    answers = Classifier(load_model(folder), CPU).probabilities(batch)
    assert [answer.shape for answer in answers] == [(8, 8), (8, 2)]


def test_a_photo_gets_the_same_answer_alone_and_in_a_batch(classifier: Classifier, batch: torch.Tensor) -> None:
    (together,) = classifier.probabilities(batch)
    alone = np.concatenate([classifier.probabilities(photo[None])[0] for photo in batch])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_threads_at_once_get_the_same_answers(classifier: Classifier, batch: torch.Tensor) -> None:
    (expected,) = classifier.probabilities(batch)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda i: (i, classifier.probabilities(batch[i : i + 1])[0]), [*range(8)] * 4))
    for i, answer in answers:
        np.testing.assert_allclose(answer[0], expected[i], atol=1e-5)


def test_prefetched_keeps_the_order() -> None:
    def late(number: int) -> int:
        time.sleep(0.01 if number % 5 == 0 else 0)
        return number * number

    assert list(prefetched(late, range(40), ahead=7)) == [number * number for number in range(40)]
    assert list(prefetched(late, [])) == []


def test_prefetched_stays_at_most_so_far_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for asked, _ in enumerate(prefetched(str, items(), ahead=5), start=1):
        assert taken <= asked + 5
    assert taken == 100


def test_prefetched_works_in_other_threads() -> None:
    names = set(prefetched(lambda _: threading.current_thread().name, range(10)))
    assert all(name.startswith("decode") for name in names)


def test_prefetched_raises_what_the_function_raised_in_its_place() -> None:
    results = prefetched(lambda number: 1 / number, [2, 1, 0, 4])
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_batches_keep_everything_in_order() -> None:
    assert list(in_batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(in_batches([], 3)) == []
