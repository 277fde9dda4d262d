from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.cards.provenance import is_own_test
from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import build_image_table, read_table, write_table
from skinapp.errors import DatasetError
from skinapp.files import compute_sha256
from skinapp.inference.table import make_runs, predict_files
from skinapp.models.card import Head
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import read_photo_file
from skinapp.runs.stored import Scaling, StoredRun, load_run, save_run
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT_CODES

CPU = Device("cpu", "CPU")
HEADS = (
    Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=0.8, offsets=(-0.5, 0.0)),
    Head(name="lesion_type", classes=CODES, temperature=1.6, offsets=(-1, 0, 0.5, 0, 0, 0, -2, 0)),
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., Path]) -> Classifier:
    """Load a random pair of heads, both calibrated."""
    return Classifier(load_model(make_model(tmp_path_factory.mktemp("models") / "pair", "both", heads=HEADS)), CPU)


@pytest.fixture(scope="module")
def runs(pair: Classifier, data_root: Path) -> tuple[StoredRun, ...]:
    """Predict the test photos by both heads of the pair."""
    path = data_root / "table.parquet"
    return make_runs(pair, read_table(path), path, "test", data_root, "table-test", ignore_progress)


def test_a_pair_makes_a_run_for_each_head(runs: tuple[StoredRun, ...], pair: Classifier, data_root: Path) -> None:
    table = read_table(data_root / "table.parquet")
    photos = table[table["split"] == "test"]
    assert [run.name for run in runs] == ["table-test-malignancy", "table-test-lesion-type"]
    assert [run.classes for run in runs] == [MALIGNANCY_CLASSES, CODES]
    truths = (photos["malignant"].map({True: "malignant", False: "benign"}), photos["diagnosis"])
    for run, truth in zip(runs, truths, strict=True):
        assert run.frame["truth"].tolist() == truth.tolist()
        assert run.frame["image_id"].tolist() == photos["image_id"].tolist()
        assert run.frame["lesion_id"].tolist() == photos["lesion_id"].tolist()
        assert (run.model, run.table, run.split) == ("pair", "table", "test")
        assert run.table_sha256 == compute_sha256(data_root / "table.parquet")
        assert (run.weights_sha256, run.weights_kept) == (pair.card.weights_sha256, True)
        assert is_own_test(run, pair.card) is False  # it was trained on another table


def test_a_run_from_before_the_model_was_calibrated_anew_is_not_its_own(
    runs: tuple[StoredRun, ...], pair: Classifier, data_root: Path
) -> None:
    here = pair.card.data.model_copy(update={"table_sha256": compute_sha256(data_root / "table.parquet")})
    card = pair.card.model_copy(update={"data": here})
    malignancy, types = runs
    assert is_own_test(malignancy, card, "malignancy")
    assert is_own_test(types, card, "lesion_type")
    assert is_own_test(types, card)
    assert not is_own_test(types, card, "malignancy")
    changed = HEADS[0].model_copy(update={"temperature": 0.9}), HEADS[1].model_copy(update={"offsets": ()})
    new_malignancy = card.model_copy(update={"heads": (changed[0], HEADS[1])})
    for run in runs:  # a pair's types are scaled to agree with its malignancy
        assert not is_own_test(run, new_malignancy)
    new_types = card.model_copy(update={"heads": (HEADS[0], changed[1])})
    assert is_own_test(malignancy, new_types, "malignancy")
    assert not is_own_test(types, new_types, "lesion_type")
    assert is_own_test(replace(types, temperature=None), new_types, "lesion_type")  # of a past that kept no word


def test_its_predictions_are_the_classifier_s_answers_and_agree(
    runs: tuple[StoredRun, ...], pair: Classifier, data_root: Path
) -> None:
    settings = pair.card.preprocessing
    table = read_table(data_root / "table.parquet")
    files = [data_root / path for path in table["path"][table["split"] == "test"]]
    expected = pair.predict(to_tensor([crop_for_network(read_photo_file(f), settings) for f in files], settings))
    for run, answer in zip(runs, expected, strict=True):
        np.testing.assert_allclose(run.probabilities(), answer, atol=1e-5)
    malignancy, types = (run.probabilities() for run in runs)
    malignant = types[:, [CODES.index(code) for code in MALIGNANT_CODES]].sum(axis=1)
    np.testing.assert_allclose(malignant, malignancy[:, 0], atol=1e-12)


def test_how_its_logits_became_probabilities_is_stored_and_read_back(
    runs: tuple[StoredRun, ...], tmp_path: Path
) -> None:
    for run in runs:
        save_run(run, tmp_path / "runs" / run.name)
    malignancy, types = (load_run(tmp_path / "runs" / run.name) for run in runs)
    assert (malignancy.temperature, malignancy.offsets, malignancy.malignancy) == (0.8, (-0.5, 0.0), None)
    assert (types.temperature, types.offsets) == (1.6, HEADS[1].offsets)
    assert types.malignancy == Scaling(0.8, (-0.5, 0.0))
    for stored, run in zip((malignancy, types), runs, strict=True):
        pd.testing.assert_frame_equal(stored.frame, run.frame, check_dtype=False)


def test_a_model_of_one_head_makes_one_run_of_the_name_given(models: Path, data_root: Path) -> None:
    classifier = Classifier(load_model(models / "lesion-type"), CPU)
    seen: list[tuple[int, int]] = []
    path = data_root / "table.parquet"
    made = make_runs(classifier, read_table(path), path, "test", data_root, "mine", lambda *done: seen.append(done))
    assert [(run.name, run.temperature, run.offsets, run.malignancy) for run in made] == [("mine", 1.5, (), None)]
    assert seen[-1] == (8, 8)


def test_photos_may_come_from_a_frame_whose_split_the_file_does_not_have(pair: Classifier, data_root: Path) -> None:
    path = data_root / "table.parquet"
    table = read_table(path)
    outside = table.assign(split=table["split"].mask(table["split"] == "validation", "outside"))
    for run in make_runs(pair, outside, path, "outside", data_root, "outside", ignore_progress, weights_kept=False):
        assert set(run.frame["image_id"]) == set(table["image_id"][table["split"] == "validation"])
        assert (run.split, run.weights_kept) == ("outside", False)


def test_every_head_gets_its_row_a_photo(pair: Classifier, data_root: Path) -> None:
    files = sorted((data_root / "photos").iterdir())[:33]  # more than a batch
    answers = predict_files(pair, files, ignore_progress)
    assert [answer.shape for answer in answers] == [(33, 2), (33, 8)]
    alone = predict_files(pair, files[32:], ignore_progress)
    for answer, last in zip(answers, alone, strict=True):
        np.testing.assert_allclose(answer[32:], last, atol=1e-5)


def test_a_split_that_the_table_lacks_is_named_beside_those_it_has(pair: Classifier, data_root: Path) -> None:
    path = data_root / "table.parquet"
    with pytest.raises(DatasetError, match="no photo in the split outside; its splits: test, train, validation"):
        make_runs(pair, read_table(path), path, "outside", data_root, "x", ignore_progress)


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [("diagnosis", "wart", "wart"), ("diagnosis", pd.NA, "missing"), ("malignant", pd.NA, "missing")],
)
def test_a_truth_that_one_of_the_heads_does_not_know_is_named(
    pair: Classifier, data_root: Path, tmp_path: Path, column: str, value: object, named: str
) -> None:
    table = read_table(data_root / "table.parquet")
    table.loc[table["split"] == "test", column] = value
    path = tmp_path / "table.parquet"
    write_table(build_image_table(table), path)
    with pytest.raises(DatasetError, match=rf"labels that pair does not have: {named}"):
        make_runs(pair, read_table(path), path, "test", data_root, "x", ignore_progress)
