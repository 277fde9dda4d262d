import json
from collections.abc import Callable
from pathlib import Path

import pytest

from skinapp.cards.tried_recipes import find_trained, name_architecture, photo_sources
from skinapp.datasets.splits import OUTSIDE
from skinapp.datasets.table import build_image_table, read_table, write_table
from skinapp.errors import ModelError
from skinapp.files import EXPERIMENTS, MODELS, compute_sha256, read_toml
from skinapp.models.card import CARD, RECIPE, TRAINING, read_card, read_members
from skinapp.models.folder import WEIGHTS
from skinapp.runs.intervals import get_figure, load_intervals
from skinapp.runs.stored import StoredRun, find_own_runs, load_run, read_facts
from skinapp.taxonomy import MALIGNANCY_CLASSES
from skinapp.training.recipe import Recipe, read_recipe

ROOT = EXPERIMENTS.parent
SHIPPED = read_card(MODELS / "lesion")
UNSEEN = tuple(row.recipe for row in SHIPPED.left_out)
SEEDS = tuple(row.recipe for row in SHIPPED.seeds if row.recipe != row.network)
CITED = [EXPERIMENTS / name for name in (*UNSEEN, *SEEDS)]
AVERAGES = [folder for folder in CITED if "members" in read_toml(folder / RECIPE)]
RUNS = [run for folder in CITED if folder not in AVERAGES for run in find_own_runs(folder)]

STARTED_FROM = "resnet50"
"""The network that a member of the shipped average starts from; its recipe lies beside that member too."""

UNTOUCHED = "wide-msk-outside"
"""The member of the average that was trained without MSK's photos, as were the others."""


def name(path: Path) -> str:
    return path.relative_to(EXPERIMENTS).as_posix()


def list_splits(recipe: Recipe) -> set[str]:
    """Return the splits that a tried recipe may be evaluated on: outside where it leaves a camera or a clinic out."""
    left_out = recipe.split.outside is not None or any(extra.use == OUTSIDE for extra in recipe.data.extra)
    return {"validation", OUTSIDE} if left_out else {"validation"}


@pytest.fixture
def types(make_run: Callable[..., StoredRun]) -> StoredRun:
    return make_run(photos=120)


def test_sources_are_cameras_or_where_none_is_known_the_data_set(tmp_path: Path, types: StoredRun) -> None:
    photos = types.frame[["image_id", "lesion_id"]].assign(source="HAM10000")
    cameras = ["vidir_modern" if row % 2 else None for row in range(len(photos))]
    more = photos.assign(image_id="other_" + photos["image_id"], camera="rosendahl")
    table = build_image_table(photos.assign(camera=cameras)), build_image_table(more)
    write_table(table[0], tmp_path / f"{types.table}.parquet")
    write_table(table[1], tmp_path / "own.parquet")
    expected = ("HAM10000, camera not named", "vidir_modern")
    own, other = ((tmp_path / f"{stem}.parquet").as_posix() for stem in ("own", types.table))
    assert photo_sources(types, {"data": {"table": own, "extra": [{"table": other}]}}) == expected
    assert photo_sources(types, {"table": own}) == expected, "an average: the other table lies beside its own"


def test_an_average_is_named_by_its_networks(make_average: Callable[[Path], Path], tmp_path: Path) -> None:
    members = read_members(make_average(tmp_path / "pair") / CARD)
    assert name_architecture({"members": ["deep", "fine"]}, members) == "resnet18 + resnet18"
    assert name_architecture({"network": {"architecture": "resnet34"}}, ()) == "resnet34"
    assert name_architecture({"network": {}}, ()) == "resnet18"


def test_a_record_with_damaged_members_is_named(tmp_path: Path) -> None:
    (tmp_path / TRAINING).write_text('{"members": [{"name": "deep"}]}')
    with pytest.raises(ModelError, match=r"training\.json does not say which networks are averaged"):
        read_members(tmp_path / TRAINING)


def test_the_card_cites_every_experiment_with_a_camera_or_clinic_left_out() -> None:
    outside = {
        record.parent.name
        for record in find_trained(EXPERIMENTS)
        for run in find_own_runs(record.parent)
        if (facts := read_facts(run)).split == OUTSIDE and facts.classes == MALIGNANCY_CLASSES
    }
    assert set(UNSEEN) == outside
    assert len(UNSEEN) == len(outside) > 1
    assert len(SEEDS) > 1


@pytest.mark.parametrize("folder", CITED, ids=name)
def test_the_recipe_is_the_one_it_was_trained_by(folder: Path) -> None:
    kept = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    assert kept["training"]["recipe_sha256"] == compute_sha256(folder / RECIPE)


@pytest.mark.parametrize("path", RUNS, ids=name)
def test_a_cited_run_belongs_to_its_recipe_and_holds_no_test_photo(path: Path) -> None:
    run, folder = load_run(path), path.parents[1]
    recipe = read_recipe(folder / RECIPE)
    assert (run.model, run.weights_kept) == (folder.name, False)
    assert run.split in list_splits(recipe)
    assert run.classes in recipe.heads.values()
    extras = [extra.table for extra in recipe.data.extra if extra.use == run.split == OUTSIDE]
    (own,) = extras or [recipe.data.table]
    assert (run.table, run.table_sha256) == (Path(own).stem, compute_sha256(ROOT / own))
    table = read_table(ROOT / recipe.data.table)
    evaluated = set(run.frame["image_id"])
    assert not evaluated & set(table["image_id"][table["split"].isin(["test", "showcase"])])
    if run.split == "validation" and recipe.split.outside is None:
        assert evaluated == set(table["image_id"][table["split"] == "validation"])


@pytest.mark.parametrize("folder", AVERAGES, ids=name)
def test_a_cited_average_was_evaluated_on_photos_that_no_member_was_trained_on(folder: Path) -> None:
    members = [member.name for member in read_members(folder / TRAINING)]
    assert members == read_toml(folder / RECIPE)["members"]
    for member in members:
        if member != UNTOUCHED:
            assert not read_recipe(MODELS / "lesion" / "members" / member / RECIPE).data.extra, "HAM10000 alone"
    for path in find_own_runs(folder):
        run, same = load_run(path), load_run(EXPERIMENTS / UNTOUCHED / "runs" / path.name)
        assert run.frame["image_id"].tolist() == same.frame["image_id"].tolist()
        assert (run.split, run.table_sha256) == (same.split, same.table_sha256)


def test_each_network_that_a_shipped_recipe_starts_from_has_its_recipe_here() -> None:
    recipes = sorted((MODELS / "lesion" / "members").glob(f"**/{RECIPE}"))
    starts = {file: file.parent / read_toml(file)["network"]["initial_weights"] for file in recipes}
    trained = {file: start for file, start in starts.items() if start.name == WEIGHTS}
    assert {file.parent.name for file in trained} >= {"deep", "varied", "lesion-type", "malignancy"}
    assert all((start.parent / RECIPE).is_file() for start in trained.values())
    deep = MODELS / "lesion" / "members" / "deep"
    first = deep / "first-stage" / RECIPE
    assert starts[deep / RECIPE].parent == first.parent
    assert compute_sha256(first) == compute_sha256(EXPERIMENTS / STARTED_FROM / RECIPE)


def test_the_document_lists_every_cited_recipe_with_its_stored_figure() -> None:
    text = (ROOT / "docs" / "model-search.md").read_text(encoding="utf-8")
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert set(SEEDS) < set(lines)
    for row in SHIPPED.left_out:
        intervals = load_intervals(EXPERIMENTS / row.recipe / "runs" / row.figure.run)
        assert intervals is not None
        auroc = get_figure(intervals, "malignant_auroc")
        assert lines[row.recipe].endswith(f": {auroc.value:.3f} ({auroc.low:.3f} to {auroc.high:.3f}) |")
