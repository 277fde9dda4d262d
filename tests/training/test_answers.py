from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import read_table
from skinapp.errors import ModelError, PhotoError
from skinapp.inference.table import predict_files
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.training import answers as module
from skinapp.training.answers import arrange_answers, read_answers, write_answers

MakeModel = Callable[..., Path]

HEADS = {"malignancy": MALIGNANCY_CLASSES, "lesion_type": CODES}


def load(folder: Path) -> Classifier:
    return Classifier(load_model(folder), Device("cpu", "CPU"))


@pytest.fixture
def teacher(tmp_path: Path, make_model: MakeModel) -> Classifier:
    return load(make_model(tmp_path / "pair", "both", seed=6))


@pytest.fixture
def photos(data_root: Path) -> pd.DataFrame:
    return read_table(data_root / "table.parquet").head(7)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "answers.parquet"


def test_answers_are_what_the_model_predicts(
    teacher: Classifier, photos: pd.DataFrame, data_root: Path, output: Path
) -> None:
    write_answers(teacher, photos, output, data_root, ignore_progress)
    stored = read_answers(output)
    assert (stored.teacher.name, stored.teacher.sha256) == ("pair", teacher.card.weights_sha256)
    expected = predict_files(teacher, [data_root / path for path in photos["path"]], ignore_progress)
    by_head = {head.name: scores for head, scores in zip(teacher.card.heads, expected, strict=True)}
    in_order = np.concatenate([by_head[task] for task in HEADS], axis=1)
    np.testing.assert_allclose(arrange_answers(stored, photos, HEADS), in_order, atol=1e-6)
    turned = photos[::-1]
    np.testing.assert_allclose(arrange_answers(stored, turned, HEADS), in_order[::-1], atol=1e-6)


def test_an_interrupted_call_goes_on_where_it_was(
    teacher: Classifier, photos: pd.DataFrame, data_root: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 2)
    broken = output.with_name("broken.jpg")
    broken.write_bytes(b"no picture")
    spoilt = photos.assign(path=photos["path"].where(photos.index != 5, str(broken)))
    with pytest.raises(PhotoError, match="broken"):
        write_answers(teacher, spoilt, output, data_root, ignore_progress)
    assert read_answers(output).frame["image_id"].tolist() == photos["image_id"].tolist()[:4]
    seen: list[tuple[int, int]] = []
    whole = write_answers(teacher, photos, output, data_root, lambda done, total: seen.append((done, total)))
    assert seen == [(2, 3), (3, 3)]
    assert whole.frame["image_id"].tolist() == photos["image_id"].tolist()
    assert write_answers(teacher, photos, output, data_root, ignore_progress).frame.equals(read_answers(output).frame)


def test_another_model_does_not_add_to_the_file(
    teacher: Classifier, photos: pd.DataFrame, data_root: Path, output: Path, tmp_path: Path, make_model: MakeModel
) -> None:
    write_answers(teacher, photos, output, data_root, ignore_progress)
    other = load(make_model(tmp_path / "pair", "both", seed=7))
    with pytest.raises(ModelError, match="holds the answers of pair with other weights"):
        write_answers(other, photos, output, data_root, ignore_progress)


def test_a_photo_without_an_answer_has_none_and_a_class_without_one_is_named(
    teacher: Classifier, photos: pd.DataFrame, data_root: Path, output: Path
) -> None:
    stored = write_answers(teacher, photos.head(3), output, data_root, ignore_progress)
    arranged = arrange_answers(stored, photos, HEADS)
    assert np.isfinite(arranged).all(axis=1).tolist() == [True] * 3 + [False] * 4
    assert np.isnan(arranged[3:]).all()
    with pytest.raises(ModelError, match="answers of pair lack lesion_type:wart"):
        arrange_answers(stored, photos, {"lesion_type": (*CODES, "wart")})


def test_a_file_of_something_else_is_refused(output: Path, photos: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="no stored answers"):
        read_answers(output)
    output.write_bytes(b"no parquet")
    with pytest.raises(ModelError, match="holds no answers of a teacher"):
        read_answers(output)
    photos.to_parquet(output)
    with pytest.raises(ModelError, match="holds no answers of a teacher"):
        read_answers(output)
