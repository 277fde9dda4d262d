"""The recipes of the search, which may look at validation photos and never at test photos."""

import json
from pathlib import Path

import pytest

from skinapp.cards.tried_recipes import as_markdown, tried_recipes
from skinapp.datasets.splits import OUTSIDE
from skinapp.datasets.table import read_table
from skinapp.files import MODELS, SEARCH, file_sha256, read_toml
from skinapp.models.card import RECIPE, TRAINING, Card
from skinapp.models.folder import member_folder
from skinapp.runs.stored import find_runs, load_run
from skinapp.training.average import AverageRecipe
from skinapp.training.recipe import Recipe, checked, read_recipe

RECIPES = sorted(SEARCH.glob(f"*/{RECIPE}"))
AVERAGES = [file for file in RECIPES if "members" in read_toml(file)]
NETWORKS = [file for file in RECIPES if file not in AVERAGES]
RUNS = find_runs(SEARCH)
RUNS_OF_AVERAGES = [run for run in RUNS if run.parents[1] / RECIPE in AVERAGES]
RUNS_OF_NETWORKS = [run for run in RUNS if run not in RUNS_OF_AVERAGES]
ROOT = SEARCH.parent

ONCE_SHIPPED = {"resnet50"}
"""Recipes of models that another has replaced: they name no split to evaluate, as `skinapp train` needs none."""

CLEAN = "wide-msk-outside"
"""The recipe of the search whose photos an average was asked about: none that it learned from."""


def name(path: Path) -> str:
    return path.relative_to(SEARCH).as_posix()


def recipe_of(run: Path) -> tuple[Path, Recipe]:
    file = run.parents[1] / RECIPE
    return file, read_recipe(file)


def asked(recipe: Recipe) -> set[str]:
    """Return the splits that a recipe may be asked about: outside where it keeps a camera or a clinic away."""
    kept_away = recipe.split.outside is not None or any(extra.use == OUTSIDE for extra in recipe.data.extra)
    return {"validation", OUTSIDE} if kept_away else {"validation"}


def test_the_page_is_what_the_command_writes() -> None:
    page = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    assert page == as_markdown(tried_recipes(SEARCH, MODELS)), "Write it anew with `skinapp search -o docs/search.md`."


def test_there_are_recipes_to_choose_from() -> None:
    assert len(RECIPES) > 1
    assert {file.parent for file in RECIPES} >= {run.parents[1] for run in RUNS}


@pytest.mark.parametrize("path", NETWORKS, ids=name)
def test_a_recipe_reads_and_asks_for_validation_but_never_for_test(path: Path) -> None:
    recipe = read_recipe(path)
    assert set(recipe.evaluate) == (set() if path.parent.name in ONCE_SHIPPED else asked(recipe))
    tables = [recipe.data.table, *(extra.table for extra in recipe.data.extra)]
    assert all((ROOT / table).is_file() for table in tables)


@pytest.mark.parametrize("path", RECIPES, ids=name)
def test_a_recipe_begins_with_what_it_tries(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 10


@pytest.mark.parametrize("path", RUNS_OF_NETWORKS, ids=name)
def test_a_stored_run_belongs_to_its_recipe(path: Path) -> None:
    run, (file, recipe) = load_run(path), recipe_of(path)
    assert run.model == file.parent.name
    assert run.split in asked(recipe)
    assert run.classes in recipe.heads.values()
    extras = [extra.table for extra in recipe.data.extra if extra.use == run.split == OUTSIDE]
    (table,) = extras or [recipe.data.table]
    assert (run.table, run.table_sha256) == (Path(table).stem, file_sha256(ROOT / table))
    assert not run.weights_kept
    training = json.loads((file.parent / TRAINING).read_text(encoding="utf-8"))
    assert training["training"]["recipe_sha256"] == file_sha256(file)


@pytest.mark.parametrize("path", RUNS_OF_NETWORKS, ids=name)
def test_a_stored_run_holds_no_test_photo(path: Path) -> None:
    run, (_, recipe) = load_run(path), recipe_of(path)
    table = read_table(ROOT / recipe.data.table)
    looked_at = set(run.predictions["image_id"])
    assert not looked_at & set(table["image_id"][table["split"].isin(["test", "showcase"])])
    if run.split == "validation" and recipe.split.outside is None:
        assert looked_at == set(table["image_id"][table["split"] == "validation"])


@pytest.mark.parametrize("path", AVERAGES, ids=name)
def test_an_average_is_of_networks_that_learned_from_no_photo_it_was_asked_about_outside(path: Path) -> None:
    recipe = checked(AverageRecipe, path, read_toml(path))
    card = Card.model_validate_json((path.parent / TRAINING).read_bytes())
    assert tuple(member.name for member in card.members) == recipe.members
    assert card.training.recipe_sha256 == file_sha256(path)
    for member in recipe.members:
        if member != CLEAN:
            assert not read_recipe(member_folder(MODELS / "lesion", member) / RECIPE).data.extra, "HAM10000 alone"


@pytest.mark.parametrize("path", RUNS_OF_AVERAGES, ids=name)
def test_an_average_was_asked_about_the_photos_of_its_member_in_the_search(path: Path) -> None:
    run, same = load_run(path), load_run(SEARCH / CLEAN / "runs" / path.name)
    assert run.predictions["image_id"].tolist() == same.predictions["image_id"].tolist()
    assert (run.model, run.weights_kept) == (path.parents[1].name, False)
    assert (run.split, run.table, run.table_sha256) == (same.split, same.table, same.table_sha256)
