from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from skinapp.cards.tried_recipes import as_markdown, tried_recipes
from skinapp.datasets.table import image_table, write_table
from skinapp.errors import ModelError
from skinapp.models.card import CARD, RECIPE, TRAINING, Card, read_members
from skinapp.models.folder import member_folder
from skinapp.runs.intervals import headline_intervals, save_intervals
from skinapp.runs.stored import StoredRun, save_run
from skinapp.runs.summary import headline, per_class
from skinapp.taxonomy import MALIGNANCY_CLASSES

RECIPE_TEXT = """# What it tries,
# in two lines.
# And a sentence more.
role = "both"

[network]
architecture = "resnet50"

[input]
input_px = 208
"""


def stored(run: StoredRun, folder: Path, split: str) -> None:
    name = f"{split}-malignancy" if run.classes == MALIGNANCY_CLASSES else f"{split}-lesion-type"
    run = replace(run, name=name, split=split)
    save_run(run, folder / "runs" / name)
    save_intervals(headline_intervals(run, 20), folder / "runs" / name)


@pytest.fixture
def types(make_run: Callable[..., StoredRun]) -> StoredRun:
    return make_run(photos=120)


@pytest.fixture
def malignancy(make_run: Callable[..., StoredRun]) -> StoredRun:
    return make_run(photos=120, classes=MALIGNANCY_CLASSES, seed=3)


@pytest.fixture
def root(tmp_path: Path, make_card: Callable[..., Card], types: StoredRun, malignancy: StoredRun) -> Path:
    """Make a folder of one tried recipe: a pair of heads with its runs on validation."""
    folder = tmp_path / "search" / "pair"
    folder.mkdir(parents=True)
    (folder / RECIPE).write_text(RECIPE_TEXT + "\n[augmentation]\ncrop_px = 160\n")
    (folder / TRAINING).write_text(make_card("both").model_dump_json())
    for run in (types, malignancy):
        stored(run, folder, "validation")
    return folder.parent


def test_a_pair_s_malignancy_is_that_of_its_own_head(
    root: Path, tmp_path: Path, types: StoredRun, malignancy: StoredRun
) -> None:
    (one,) = tried_recipes(root, tmp_path / "no models")
    assert (one.id, one.ships, one.network, one.crop_px) == ("pair", False, "resnet50", 160)
    assert one.what == "What it tries, in two lines. And a sentence more."
    found = {name: figure.value for (split, name), figure in one.figures.items() if split == "validation"}
    line = headline(types)
    assert found == pytest.approx(
        {
            "balanced_accuracy": line.balanced_accuracy,
            "macro_auroc": line.macro_auroc,
            "recall": per_class(types).set_index("class").loc["mel", "recall"],
            "malignant_auroc": headline(malignancy).malignant_auroc,
        }
    )


def test_the_models_that_ship_come_last_without_their_test(
    root: Path, tmp_path: Path, make_model: Callable[..., Path], types: StoredRun
) -> None:
    folder = make_model(tmp_path / "models" / "a-model", "lesion_type")
    photos = types.predictions[["image_id", "lesion_id"]].assign(camera="vidir_modern", source="HAM10000")
    write_table(image_table(photos), tmp_path / f"{types.table}.parquet")
    data = f'\n[data]\ntable = "{(tmp_path / f"{types.table}.parquet").as_posix()}"\n'
    (folder / RECIPE).write_text(RECIPE_TEXT + "\n[augmentation]\n" + data)
    for split in ("validation", "test", "outside"):
        stored(types, folder, split)
    tried, shipped = tried_recipes(root, folder.parent)
    assert (tried.ships, shipped.ships, shipped.crop_px) == (False, True, 208)
    assert {split for split, _ in shipped.figures} == {"validation", "outside"}
    *_, first, last = as_markdown((tried, shipped)).splitlines()
    assert first.startswith("| pair | What it tries, in two lines. And a sentence more. | resnet50 | ")
    assert first.endswith(" | – |")
    assert last.startswith("| **a-model** (ships) | ")
    assert last.endswith(f" | vidir_modern: {shipped.figures['outside', 'malignant_auroc'].in_words()} |")


def test_a_recipe_that_was_tried_must_not_have_looked_at_test(root: Path, tmp_path: Path, types: StoredRun) -> None:
    stored(types, root / "pair", "test")
    with pytest.raises(ModelError, match="is of the split test: a search looks at validation and outside"):
        tried_recipes(root, tmp_path / "no models")


def test_the_members_of_an_average_stand_before_it(
    root: Path, tmp_path: Path, make_average: Callable[[Path], Path], types: StoredRun
) -> None:
    folder = make_average(tmp_path / "models" / "pair")
    (folder / RECIPE).write_text("# An average.\n" + (folder / RECIPE).read_text())
    for name in ("deep", "fine"):
        (member_folder(folder, name) / RECIPE).write_text(RECIPE_TEXT + "\n[augmentation]\n")
    stored(types, folder, "validation")
    _, deep, fine, pair = tried_recipes(root, folder.parent)
    assert [one.id for one in (deep, fine, pair)] == ["pair/deep", "pair/fine", "pair"]
    assert deep.figures == {}
    assert pair.figures["validation", "balanced_accuracy"].value == pytest.approx(headline(types).balanced_accuracy)
    assert pair.minutes == pytest.approx(deep.minutes + fine.minutes)
    last = as_markdown((pair,)).splitlines()[-1]
    assert last.startswith("| **pair** (ships) | An average. | resnet18 + resnet18 | – | – | 0 | ")


def test_an_average_that_was_tried_names_its_networks_and_the_cameras_of_another_table(
    tmp_path: Path, make_average: Callable[[Path], Path], types: StoredRun
) -> None:
    folder = make_average(tmp_path / "search" / "pair")
    (folder / CARD).rename(folder / TRAINING)
    own = (tmp_path / "own.parquet").as_posix()
    (folder / RECIPE).write_text(f'# Tried together.\nmembers = ["deep", "fine"]\ntable = "{own}"\n')
    photos = types.predictions[["image_id", "lesion_id"]].assign(camera="vidir_modern", source="HAM10000")
    write_table(image_table(photos), tmp_path / f"{types.table}.parquet")
    stored(types, folder, "outside")
    (one,) = tried_recipes(folder.parent, tmp_path / "no models")
    members = read_members(folder / TRAINING)
    assert (one.what, one.network, one.ships) == ("Tried together.", "resnet18 + resnet18", False)
    assert (one.epochs, one.crop_px, one.outside) == (None, None, ("vidir_modern",))
    assert one.minutes == pytest.approx(sum(member.training.elapsed_s for member in members) / 60)


def test_a_damaged_word_on_members_is_told(root: Path, tmp_path: Path) -> None:
    (root / "pair" / TRAINING).write_text('{"members": [{"name": "deep"}]}')
    with pytest.raises(ModelError, match=r"training\.json does not say which networks are averaged"):
        tried_recipes(root, tmp_path / "no models")


def test_runs_of_a_member_are_not_those_of_its_average(
    root: Path, tmp_path: Path, make_average: Callable[[Path], Path], types: StoredRun
) -> None:
    folder = make_average(tmp_path / "models" / "pair")
    for name in ("deep", "fine"):
        (member_folder(folder, name) / RECIPE).write_text(RECIPE_TEXT + "\n[augmentation]\n")
    stored(types, member_folder(folder, "fine"), "validation")
    _, deep, fine, pair = tried_recipes(root, folder.parent)
    assert (deep.figures, pair.figures) == ({}, {})
    assert fine.figures
