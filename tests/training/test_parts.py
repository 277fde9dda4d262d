from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.table import TABLES, build_image_table, read_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import CODES, is_malignant
from skinapp.training.parts import read_twins, split_photos
from skinapp.training.recipe import Recipe, read_recipe

from .conftest import WriteRecipe

EXPERIMENTS = TABLES.parent / "experiments"
BY_TABLE, MONITOR = 'monitor = "loss"\n', 'monitor = "loss"\n\n[split]\nby = "{}"\nvalidation_share = 0.25\n'


@pytest.fixture
def table() -> pd.DataFrame:
    """Make 400 photos, two a lesion, one in twenty of them aside, half of them to train on."""
    diagnoses = [CODES[lesion % 8] for lesion in range(200) for _ in range(2)]
    splits = ["showcase" if lesion % 20 == 0 else "train" if lesion % 2 else "test" for lesion in range(200)]
    return build_image_table(
        pd.DataFrame(
            {
                "image_id": [f"photo_{number:03}" for number in range(400)],
                "lesion_id": [f"lesion_{number // 2:03}" for number in range(400)],
                "diagnosis": diagnoses,
                "malignant": [is_malignant(code) for code in diagnoses],
                "split": np.repeat(splits, 2),
            }
        )
    )


@pytest.fixture
def recipe(write_recipe: WriteRecipe, tmp_path: Path):
    def make(by: str) -> Recipe:
        return read_recipe(write_recipe(tmp_path / "recipe.toml", (BY_TABLE, MONITOR.format(by))))

    return make


@pytest.mark.parametrize("by", ["photo", "class", "lesion"])
def test_validation_is_drawn_from_all_but_the_showcase(table: pd.DataFrame, recipe, by: str) -> None:
    photos = split_photos(table, recipe(by))
    aside = table["split"] == "showcase"
    assert (photos["split"][aside] == "showcase").all()
    assert set(photos["split"][~aside]) == {"train", "validation"}
    assert (photos["split"] == "validation").sum() == pytest.approx(0.25 * (~aside).sum(), abs=2)
    assert split_photos(table, recipe(by)).equals(photos)


def test_photos_of_no_split_are_trained_on_as_well(table: pd.DataFrame, recipe) -> None:
    photos = split_photos(table.assign(split=table["split"].mask(table["split"] == "test")), recipe("photo"))
    assert photos["split"].tolist() == split_photos(table, recipe("photo"))["split"].tolist()


def test_only_a_draw_by_lesion_keeps_lesions_whole(table: pd.DataFrame, recipe) -> None:
    crossing = {
        by: split_photos(table, recipe(by)).groupby("lesion_id")["split"].nunique().max() for by in ("photo", "lesion")
    }
    assert crossing == {"photo": 2, "lesion": 1}


def test_a_draw_by_class_keeps_every_class_s_share(table: pd.DataFrame, recipe) -> None:
    photos = split_photos(table, recipe("class"))
    photos = photos[photos["split"] != "showcase"]
    shares = (photos["split"] == "validation").groupby(photos["malignant"]).mean()
    assert shares.to_numpy() == pytest.approx(0.25, abs=0.01)


def test_the_table_s_own_split_stays_and_lacks_only_validation(table: pd.DataFrame, recipe) -> None:
    photos = split_photos(table, recipe("table"))
    for name in ("test", "showcase"):
        assert ((photos["split"] == name) == (table["split"] == name)).all()
    train = table["split"] == "train"
    assert set(photos["split"][train]) == {"train", "validation"}
    assert (photos["split"][train] == "validation").mean() == pytest.approx(0.25, abs=0.01)
    kept = table.assign(split=table["split"].where(~train | (table.index % 3 > 0), "validation"))
    assert split_photos(kept, recipe("table"))["split"].equals(kept["split"])


def test_labels_count_as_the_recipe_says_and_others_are_left_out(
    table: pd.DataFrame, write_recipe: WriteRecipe, tmp_path: Path
) -> None:
    data = 'classes = ["akiec", "mel"]\nrelabel = {scc = "akiec"}\n\n[network]'
    changes = (
        (BY_TABLE, MONITOR.format("photo")),
        ('role = "malignancy"', 'role = "lesion_type"'),
        ("\n[network]", data),
    )
    photos = split_photos(table, read_recipe(write_recipe(tmp_path / "recipe.toml", *changes)))
    counts = table["diagnosis"].value_counts()
    assert photos["diagnosis"].value_counts().to_dict() == {
        "akiec": counts["akiec"] + counts["scc"],
        "mel": counts["mel"],
    }


def test_one_class_is_not_enough(table: pd.DataFrame, recipe) -> None:
    for by, photos in (("lesion", table[table["malignant"]]), ("table", table[table["split"] == "test"])):
        with pytest.raises(DatasetError, match="no train photos of two classes"):
            split_photos(photos, recipe(by))


def capped(write_recipe: WriteRecipe, folder: Path, by: str, part: str) -> Recipe:
    data = f'cap = 20\ncap_part = "{part}"\n\n[network]'
    changes = ((BY_TABLE, MONITOR.format(by)), ('role = "malignancy"', 'role = "lesion_type"'), ("\n[network]", data))
    return read_recipe(write_recipe(folder / "recipe.toml", *changes))


def test_a_cap_of_training_photos_leaves_validation_as_it_is(
    table: pd.DataFrame, recipe, write_recipe: WriteRecipe, tmp_path: Path
) -> None:
    few, all_of_them = (
        split_photos(table, capped(write_recipe, tmp_path, "lesion", "train")),
        split_photos(table, recipe("lesion")),
    )
    for part in ("validation", "showcase"):
        assert few[few["split"] == part].equals(few[few["image_id"].isin(ids(all_of_them, part))])
        assert ids(few, part) == ids(all_of_them, part)
    assert ids(few, "train") < ids(all_of_them, "train")
    assert (few["diagnosis"][few["split"] == "train"].value_counts() == 20).all()


def test_a_cap_of_all_photos_comes_before_the_split_and_spares_the_showcase(
    table: pd.DataFrame, write_recipe: WriteRecipe, tmp_path: Path
) -> None:
    few = split_photos(table, capped(write_recipe, tmp_path, "photo", "all"))
    assert (few["diagnosis"].value_counts() == 20).all()
    assert ids(few, "showcase") == set(table["image_id"][table["split"] == "showcase"])


def test_twins_stay_on_one_side_and_those_of_the_showcase_are_used_nowhere(table: pd.DataFrame, recipe) -> None:
    rest = table["image_id"][table["split"] != "showcase"]
    # A photo of one lesion and one of the next are pictures of one thing, here and there.
    pairs = pd.DataFrame({"image_a": rest.iloc[1:-2:8].to_numpy(), "image_b": rest.iloc[2:-1:8].to_numpy()})
    alone = split_photos(table, recipe("lesion")).set_index("image_id")["split"]
    assert (alone[pairs["image_a"]].to_numpy() != alone[pairs["image_b"]].to_numpy()).any()
    split = split_photos(table, recipe("lesion"), pairs).set_index("image_id")["split"]
    assert (split[pairs["image_a"]].to_numpy() == split[pairs["image_b"]].to_numpy()).all()
    of_showcase = pd.DataFrame({"image_a": ["photo_000"], "image_b": ["photo_399"]})
    used = set(split_photos(table, recipe("photo"), of_showcase)["image_id"])
    assert set(table["image_id"]) - used == {"photo_398", "photo_399"}  # its lesion shows the same thing


def test_the_same_photos_are_held_out_whether_capped_balanced_or_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TABLES.parent)
    merged = read_table(TABLES / "merged.parquet")
    recipes = [read_recipe(EXPERIMENTS / f"eight-types-{name}" / "recipe.toml") for name in NEIGHBOURS]
    photos = [split_photos(merged, recipe, read_twins(recipe.split.twins)) for recipe in recipes]
    assert len({frozenset(ids(one, "validation")) for one in photos}) == 1
    assert len({frozenset(ids(one, "showcase")) for one in photos}) == 1
    assert photos[1].equals(photos[2])
    assert ids(photos[0], "train") < ids(photos[1], "train")
    assert photos[0].loc[photos[0]["split"] == "train", "diagnosis"].value_counts().max() == 2000
    for one in photos:
        assert one.groupby("lesion_id")["split"].nunique().max() == 1


NEIGHBOURS = ("capped", "uncapped", "uncapped-balanced")


def ids(photos: pd.DataFrame, part: str) -> set[str]:
    return set(photos["image_id"][photos["split"] == part])
