import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from skinapp.errors import ModelError
from skinapp.models.card import Head, read_card, write_card
from skinapp.networks.classifier import Classifier, batched, calibrate_logits, prefetch, reconcile_types
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT_CODES

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
    (probabilities,) = classifier.predict(batch)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_observing_gives_the_same_answers_and_where_they_come_from(
    models: Path, classifier: Classifier, batch: torch.Tensor
) -> None:
    seen = classifier.observe(batch)
    np.testing.assert_allclose(seen.probabilities[0], classifier.predict(batch)[0], atol=1e-12)
    weight, bias = classifier.evidence_head("lesion_type")
    head = classifier.card.head("lesion_type")
    np.testing.assert_allclose(
        calibrate_logits(seen.features @ weight.T + bias, head), seen.probabilities[0], atol=1e-5
    )
    assert seen.maps.dtype == seen.early.dtype == np.float32
    weight[:] = 0
    assert classifier.evidence_head("lesion_type")[0].any()
    with pytest.raises(ModelError, match="no malignancy head; it has lesion_type"):
        classifier.evidence_head("malignancy")


def test_the_evidence_of_an_average_is_the_member_that_its_card_names(
    tmp_path: Path, make_average: Callable[..., Path], batch: torch.Tensor
) -> None:
    folder = make_average(tmp_path / "average")
    card = read_card(folder)
    for named, expected in ((None, "deep"), ("fine", "fine")):
        write_card(folder, card.model_copy(update={"evidence_network": named}))
        classifier = Classifier(load_model(folder), CPU)
        member = Classifier(load_model(folder / "members" / expected), CPU)
        np.testing.assert_array_equal(classifier.evidence_head("malignancy")[0], member.evidence_head("malignancy")[0])
        seen, (features, early) = classifier.observe(batch), classifier.extract(batch)
        np.testing.assert_allclose(seen.probabilities[1], classifier.predict(batch)[1], atol=1e-12)
        np.testing.assert_allclose(features, seen.features, atol=1e-5)
        np.testing.assert_array_equal(early, seen.early)
    write_card(folder, card.model_copy(update={"evidence_network": "coarse"}))
    with pytest.raises(ModelError, match="evidence_network must be one of members"):
        read_card(folder)


def test_probabilities_add_up_to_one_and_differ(classifier: Classifier, batch: torch.Tensor) -> None:
    (probabilities,) = classifier.predict(batch)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert (probabilities > 0).all()
    assert np.ptp(probabilities, axis=0).max() > 0.05


def test_each_head_answers_in_the_cards_order(
    tmp_path: Path, make_model: Callable[..., Path], batch: torch.Tensor
) -> None:
    heads = (
        Head(name="lesion_type", classes=CODES),
        Head(name="malignancy", classes=MALIGNANCY_CLASSES, offsets=(2, 0)),
    )
    folder = make_model(tmp_path / "both", "both", heads=heads)
    answers = Classifier(load_model(folder), CPU).predict(batch)
    assert [answer.shape for answer in answers] == [(8, 8), (8, 2)]
    np.testing.assert_allclose(answers[0][:, IS_MALIGNANT].sum(axis=1), answers[1][:, 0], atol=1e-12)


IS_MALIGNANT = np.isin(CODES, MALIGNANT_CODES)
PAIR = (Head(name="malignancy", classes=MALIGNANCY_CLASSES), Head(name="lesion_type", classes=CODES))


def test_offsets_are_added_after_the_temperature_by_hand() -> None:
    head = Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=2.0, offsets=(np.log(3), 0.0))
    logits = np.array([[0.0, 0.0], [2 * np.log(2), 0.0]])
    # Odds of 1 and 2 become thrice as high.
    np.testing.assert_allclose(calibrate_logits(logits, head), [[3 / 4, 1 / 4], [6 / 7, 1 / 7]], atol=1e-12)


def test_a_classifier_adds_its_heads_offsets(
    tmp_path: Path, make_model: Callable[..., Path], batch: torch.Tensor
) -> None:
    plain, moved = (
        make_model(tmp_path / name, heads=(Head(name="malignancy", classes=MALIGNANCY_CLASSES, offsets=offsets),))
        for name, offsets in (("plain", ()), ("moved", (0.0, 1.5)))
    )
    (before,), (after,) = (Classifier(load_model(folder), CPU).predict(batch) for folder in (plain, moved))
    odds = (before[:, 0] / before[:, 1]) / (after[:, 0] / after[:, 1])
    np.testing.assert_allclose(odds, np.exp(1.5), rtol=1e-4)


def draw_probabilities(seed: int, sharpness: float = 3.0, photos: int = 500) -> list[np.ndarray]:
    """Make answers of both heads that know nothing of each other."""
    random = np.random.default_rng(seed)
    return [calibrate_logits(random.normal(scale=sharpness, size=(photos, len(head.classes))), head) for head in PAIR]


def test_the_malignant_types_of_a_pair_weigh_what_its_malignancy_score_says() -> None:
    before = draw_probabilities(0)
    malignancy, types = reconcile_types(before, PAIR)
    assert malignancy is before[0]
    np.testing.assert_allclose(types[:, IS_MALIGNANT].sum(axis=1), malignancy[:, 0], atol=1e-12)
    np.testing.assert_allclose(types.sum(axis=1), 1, atol=1e-12)


def test_within_each_group_the_shares_of_the_types_stay() -> None:
    before = draw_probabilities(1)
    after = reconcile_types(before, PAIR)[1]
    for group in (IS_MALIGNANT, ~IS_MALIGNANT):
        shares = [types[:, group] / types[:, group].sum(axis=1, keepdims=True) for types in (before[1], after)]
        np.testing.assert_allclose(shares[1], shares[0], atol=1e-9)
    # By hand: malignant types of 0.3 together double to weigh 0.6; benign ones of 0.7 shrink to 0.4.
    types = np.array([[0.1, 0.1, 0.2, 0.1, 0.1, 0.3, 0.0, 0.1]])
    expected = np.where(IS_MALIGNANT, types * 2, types * 4 / 7)
    np.testing.assert_allclose(reconcile_types([np.array([[0.6, 0.4]]), types], PAIR)[1], expected, atol=1e-12)


@pytest.mark.parametrize("sharpness", [1.0, 5.0, 30.0])
def test_a_pair_never_says_benign_and_melanoma_first(sharpness: float) -> None:
    before = draw_probabilities(2, sharpness, 5000)
    malignancy, types = reconcile_types(before, PAIR)
    for answer, contradictions in ((before[1], True), (types, False)):
        benign_but_melanoma = (malignancy[:, 1] >= 0.9) & (answer.argmax(axis=1) == CODES.index("mel"))
        assert benign_but_melanoma.any() == contradictions


@pytest.mark.parametrize("malignant", [0.0, 0.4, 1.0])
def test_types_that_underflowed_share_their_group_s_weight(malignant: float) -> None:
    types = np.zeros((2, 8))
    types[0, CODES.index("nv")] = types[1, CODES.index("mel")] = 1
    reconciled = reconcile_types([np.array([[malignant, 1 - malignant]] * 2), types], PAIR)[1]
    np.testing.assert_allclose(reconciled[:, IS_MALIGNANT].sum(axis=1), malignant, atol=1e-12)
    np.testing.assert_allclose(reconciled[0, IS_MALIGNANT], malignant / len(MALIGNANT_CODES), atol=1e-12)
    np.testing.assert_allclose(reconciled[1, ~IS_MALIGNANT], (1 - malignant) / 4, atol=1e-12)


def test_a_pair_answers_as_its_heads_calibrated_and_agreeing(
    tmp_path: Path, make_model: Callable[..., Path], batch: torch.Tensor
) -> None:
    heads = (
        Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=0.8, offsets=(-0.7, 0.0)),
        Head(name="lesion_type", classes=CODES, temperature=1.6, offsets=(0, 1, 0, 0, -1, 0, 0, 0)),
    )
    model = load_model(make_model(tmp_path / "both", "both", heads=heads))
    with torch.inference_mode():
        logits = model.network(batch)
    each = [calibrate_logits(logits[head.name].double().numpy(), head) for head in heads]
    for reconciled, expected in zip(Classifier(model, CPU).predict(batch), reconcile_types(each, heads), strict=True):
        np.testing.assert_allclose(reconciled, expected, atol=1e-5)


def test_a_photo_gets_the_same_answer_alone_and_in_a_batch(classifier: Classifier, batch: torch.Tensor) -> None:
    (together,) = classifier.predict(batch)
    alone = np.concatenate([classifier.predict(photo[None])[0] for photo in batch])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_threads_at_once_get_the_same_answers(classifier: Classifier, batch: torch.Tensor) -> None:
    (expected,) = classifier.predict(batch)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda i: (i, classifier.predict(batch[i : i + 1])[0]), [*range(8)] * 4))
    for i, answer in answers:
        np.testing.assert_allclose(answer[0], expected[i], atol=1e-5)


def test_prefetch_keeps_the_order() -> None:
    def late(number: int) -> int:
        time.sleep(0.01 if number % 5 == 0 else 0)
        return number * number

    assert list(prefetch(late, range(40), ahead=7)) == [number * number for number in range(40)]
    assert list(prefetch(late, [])) == []


def test_prefetch_stays_at_most_so_far_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for asked, _ in enumerate(prefetch(str, items(), ahead=5), start=1):
        assert taken <= asked + 5
    assert taken == 100


def test_prefetch_works_in_other_threads() -> None:
    names = set(prefetch(lambda _: threading.current_thread().name, range(10)))
    assert all(name.startswith("decode") for name in names)


def test_prefetch_raises_what_the_function_raised_in_its_place() -> None:
    results = prefetch(lambda number: 1 / number, [2, 1, 0, 4])
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_batches_keep_everything_in_order() -> None:
    assert list(batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batched([], 3)) == []
