import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinapp.datasets.table import read_table
from skinapp.models.card import CARD, RECIPE, read_card
from skinapp.models.folder import WEIGHTS
from skinapp.training.answers import read_answers

from .conftest import TINY

RunCommand = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")


def test_train_makes_a_model_that_classify_uses(run_command: RunCommand, tmp_path: Path, data_root: Path) -> None:
    for role in ("malignancy", "lesion_type"):
        recipe = tmp_path / "models" / role / RECIPE
        recipe.parent.mkdir(parents=True)
        table = (data_root / "table.parquet").as_posix()
        recipe.write_text(TINY.format(table=table).replace('"malignancy"', f'"{role}"'))
        options = ("--data", data_root, "--checkpoints", tmp_path / "checkpoints", "--workers", 0)
        done = run_command("train", recipe, *options)
        assert done.code == 0
        assert f"{role}: kept epoch 1 of 1, loss " in done.err
        assert {CARD, WEIGHTS} <= {file.name for file in recipe.parent.iterdir()}
    photos = data_root / "photos"
    done = run_command("classify", photos / "photo_00.png", "--format", "json", "--models", tmp_path / "models")
    (one,) = json.loads(done.out)
    assert one["weights"]["malignancy"] == read_card(tmp_path / "models" / "malignancy").weights_sha256


def test_teach_stores_answers_on_training_photos_and_goes_on(
    run_command: RunCommand, tmp_path: Path, data_root: Path, make_model: Callable[..., Path]
) -> None:
    recipe, output = tmp_path / RECIPE, tmp_path / "answers.parquet"
    recipe.write_text(TINY.format(table=(data_root / "table.parquet").as_posix()))
    make_model(tmp_path / "models" / "pair", "both", seed=6)
    options = ("-o", output, "--data", data_root, "--models", tmp_path / "models")
    done = run_command("teach", "pair", recipe, *options)
    table = read_table(data_root / "table.parquet")
    train = table[table["split"] == "train"]
    assert done.code == 0
    assert f"answers of pair on {len(train)} photos" in done.err
    assert set(read_answers(output).frame["image_id"]) == set(train["image_id"])
    before = output.read_bytes()
    assert run_command("teach", "pair", recipe, *options).code == 0
    assert output.read_bytes() == before
    output.write_bytes(b"something else")
    done = run_command("teach", "pair", recipe, *options)
    assert (done.code, done.out) == (2, "")
    assert "holds no answers of a teacher" in done.err


def test_calibrate_says_the_temperature_and_that_the_runs_are_old(
    run_command: RunCommand, tmp_path: Path, data_root: Path
) -> None:
    recipe = tmp_path / "models" / "small" / RECIPE
    recipe.parent.mkdir(parents=True)
    recipe.write_text(TINY.format(table=(data_root / "table.parquet").as_posix()))
    options = ("--data", data_root)
    run_command("train", recipe, *options, "--checkpoints", tmp_path / "checkpoints", "--workers", 0)
    recipe.write_text(recipe.read_text() + "\n[calibration]\nundo_sampling = 1.0\n")
    done = run_command("calibrate", "small", *options, "--models", tmp_path / "models")
    assert done.code == 0
    (head,) = read_card(recipe.parent).heads
    assert len(head.offsets) == 2
    assert f"small, malignancy: temperature {head.temperature:.3f}" in done.err
    assert "Make them again with `skinapp evaluate`, then `skinapp card small`" in done.err
    done = run_command("calibrate", "absent", *options, "--models", tmp_path / "models")
    assert (done.code, done.out) == (2, "")
    assert "There is no model absent in" in done.err
    assert "which has small." in done.err


def test_a_wrong_recipe_or_data_root_is_said_in_a_sentence(
    run_command: RunCommand, tmp_path: Path, data_root: Path
) -> None:
    recipe, wrong = tmp_path / RECIPE, tmp_path / "wrong.toml"
    recipe.write_text(TINY.format(table=(data_root / "table.parquet").as_posix()))
    wrong.write_text(recipe.read_text().replace("seed = 7", "sead = 7"))
    checkpoints = ("--checkpoints", tmp_path / "checkpoints")
    for arguments, sentence in (
        ((wrong, "--data", data_root), "sead: "),
        ((tmp_path / "absent.toml", "--data", data_root), "There is no recipe at"),
        ((recipe,), "Name their data root"),
    ):
        done = run_command("train", *arguments, *checkpoints)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.err
        assert "Error: " in done.err


def test_arrays_are_written_to_a_folder(run_command: RunCommand, tmp_path: Path, data_root: Path) -> None:
    folder = tmp_path / "arrays"
    done = run_command("arrays", data_root / "table.parquet", "-o", folder, "--one-hot", "--data", data_root)
    assert (done.code, done.out) == (0, "")
    assert "40 photos written to " in done.err
    assert {file.name for file in folder.iterdir()} == {"X.npy", "X_g.npy", "y.npy", "arrays.json"}
    assert np.load(folder / "y.npy").shape == (40, 7)
    (tmp_path / "taken").touch()
    done = run_command("arrays", data_root / "table.parquet", "-o", tmp_path / "taken", "--data", data_root)
    assert done.code == 2
    assert "taken cannot be written" in done.err


def test_average_says_the_temperatures_and_classify_uses_it(
    run_command: RunCommand, tmp_path: Path, data_root: Path, make_average: Callable[[Path], Path]
) -> None:
    folder = make_average(tmp_path / "models" / "pair")
    before = read_card(folder)
    done = run_command("average", folder / RECIPE, "--data", data_root)
    assert done.code == 0
    card = read_card(folder)
    assert card.heads == before.heads
    for head in card.heads:
        assert f"pair, {head.name}: temperature {head.temperature:.3f}" in done.err
    assert "Make them again with `skinapp evaluate`, then `skinapp card pair`" in done.err
    photo = data_root / "photos" / "photo_00.png"
    done = run_command("classify", photo, "--format", "json", "--models", folder.parent)
    (one,) = json.loads(done.out)
    assert one["weights"] == {"malignancy": card.weights_sha256, "lesion_type": card.weights_sha256}
    done = run_command("average", folder / "absent.toml", "--data", data_root)
    assert (done.code, done.out) == (2, "")
    assert "There is no recipe at" in done.err
