import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from skinapp.datasets.table import TABLES, read_table, write_table
from skinapp.errors import DatasetError, RecipeError
from skinapp.models.card import TRAINING, read_training
from skinapp.models.folder import CURVES
from skinapp.runs.intervals import load_intervals
from skinapp.runs.stored import find_runs, load_run
from skinapp.training.experiment import run_experiment
from skinapp.training.parts import read_twins, split_squeezed
from skinapp.training.squeezed.arrays import CLASSES, select_seven_classes
from skinapp.training.squeezed.recipe import SqueezedRecipe, read_any_recipe
from skinapp.training.trainer import TrainingContext

EXPERIMENTS = TABLES.parent / "experiments"
RECIPES = sorted(EXPERIMENTS.glob("*/recipe.toml"))
SQUEEZED = [path.parent.name for path in RECIPES if "kind = " in path.read_text("utf-8")]
SPLITS = ("photo", "class", "lesion")


@pytest.fixture(scope="module")
def photos() -> pd.DataFrame:
    return select_seven_classes(read_table(TABLES / "ham10000.parquet"))


def shipped(name: str) -> SqueezedRecipe:
    recipe = read_any_recipe(EXPERIMENTS / name / "recipe.toml")
    assert isinstance(recipe, SqueezedRecipe)
    return recipe


def split(name: str, photos: pd.DataFrame) -> np.ndarray:
    recipe = shipped(name)
    return split_squeezed(photos, recipe, read_twins((TABLES.parent / recipe.split.twins).as_posix()))


def test_the_first_draw_is_scikit_learn_s_with_the_state_that_was_given(photos: pd.DataFrame) -> None:
    drawn_from = photos["image_id"][(photos["split"] != "showcase").fillna(True)]
    truth = photos["diagnosis"][drawn_from.index]
    for by, stratify in (("photo", None), ("class", truth)):
        _, test = train_test_split(drawn_from, test_size=0.4, random_state=101, stratify=stratify)
        assert set(photos["image_id"][split(f"small-cnn-by-{by}", photos) == "test"]) == set(test)


@pytest.mark.parametrize("by", SPLITS)
def test_parts_have_their_shares_and_the_showcase_stays_aside(photos: pd.DataFrame, by: str) -> None:
    drawn = split(f"small-cnn-by-{by}", photos)
    assert ((photos["split"] == "showcase").fillna(False).to_numpy(bool) == (drawn == "showcase")).all()
    rest = (drawn != "showcase").sum()
    assert (drawn == "test").sum() == pytest.approx(0.4 * rest, rel=0.02)
    assert (drawn == "validation").sum() == pytest.approx(0.4 * 0.6 * rest, rel=0.02)
    crossing = photos.assign(split=drawn).groupby("lesion_id")["split"].nunique().max()
    assert (crossing == 1) == (by == "lesion")


@pytest.mark.parametrize("by", SPLITS)
def test_both_networks_learn_from_and_are_tested_on_the_same_photos(photos: pd.DataFrame, by: str) -> None:
    assert (split(f"small-cnn-by-{by}", photos) == split(f"mobilenet-by-{by}", photos)).all()


def test_copies_of_the_showcase_are_used_nowhere(photos: pd.DataFrame) -> None:
    recipe = shipped("small-cnn-by-lesion")
    aside = photos["image_id"][(photos["split"] == "showcase").fillna(False)].iloc[0]
    other = photos["image_id"][photos["split"] == "train"].iloc[0]
    drawn = split_squeezed(photos, recipe, pd.DataFrame({"image_a": [aside], "image_b": [other]}))
    assert drawn[photos["image_id"] == other].tolist() == [""]


@pytest.mark.parametrize("name", SQUEEZED)
def test_a_shipped_recipe_runs_and_stores_what_it_says(name: str, data_root: Path, tmp_path: Path) -> None:
    recipe = tiny(name, data_root, tmp_path)
    done = run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "kept" / name))
    stages = ("frozen-", "tuned-") if name.startswith("mobilenet") else ("",)
    assert [run.name for run in done.runs] == [f"{stage}{part}" for stage in stages for part in ("test", "showcase")]
    for folder in find_runs(tmp_path):
        run = load_run(folder)
        assert (run.model, run.classes, run.weights_kept, run.temperature) == (name, CLASSES, False, 1.0)
        assert load_intervals(folder) is not None
        shown = set(run.frame["image_id"]) & {"photo_00", "photo_01"}
        assert len(shown) == (2 if run.split == "showcase" else 0)
    curves = pd.read_csv(recipe.parent / CURVES)
    assert curves["epoch"].tolist() == list(range(1, len(stages) + 1))
    assert ("appended_validation_loss" in curves) == (name == "small-cnn-augmented")
    assert read_training(recipe.parent / TRAINING).epochs == len(stages)
    assert not {file.suffix for file in recipe.parent.rglob("*")} & {".safetensors", ".pt", ".npy"}


def test_a_run_again_reuses_arrays_features_and_checkpoints(data_root: Path, tmp_path: Path) -> None:
    recipe = tiny("mobilenet-by-photo", data_root, tmp_path)
    first, again = (
        run_experiment(recipe, TrainingContext(root, None, tmp_path / "kept" / "mobilenet"))
        for root in (data_root, tmp_path / "no photos here")
    )
    for run, same in zip(first.runs, again.runs, strict=True):
        assert run.frame.equals(same.frame)
        assert run.weights_sha256 == same.weights_sha256


def test_grey_photos_are_looked_at_in_grey(data_root: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "grey"
    recipe = tiny("small-cnn-grey", data_root, tmp_path)
    before = run_experiment(recipe, TrainingContext(data_root, None, kept)).runs[0]
    (colour,) = (tmp_path / "kept").glob("arrays-*/X.npy")
    np.save(colour, np.zeros_like(np.load(colour)))
    assert run_experiment(recipe, TrainingContext(data_root, None, kept)).runs[0].frame.equals(before.frame)


def test_a_showcase_that_the_table_lacks_is_named(data_root: Path, tmp_path: Path) -> None:
    recipe = tiny("small-cnn-by-photo", data_root, tmp_path)
    table = tmp_path / "small.parquet"
    write_table(read_table(table).assign(split="train"), table)
    with pytest.raises(DatasetError, match="no photo in the split showcase"):
        run_experiment(recipe, TrainingContext(data_root, None, tmp_path / "kept" / "small"))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"small-cnn"', '"large-cnn"', "kind: 'large-cnn' is unknown"),
        ('by = "photo"', 'by = "table"', r"split\.by: "),
        ("decay = 1e-6", "decay = -1", r"training\.decay: "),
        ('"test", "showcase"', '"train"', r"evaluate\.0: "),
        ('"test", "showcase"', "", "evaluate: "),
        ("seed = 2026", "", "seed: Field required"),
        ("batch_size = 10", "batch_size = 10\nmomentum = 1", r"training\.momentum: Extra"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = (EXPERIMENTS / "small-cnn-by-photo" / "recipe.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "recipe.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(RecipeError, match=rf"recipe\.toml: {named}"):
        read_any_recipe(tmp_path / "recipe.toml")


def tiny(name: str, data_root: Path, folder: Path) -> Path:
    """Write a shipped recipe for one epoch a stage on the made-up table, of which a lesion is the showcase."""
    table = read_table(data_root / "table.parquet")
    write_table(
        table.assign(split=table["split"].mask(table["lesion_id"] == "lesion_00", "showcase")), folder / "small.parquet"
    )
    text = (EXPERIMENTS / name / "recipe.toml").read_text("utf-8")
    text = re.sub(r"^twins = .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^initial_weights = .*$", 'initial_weights = "none"', text, flags=re.MULTILINE)
    # A draw within each class needs two photos of each in every part: more than forty photos of seven classes have.
    text = re.sub(r"^validation_share = .*$", "validation_share = 0.5", text, flags=re.MULTILINE)
    text = re.sub(r"^epochs = .*$", "epochs = 1", text, flags=re.MULTILINE)
    text = text.replace("datasets/ham10000.parquet", (folder / "small.parquet").as_posix())
    recipe = folder / name / "recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(text, "utf-8")
    return recipe
