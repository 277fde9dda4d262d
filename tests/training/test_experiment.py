import json
import re
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.table import TABLES, read_table, write_table
from skinapp.errors import RecipeError
from skinapp.files import compute_sha256
from skinapp.models.card import TRAINING
from skinapp.models.folder import CURVES, find_models
from skinapp.runs.intervals import load_intervals
from skinapp.runs.stored import find_runs, load_run
from skinapp.training.experiment import run_experiment
from skinapp.training.recipe import read_recipe
from skinapp.training.trainer import TrainingContext

from .conftest import WriteRecipe

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")

EXPERIMENTS = TABLES.parent / "experiments"
SHIPPED = sorted(EXPERIMENTS.glob("*/recipe.toml"))


def test_an_experiment_keeps_its_runs_and_curves_but_no_weights(
    write_recipe: WriteRecipe, data_root: Path, tmp_path: Path
) -> None:
    recipe = write_recipe(
        tmp_path / "experiments" / "small" / "recipe.toml",
        ("seed = 7", 'seed = 7\nevaluate = ["validation", "test"]'),
        ("epochs = 3", 'epochs = 2\nkeep = "last"'),
    )
    done = run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0))
    assert find_runs(tmp_path / "experiments") == tuple(
        recipe.parent / "runs" / name for name in ("test", "validation")
    )
    table = read_table(data_root / "table.parquet")
    for run in done.runs:
        stored = load_run(recipe.parent / "runs" / run.name)
        assert set(stored.frame["image_id"]) == set(table["image_id"][table["split"] == run.split])
        assert (stored.model, stored.weights_kept) == ("small", False)
        assert load_intervals(recipe.parent / "runs" / run.name) is not None
    assert len(pd.read_csv(recipe.parent / CURVES)) == 2
    assert find_models(recipe.parent.parent) == ()
    assert not list(tmp_path.glob("experiments/**/*.safetensors"))


def test_a_pair_with_a_camera_outside_stores_four_runs(
    write_recipe: WriteRecipe, data_root: Path, tmp_path: Path
) -> None:
    table = read_table(data_root / "table.parquet")
    far = table["lesion_id"].isin([f"lesion_{number:02}" for number in range(12, 17)])
    write_table(table.assign(camera=far.map({True: "far", False: "near"})), tmp_path / "cameras.parquet")
    recipe = write_recipe(
        tmp_path / "small" / "recipe.toml",
        ((data_root / "table.parquet").as_posix(), (tmp_path / "cameras.parquet").as_posix()),
        ('role = "malignancy"', 'role = "both"'),
        ("seed = 7", 'seed = 7\nevaluate = ["validation", "outside"]'),
        ("epochs = 3", "epochs = 1"),
        ('monitor = "loss"', 'monitor = "mean_auroc"\n\n[split]\noutside = "far"'),
    )
    done = run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0))
    heads = ("malignancy", "lesion-type")
    names = [f"{split}-{head}" for split in ("validation", "outside") for head in heads]
    assert [run.name for run in done.runs] == names
    taken = far & table["split"].isin(["train", "validation"])
    expected = {
        "outside": set(table["image_id"][taken]),
        "validation": set(table["image_id"][~taken & (table["split"] == "validation")]),
    }
    for name in names:
        stored = load_run(recipe.parent / "runs" / name)
        assert set(stored.frame["image_id"]) == expected[stored.split]
        assert load_intervals(recipe.parent / "runs" / name) is not None
        assert (stored.malignancy is None) == name.endswith("malignancy")
    sizes = {len(photos) for photos in expected.values()}
    assert len(sizes) == 2
    assert min(sizes) > 0


def test_another_clinic_s_photos_are_asked_about_but_not_learned_from(
    write_recipe: WriteRecipe, data_root: Path, tmp_path: Path
) -> None:
    table = read_table(data_root / "table.parquet").head(6)
    other = table.assign(image_id="other_" + table["image_id"], lesion_id="other_" + table["lesion_id"], sha256=pd.NA)
    write_table(other, tmp_path / "other.parquet")
    extra = f'[[data.extra]]\ntable = "{(tmp_path / "other.parquet").as_posix()}"\nuse = "outside"\n\n[network]'
    recipe = write_recipe(
        tmp_path / "small" / "recipe.toml",
        ("[network]", extra),
        ("seed = 7", 'seed = 7\nevaluate = ["outside"]'),
        ("epochs = 3", "epochs = 1"),
    )
    (run,) = run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0)).runs
    assert set(run.frame["image_id"]) == set(other["image_id"])
    assert (run.table, run.table_sha256) == ("other", compute_sha256(tmp_path / "other.parquet"))
    assert json.loads((recipe.parent / TRAINING).read_text())["data"]["train"]["photos"] == 24


def test_an_experiment_must_say_what_it_evaluates(write_recipe: WriteRecipe, data_root: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "small" / "recipe.toml")
    with pytest.raises(RecipeError, match="names no split to evaluate"):
        run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints"))


def small_table(data_root: Path, folder: Path) -> Path:
    """Write the made-up table with a lesion of it put aside as the showcase."""
    table = read_table(data_root / "table.parquet")
    write_table(
        table.assign(split=table["split"].mask(table["lesion_id"] == "lesion_00", "showcase")), folder / "small"
    )
    return folder / "small"


@pytest.mark.parametrize(
    "name", [path.parent.name for path in SHIPPED if 'role = "lesion_type"' in path.read_text(encoding="utf-8")]
)
def test_a_shipped_recipe_runs(name: str, data_root: Path, tmp_path: Path) -> None:
    text = (EXPERIMENTS / name / "recipe.toml").read_text(encoding="utf-8")
    for key, value in (
        ("table", f'"{small_table(data_root, tmp_path).as_posix()}"'),
        ("initial_weights", '"none"'),
        ("resize_px", "36"),
        ("input_px", "32"),
        ("crop_px", "32"),
        ("epochs", "1"),
        ("batch_size", "8"),
    ):
        text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert count == 1 or (key == "crop_px" and not count)  # by default crops are as large as the input
    recipe = tmp_path / name / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(re.sub(r"^twins = .*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    done = run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0))
    asked = read_recipe(recipe).evaluate
    assert tuple(run.split for run in done.runs) == asked
    assert asked[0] == "validation"
    for run in done.runs:
        if run.split == "showcase":
            assert run.frame["image_id"].tolist() == ["photo_00", "photo_01"]
