import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinapp.datasets.table import read_table, write_table
from skinapp.files import compute_sha256
from skinapp.models.card import DataFacts, read_card
from skinapp.runs.stored import find_runs, load_run
from skinapp.runs.summary import compute_headline

from .conftest import TINY

RunCommand = Callable[..., Any]


@pytest.fixture
def own_models(tmp_path: Path, make_model: Callable[..., Path], facts: DataFacts) -> Path:
    """Make a pair of models that belong to the made-up table, for a test to store runs beside."""
    make_model(tmp_path / "models" / "malignancy", "malignancy", seed=1, data=facts)
    make_model(tmp_path / "models" / "lesion-type", "lesion_type", seed=2, data=facts)
    return tmp_path / "models"


def evaluated(run_command: RunCommand, models: Path, data_root: Path, *options: object) -> Any:
    table = data_root / "table.parquet"
    return run_command("evaluate", "malignancy", table, "--data", data_root, "--models", models, *options)


def test_evaluate_stores_a_run_and_prints_its_figures(
    run_command: RunCommand, own_models: Path, data_root: Path
) -> None:
    done = evaluated(run_command, own_models, data_root)
    folder = own_models / "malignancy" / "runs" / "table-test"
    assert done.code == 0
    assert f"Stored in {folder}" in done.err
    run = load_run(folder)
    table = read_table(data_root / "table.parquet")
    assert set(run.frame["image_id"]) == set(table["image_id"][table["split"] == "test"])
    found = compute_headline(run)
    assert done.out.startswith(f"malignancy on table, test: {found.photos} photos of {found.lesions} lesions")
    for words, value in {
        "malignant AUROC": found.malignant_auroc,
        "balanced accuracy": found.balanced_accuracy,
        "log loss": found.log_loss,
    }.items():
        assert any(line.strip().startswith(f"{words}  ") and f"{value:.3f} (" in line for line in done.out.splitlines())
    assert any("top three" in line and line.rstrip().endswith("–") for line in done.out.splitlines())


def test_split_name_and_model_folder_are_as_asked(run_command: RunCommand, own_models: Path, data_root: Path) -> None:
    arguments = (own_models / "lesion-type", data_root / "table.parquet", "--data", data_root)
    done = run_command("evaluate", *arguments, "--split", "validation", "--name", "mine")
    assert done.code == 0
    (folder,) = find_runs(own_models)
    assert folder == own_models / "lesion-type" / "runs" / "mine"
    assert load_run(folder).split == "validation"


def test_a_recipe_s_photos_outside_make_a_run_of_the_table_they_are_of(
    run_command: RunCommand, own_models: Path, data_root: Path, tmp_path: Path
) -> None:
    table, recipe = read_table(data_root / "table.parquet"), tmp_path / "recipe.toml"
    tables = []
    for clinic, photos in (("here", table.head(6)), ("there", table.tail(4))):
        names = {"image_id": clinic + photos["image_id"], "lesion_id": clinic + photos["lesion_id"]}
        tables.append(tmp_path / f"{clinic}.parquet")
        write_table(photos.assign(**names, sha256=None, split=None), tables[-1])
    here, there = (f'[[data.extra]]\ntable = "{path.as_posix()}"\nuse = "outside"\n' for path in tables)
    text = TINY.format(table=(data_root / "table.parquet").as_posix())
    recipe.write_text(text.replace("[network]", here + "\n[network]"))
    arguments = ("evaluate", "malignancy", recipe, "--data", data_root, "--models", own_models, "--split")
    assert run_command(*arguments, "outside").code == 0
    run = load_run(own_models / "malignancy" / "runs" / "here-outside")
    assert (run.table, run.split, run.table_sha256) == ("here", "outside", compute_sha256(tables[0]))
    assert set(run.frame["image_id"]) == set("here" + table["image_id"].head(6))

    recipe.write_text(text.replace("[network]", here + there + "\n[network]"))
    done = run_command(*arguments, "outside")
    assert (done.code, done.out) == (2, "")
    assert f"photos of {tables[0]}, {tables[1]}." in done.err
    assert "no photo in the split absent" in run_command(*arguments, "absent").err


def test_models_lists_test_figures_where_they_are_stored(
    run_command: RunCommand, own_models: Path, data_root: Path
) -> None:
    before = json.loads(run_command("models", "--format", "json", "--models", own_models).out)
    assert [one["test"] for one in before] == [None, None]
    evaluated(run_command, own_models, data_root)
    evaluated(run_command, own_models, data_root, "--split", "train", "--name", "a-train")

    done = run_command("models", "--format", "json", "--models", own_models)
    lesion_type, malignancy = json.loads(done.out)
    assert (done.code, lesion_type["test"]) == (0, None)
    card = read_card(own_models / "malignancy")
    facts = ("id", "role", "head", "network", "weights", "licence")
    expected = ["malignancy", "malignancy", "malignancy", "ResNet-18", card.weights_sha256, "none"]
    assert [malignancy[name] for name in facts] == expected
    found = compute_headline(load_run(own_models / "malignancy" / "runs" / "table-test"))
    assert (malignancy["test"]["photos"], malignancy["test"]["lesions"]) == (found.photos, found.lesions)
    auroc = malignancy["test"]["malignant_auroc"]
    assert auroc["value"] == pytest.approx(found.malignant_auroc)
    assert auroc["low"] <= auroc["value"] <= auroc["high"]
    assert malignancy["test"]["top3"] == {"value": None, "low": None, "high": None}

    shown = run_command("models", "--models", own_models).out.splitlines()
    (line,) = [line for line in shown if line.strip().startswith("malignancy")]
    assert f"{auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f})" in line
    (line,) = [line for line in shown if line.strip().startswith("lesion-type")]
    assert line.split()[-3:] == ["–"] * 3


def test_a_run_on_another_table_or_of_other_weights_is_not_the_test(
    run_command: RunCommand, own_models: Path, data_root: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    other = tmp_path / "a-other.parquet"
    table = read_table(data_root / "table.parquet")
    table.assign(split=table["split"].replace({"train": "test"})).to_parquet(other)
    run_command("evaluate", "malignancy", other, "--data", data_root, "--models", own_models)
    evaluated(run_command, own_models, data_root)
    _, listed = json.loads(run_command("models", "--format", "json", "--models", own_models).out)
    assert listed["test"]["photos"] == (table["split"] == "test").sum()

    card = read_card(own_models / "malignancy")
    make_model(own_models / "malignancy", "malignancy", seed=9, data=card.data)
    _, listed = json.loads(run_command("models", "--format", "json", "--models", own_models).out)
    assert listed["test"] is None


def test_no_models_give_an_empty_list_and_a_hint(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("models", "--format", "json", "--models", tmp_path)
    assert (done.code, json.loads(done.out)) == (0, [])
    for text in (done.err, run_command("models", "--models", tmp_path).err):
        assert f"no model in {tmp_path}." in text
        assert "SKINAPP_MODELS" in text


def test_what_evaluate_cannot_do_is_said_in_a_sentence(
    run_command: RunCommand, own_models: Path, data_root: Path, tmp_path: Path
) -> None:
    table = data_root / "table.parquet"
    copy = tmp_path / "copy"
    shutil.copytree(own_models / "malignancy", copy / "malignancy")
    (copy / "malignancy" / "model.safetensors").write_bytes(b"damaged")
    for arguments, sentence in (
        (("malignancy", table, "--models", own_models), "Name their data root"),
        (("malignancy", table, "--models", own_models, "--data", tmp_path / "absent"), "is not a folder"),
        (
            ("malignancy", table, "--models", own_models, "--data", tmp_path),
            "None of the 8 photos of the table is below",
        ),
        (("absent", table, "--models", own_models, "--data", data_root), "There is no model absent in"),
        ((tmp_path / "copy" / "malignancy" / "card.json", table, "--data", data_root), "card.json is a file. Name its"),
        ((tmp_path, table, "--data", data_root), "holds no card.json"),
        (("malignancy", tmp_path, "--models", own_models, "--data", data_root), "is a folder. Name the image table"),
        (("malignancy", table, "--models", copy, "--data", data_root), "sha256 differs"),
        (("malignancy", tmp_path / "no.parquet", "--models", own_models, "--data", data_root), "no image table"),
        (("malignancy", table, "--models", own_models, "--data", data_root, "--split", "x"), "no photo in the split x"),
    ):
        done = run_command("evaluate", *arguments)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.err
        assert done.err.startswith("Error: ")
    assert not find_runs(tmp_path)


def test_a_damaged_run_is_named_and_the_models_are_still_listed(
    run_command: RunCommand, own_models: Path, data_root: Path
) -> None:
    evaluated(run_command, own_models, data_root)
    (own_models / "malignancy" / "runs" / "table-test" / "predictions.parquet").write_bytes(b"damaged")
    done = run_command("models", "--format", "json", "--models", own_models)
    assert (done.code, [one["test"] for one in json.loads(done.out)]) == (0, [None, None])
    assert "is damaged" in done.err


def test_a_pair_has_a_line_for_each_head_with_its_own_figures(
    run_command: RunCommand, tmp_path: Path, own_models: Path, data_root: Path, make_model: Callable[..., Path]
) -> None:
    root = tmp_path / "with a pair"
    facts = read_card(own_models / "malignancy").data
    make_model(root / "pair", "both", seed=3, data=facts)
    lines = run_command("models", "--models", root).out.splitlines()[1:]
    assert [line.split() for line in lines] == [
        ["pair", head, "ResNet-18", "–", "–", "–"] for head in ("malignancy", "lesion_type")
    ]

    run_command("evaluate", "pair", data_root / "table.parquet", "--data", data_root, "--models", root)
    objects = json.loads(run_command("models", "--format", "json", "--models", root).out)
    assert [(one["id"], one["role"], one["head"]) for one in objects] == [
        ("pair", "both", "malignancy"),
        ("pair", "both", "lesion_type"),
    ]
    for one, name in zip(objects, ("malignancy", "lesion-type"), strict=True):
        found = compute_headline(load_run(root / "pair" / "runs" / f"table-test-{name}"))
        assert one["test"]["balanced_accuracy"]["value"] == pytest.approx(found.balanced_accuracy)
    shown = [f"{one['test']['balanced_accuracy']['value']:.3f} (" for one in objects]
    assert shown[0] != shown[1]
    for line, figure in zip(run_command("models", "--models", root).out.splitlines()[1:], shown, strict=True):
        assert figure in line
