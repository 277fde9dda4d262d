from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.table import read_table
from skinapp.errors import RecipeError
from skinapp.evaluation.intervals import load_intervals
from skinapp.evaluation.run import find_runs, load_run
from skinapp.networks.folder import CURVES, find_models
from skinapp.training.experiment import run_experiment
from skinapp.training.fit import Workshop

from .conftest import WriteRecipe

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")


def test_an_experiment_keeps_its_runs_and_curves_but_no_weights(
    write_recipe: WriteRecipe, data_root: Path, tmp_path: Path
) -> None:
    recipe = write_recipe(
        tmp_path / "experiments" / "small" / "recipe.toml",
        ("seed = 7", 'seed = 7\nevaluate = ["validation", "test"]'),
        ("epochs = 3", 'epochs = 2\nkeep = "last"'),
    )
    done = run_experiment(recipe, Workshop(data_root, None, tmp_path / "checkpoints", workers=0))
    assert find_runs(tmp_path / "experiments") == tuple(
        recipe.parent / "runs" / name for name in ("test", "validation")
    )
    table = read_table(data_root / "table.parquet")
    for run in done.runs:
        stored = load_run(recipe.parent / "runs" / run.name)
        assert set(stored.predictions["image_id"]) == set(table["image_id"][table["split"] == run.split])
        assert (stored.model, stored.weights_kept) == ("small", False)
        assert load_intervals(recipe.parent / "runs" / run.name) is not None
    assert len(pd.read_csv(recipe.parent / CURVES)) == 2
    assert find_models(recipe.parent.parent) == ()
    assert not list(tmp_path.glob("experiments/**/*.safetensors"))


def test_an_experiment_must_say_what_it_evaluates(write_recipe: WriteRecipe, data_root: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "small" / "recipe.toml")
    with pytest.raises(RecipeError, match="names no split to evaluate"):
        run_experiment(recipe, Workshop(data_root, None, tmp_path / "checkpoints"))
