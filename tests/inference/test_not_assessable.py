"""An answer that is no number is an error everywhere, never "below the threshold"."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import read_table
from skinapp.errors import ModelError, PhotoError
from skinapp.inference.assessment import Scores
from skinapp.inference.assessor import Assessor, load_assessor
from skinapp.inference.files import assess_files
from skinapp.inference.table import make_runs
from skinapp.models.card import Head
from skinapp.networks.classifier import Classifier, calibrate_logits, choose_batch_photos, reconcile_types
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.photo import Photo
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

CPU = Device("cpu", "CPU")
MALIGNANCY = Head(name="malignancy", classes=MALIGNANCY_CLASSES)
TYPES = Head(name="lesion_type", classes=CODES)


@pytest.fixture
def loses_count_of_dark_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a network answer a photo that is black in one corner with NaN."""
    original = Classifier.predict

    def predict(self: Classifier, batch: Tensor) -> list[np.ndarray]:
        answers = original(self, batch)
        dark = (batch[:, :, 0, 0] < -1.7).all(dim=1).numpy() & (batch.flatten(1).std(dim=1) > 0).numpy()
        for answer in answers:
            answer[dark] = np.nan
        return answers

    monkeypatch.setattr(Classifier, "predict", predict)


def darken(make_photo: Callable[..., Photo]) -> Photo:
    pixels = np.full((60, 60, 3), 200, dtype=np.uint8)
    pixels[:40, :40] = 0
    return make_photo(pixels)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_makes_the_whole_photo_not_a_number(value: float) -> None:
    logits = np.array([[1.0, 2.0], [value, 0.0]])
    scores = calibrate_logits(logits, MALIGNANCY)
    assert np.isfinite(scores[0]).all()
    assert np.isnan(scores[1]).all()


def test_reconciled_types_do_not_hide_it() -> None:
    malignancy, types = np.array([[0.3, 0.7]]), np.full((1, 8), np.nan)
    _, reconciled = reconcile_types([malignancy, types], [MALIGNANCY, TYPES])
    assert np.isnan(reconciled).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_are_numbers(value: float) -> None:
    with pytest.raises(PhotoError, match=r"cannot be assessed.*neither above nor below the threshold"):
        Scores(MALIGNANCY_CLASSES, (value, 0.5))


@pytest.mark.usefixtures("loses_count_of_dark_photos")
def test_one_photo_of_many_is_refused_and_the_others_keep_their_answer(
    models: Path, make_photo: Callable[..., Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    assessor: Assessor = load_assessor(models, CPU)
    photos = {Path("a"): make_photo(1), Path("dark"): darken(make_photo), Path("b"): make_photo(2)}
    monkeypatch.setattr("skinapp.inference.files.read_photo_file", photos.__getitem__)
    with pytest.raises(PhotoError, match="cannot be assessed"):
        assessor.assess(photos[Path("dark")])
    answers = list(assess_files(assessor, list(photos)))
    assert [answer.assessment is None for answer in answers] == [False, True, False]
    assert "cannot be assessed" in str(answers[1].error)
    for place, name in ((0, "a"), (2, "b")):
        known = answers[place].assessment
        assert known is not None
        assert known.malignant_score == pytest.approx(assessor.assess(photos[Path(name)]).malignant_score, abs=1e-5)


def test_an_evaluation_names_the_photo(models: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = data_root / "table.parquet"
    table = read_table(path)
    classifier = Classifier(load_model(models / "malignancy"), CPU)
    first = table.loc[table["split"] == "test", "path"].iloc[0]
    original = classifier.predict

    def predict(batch: Tensor) -> list[np.ndarray]:
        answers = original(batch)
        answers[0][0] = np.nan
        return answers

    monkeypatch.setattr(classifier, "predict", predict)
    with pytest.raises(PhotoError, match=rf"no number for {data_root / first}\. "):
        make_runs(classifier, table, path, "test", data_root, "x", ignore_progress)
    (data_root / "photos" / "broken.png").write_bytes(b"no photo")
    spoilt = table.assign(path=table["path"].mask(table["path"] == first, "photos/broken.png"))
    try:
        with pytest.raises(PhotoError, match=r"broken\.png: "):
            make_runs(classifier, spoilt, path, "test", data_root, "x", ignore_progress)
    finally:
        (data_root / "photos" / "broken.png").unlink()


def test_a_model_that_answers_nothing_is_not_loaded(models: Path) -> None:
    model = load_model(models / "malignancy")
    with torch.no_grad():
        next(model.network.parameters()).fill_(torch.nan)
    with pytest.raises(ModelError, match="answers a blank photo with no number"):
        Classifier(model, CPU)


def test_large_inputs_come_in_small_batches() -> None:
    assert [choose_batch_photos(side) for side in (32, 224, 512, 1024)] == [32, 32, 32, 8]
