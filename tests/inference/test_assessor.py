from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.scope import OUT_OF_SCOPE, ScopeAnswer, ScopeGate, standardise
from skinapp.inference.triage import decide_triage
from skinapp.models.card import CARD, Card, OperatingPoint, Preprocessing, read_card
from skinapp.models.quality import QualityFacts
from skinapp.networks.classifier import Classifier, Observed
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import Photo
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT

MakeModel = Callable[..., Path]
MakePhoto = Callable[..., Photo]
CPU = Device("cpu", "CPU")


@pytest.fixture(scope="module")
def assessor(models: Path) -> Assessor:
    return load_assessor(models, CPU)


def scores(answers: list[Assessment]) -> np.ndarray:
    return np.array([answer.malignancy.values + answer.lesion_type.values for answer in answers])


def test_an_assessment_says_which_photo_and_which_weights(assessor: Assessor, models: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    photo = Photo(pixels, "f" * 64, "JPEG", 800, 600, ("A note.",))
    answer = assessor.assess(photo)
    assert (answer.sha256, answer.width, answer.height, answer.notes) == ("f" * 64, 800, 600, ("A note.",))
    assert answer.malignancy_weights == read_card(models / "malignancy").weights_sha256
    assert answer.lesion_type_weights == read_card(models / "lesion-type").weights_sha256
    assert answer.malignancy_weights != answer.lesion_type_weights
    assert answer.malignancy.classes == MALIGNANCY_CLASSES
    assert answer.lesion_type.classes == CODES
    assert answer.malignant_score == answer.malignancy.values[0]


def test_a_gate_decides_photo_by_photo_and_without_one_nothing_is_said(
    tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto
) -> None:
    classifier = Classifier(load_model(make_model(tmp_path / "pair", "both")), CPU)
    photos, card = [make_photo(1), make_photo(np.full((60, 80, 3), 90, np.uint8))], classifier.card
    crops = [crop_for_network(photo, card.preprocessing) for photo in photos]
    early = classifier.observe(to_tensor(crops, card.preprocessing)).early
    zeros, ones = np.zeros(early.shape[1]), np.ones(early.shape[1])
    standard = standardise(early, zeros, ones)
    weights = standard[1] - standard[0]  # the second photo is farther along this direction than the first
    offset = -float(standard.mean(axis=0) @ weights)
    gate = ScopeGate(zeros, ones, zeros[:, None], weights, 0.0, -np.inf, offset)
    inside, outside = Assessor(classifier, classifier, gate).assess_batch(photos)
    assert inside.in_scope is True
    assert outside.in_scope is False
    assert (inside.findings, outside.findings) == ((), (OUT_OF_SCOPE,))
    assert decide_triage(outside).category == "not_assessable"
    assert Assessor(classifier, classifier).assess(photos[1]).in_scope is None


def test_class_maps_give_the_logits_exactly(tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto) -> None:
    network = load_model(make_model(tmp_path / "pair", "both")).network
    assessor, photo = load_assessor(tmp_path, CPU), make_photo(1)
    answer, card = assessor.assess(photo), assessor.malignancy_card
    assert answer.maps is not None
    evidence = {label: each.mean() for label, each in assessor.compute_class_maps(answer.maps).items()}
    assert set(evidence) == {MALIGNANT, *CODES}
    logits = network(to_tensor([crop_for_network(photo, card.preprocessing)], card.preprocessing))
    given = (logits["lesion_type"][0] - network.heads["lesion_type"].bias).numpy()
    assert [evidence[code] for code in CODES] == pytest.approx(given - given.mean(), abs=1e-4)
    malignant, benign = (logits["malignancy"][0] - network.heads["malignancy"].bias).numpy()
    assert evidence[MALIGNANT] == pytest.approx((malignant - benign) / 2, abs=1e-4)


def test_maps_are_those_of_the_malignancy_model(assessor: Assessor, make_photo: MakePhoto) -> None:
    answers = assessor.assess_batch([make_photo(1), make_photo(2)])
    first, second = (answer.maps for answer in answers)
    assert first is not None
    assert set(assessor.compute_class_maps(first)) == {MALIGNANT}
    assert second is not None
    assert first.base is None
    assert not np.array_equal(first, second)


def test_each_network_gives_its_own_answer(assessor: Assessor, models: Path, make_photo: MakePhoto) -> None:
    photo = make_photo(1)
    answer = assessor.assess(photo)
    for folder, given in (("malignancy", answer.malignancy), ("lesion-type", answer.lesion_type)):
        model = load_model(models / folder)
        preprocessing = model.card.preprocessing
        batch = to_tensor([crop_for_network(photo, preprocessing)], preprocessing)
        expected = Classifier(model, CPU).predict(batch)[0][0]
        assert given.values == pytest.approx(expected.tolist(), abs=1e-5)
        assert sum(given.values) == pytest.approx(1)


def test_photos_are_answered_alike_alone_and_in_a_batch(assessor: Assessor, make_photo: MakePhoto) -> None:
    photos = [make_photo(seed, size) for seed, size in enumerate([(80, 60), (60, 80), (40, 200), (300, 300)])]
    together, alone = scores(assessor.assess_batch(photos)), scores([assessor.assess(photo) for photo in photos])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.ptp(together, axis=0).max() > 0.01


def test_threads_share_an_assessor(assessor: Assessor, make_photo: MakePhoto) -> None:
    photos = [make_photo(seed) for seed in range(6)]
    expected = scores([assessor.assess(photo) for photo in photos])
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(assessor.assess, photos * 3))
    np.testing.assert_allclose(scores(answers), np.tile(expected, (3, 1)), atol=1e-5)


def test_networks_may_see_differently(tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto) -> None:
    closer = Preprocessing(resize_px=64, input_px=48)
    make_model(tmp_path / "malignancy", "malignancy", seed=1)
    make_model(tmp_path / "type", "lesion_type", seed=2, preprocessing=closer)
    assessor = load_assessor(tmp_path, CPU)
    photo = make_photo(1)
    assert assessor.crop_for_network(photo).shape == (32, 32, 3)
    expected = Classifier(load_model(tmp_path / "type"), CPU).predict(
        to_tensor([crop_for_network(photo, closer)], closer)
    )[0][0]
    assert assessor.assess(photo).lesion_type.values == pytest.approx(expected.tolist(), abs=1e-5)


def test_the_view_is_the_malignancy_networks(assessor: Assessor, make_photo: MakePhoto) -> None:
    photo = make_photo(1)
    assert np.array_equal(
        assessor.crop_for_network(photo), crop_for_network(photo, assessor.malignancy_card.preprocessing)
    )


def test_what_it_holds_can_be_asked_for(assessor: Assessor) -> None:
    assert assessor.device == CPU
    assert assessor.malignancy_card.role == "malignancy"
    assert assessor.lesion_type_card.role == "lesion_type"


def test_scores_by_class_and_by_rank() -> None:
    three = Scores(("nv", "mel", "bcc"), (0.2, 0.5, 0.3))
    assert three.score_of("bcc") == 0.3
    assert three.rank() == (("mel", 0.5), ("bcc", 0.3), ("nv", 0.2))
    with pytest.raises(ValueError, match="tuple"):
        three.score_of("wart")


@pytest.mark.parametrize(("there", "lacking"), [("malignancy", "lesion_type"), ("lesion_type", "malignancy")])
def test_a_missing_role_is_named(tmp_path: Path, make_model: MakeModel, there: str, lacking: str) -> None:
    make_model(tmp_path / "one", there)
    with pytest.raises(ModelError, match=f"holds no {lacking} model"):
        load_assessor(tmp_path, CPU)


def test_no_models_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no folder .*absent of models\. Name the folder"):
        load_assessor(tmp_path / "absent", CPU)


def test_a_damaged_model_is_named(tmp_path: Path, make_model: MakeModel) -> None:
    make_model(tmp_path / "malignancy", "malignancy")
    make_model(tmp_path / "type", "lesion_type")
    (tmp_path / "type" / CARD).write_text("{}")
    with pytest.raises(ModelError, match=r"type.card\.json is not a model card"):
        load_assessor(tmp_path, CPU)


def test_the_first_model_of_a_role_is_taken(tmp_path: Path, make_model: MakeModel) -> None:
    for seed, name in enumerate(("b", "a")):
        make_model(tmp_path / name, "malignancy", seed=seed)
    make_model(tmp_path / "type", "lesion_type")
    assert load_assessor(tmp_path, CPU).malignancy_card.id == "a"


def test_a_pair_gives_both_answers_in_one_pass(
    tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_model(tmp_path / "pair", "both", seed=3)
    assessor = load_assessor(tmp_path, CPU)
    passes = []
    original = Classifier.observe

    def counted(self: Classifier, batch: Tensor) -> Observed:
        passes.append(len(batch))
        return original(self, batch)

    monkeypatch.setattr(Classifier, "observe", counted)
    photos = [make_photo(seed) for seed in range(3)]
    answers = assessor.assess_batch(photos)
    assert passes == [3]

    model = load_model(folder)
    preprocessing = model.card.preprocessing
    batch = to_tensor([crop_for_network(photo, preprocessing) for photo in photos], preprocessing)
    expected = np.concatenate(Classifier(model, CPU).predict(batch), axis=1)
    np.testing.assert_allclose(scores(answers), expected, atol=1e-5)
    assert [answer.malignancy.classes for answer in answers] == [MALIGNANCY_CLASSES] * 3
    assert [answer.lesion_type.classes for answer in answers] == [CODES] * 3
    assert {answer.malignancy_weights for answer in answers} == {model.card.weights_sha256}
    assert {answer.lesion_type_weights for answer in answers} == {model.card.weights_sha256}


def test_the_order_of_the_heads_of_a_pair_does_not_matter(
    tmp_path: Path, make_model: MakeModel, make_card: Callable[..., Card], make_photo: MakePhoto
) -> None:
    make_model(tmp_path / "pair", "both", heads=make_card("both").heads[::-1])
    answer = load_assessor(tmp_path, CPU).assess(make_photo(1))
    assert (answer.malignancy.classes, len(answer.malignancy.values)) == (MALIGNANCY_CLASSES, 2)
    assert (answer.lesion_type.classes, len(answer.lesion_type.values)) == (CODES, 8)


def test_a_pair_wins_over_single_models(tmp_path: Path, make_model: MakeModel) -> None:
    make_model(tmp_path / "a", "malignancy")
    make_model(tmp_path / "b", "lesion_type")
    assert load_assessor(tmp_path, CPU).malignancy_card.id == "a"
    make_model(tmp_path / "c", "both")
    assessor = load_assessor(tmp_path, CPU)
    assert (assessor.malignancy_card.id, assessor.lesion_type_card.id) == ("c", "c")


def test_an_assessment_knows_the_threshold_at_95_percent(
    tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto
) -> None:
    make_model(tmp_path / "type", "lesion_type")
    photo = make_photo(1)
    make_model(tmp_path / "malignancy", "malignancy")
    without = load_assessor(tmp_path, CPU).assess(photo)
    assert (without.threshold, without.above_threshold) == (None, None)
    for threshold, above in ((without.malignant_score / 2, True), ((without.malignant_score + 1) / 2, False)):
        points = [OperatingPoint(sensitivity=s, threshold=t) for s, t in ((0.9, 0.99), (0.95, threshold), (0.98, 0.0))]
        make_model(tmp_path / "malignancy", "malignancy", operating_points=tuple(points))
        answer = load_assessor(tmp_path, CPU).assess(photo)
        assert (answer.threshold, answer.above_threshold) == (threshold, above)


def test_a_score_of_the_threshold_is_above_it(assessor: Assessor, make_photo: MakePhoto) -> None:
    answer = assessor.assess(make_photo(1))
    point = OperatingPoint(sensitivity=0.95, threshold=answer.malignant_score)
    assert replace(answer, operating_points=(point,)).above_threshold is True


def open_gate(refuses: set[int]) -> ScopeGate:
    """Make a gate that refuses the photos at these places of a batch, whatever they show."""

    class Drawn:
        def check(self, early: np.ndarray) -> list[ScopeAnswer]:
            refused = [place in refuses for place in range(len(early))]
            return [ScopeAnswer(not out, float(out), OUT_OF_SCOPE if out else None) for out in refused]

    return cast(ScopeGate, Drawn())


def test_the_gate_looks_at_each_photo_and_quality_at_those_in_scope(
    tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto, make_quality: Callable[..., QualityFacts]
) -> None:
    black = make_photo(np.zeros((64, 64, 3), np.uint8))
    classifier = Classifier(load_model(make_model(tmp_path / "pair", "both", quality=make_quality())), CPU)
    car, dark = Assessor(classifier, classifier, open_gate({0})).assess_batch([black, black])
    assert (car.in_scope, car.findings) == (False, (OUT_OF_SCOPE,))
    assert (dark.in_scope, [finding.code for finding in dark.findings]) == (True, ["dark"])
    (unchecked,) = Assessor(classifier, classifier).assess_batch([black])
    assert (unchecked.in_scope, unchecked.findings) == (None, dark.findings)


def test_without_limits_nothing_is_found(assessor: Assessor, make_photo: MakePhoto) -> None:
    assert assessor.assess(make_photo(np.zeros((64, 64, 3), np.uint8))).findings == ()


def test_a_photo_of_few_pixels_is_told(
    tmp_path: Path, make_model: MakeModel, make_photo: MakePhoto, make_quality: Callable[..., QualityFacts]
) -> None:
    make_model(tmp_path / "pair", "both", quality=make_quality())
    small, large = load_assessor(tmp_path, CPU).assess_batch([make_photo(1, (80, 59)), make_photo(1, (80, 60))])
    assert "too_small" in {finding.code for finding in small.findings}
    assert "too_small" not in {finding.code for finding in large.findings}
