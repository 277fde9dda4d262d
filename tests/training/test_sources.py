from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skinapp.datasets.audit.findings import FINDING_COLUMNS
from skinapp.datasets.splits import OUTSIDE
from skinapp.datasets.table import TABLES, build_image_table, read_table, write_table
from skinapp.errors import DatasetError
from skinapp.files import MODELS
from skinapp.taxonomy import is_malignant
from skinapp.training.parts import read_twins
from skinapp.training.recipe import Recipe, read_recipe
from skinapp.training.sources import collect_photos, select_own

from .conftest import WriteRecipe

Gather = Callable[..., pd.DataFrame]

SPLITS = (*["train"] * 6, "validation", "validation", "test", "showcase", "train", "train", "validation", "test")
"""Of lesions 0 to 13; from the eleventh on they were taken by the camera far, those before by near."""


def make_photos(
    prefix: str, lesions: int, camera: Callable[[int], str | None], split: Callable[[int], str | None]
) -> pd.DataFrame:
    """Make two photos a lesion, nevi and melanomas in turn, each a file of its own, 100 px wide and 90 high."""
    numbers = [number // 2 for number in range(2 * lesions)]
    diagnoses = ["nv" if number % 2 else "mel" for number in numbers]
    ids = [f"{prefix}_{place:02}" for place in range(2 * lesions)]
    rows = {
        "image_id": ids,
        "path": [f"{name}.png" for name in ids],
        "lesion_id": [f"{prefix}_lesion_{number:02}" for number in numbers],
        "diagnosis": diagnoses,
        "malignant": [is_malignant(code) for code in diagnoses],
        "camera": [camera(number) for number in numbers],
        "stored_width": 100,
        "stored_height": 90,
        "sha256": [f"file of {name}" for name in ids],
        "split": [split(number) for number in numbers],
    }
    return build_image_table(pd.DataFrame(rows))


@pytest.fixture
def core() -> pd.DataFrame:
    return make_photos(
        "own", len(SPLITS), lambda lesion: "far" if lesion > 9 else "near", lambda lesion: SPLITS[lesion]
    )


@pytest.fixture
def other() -> pd.DataFrame:
    """Make a table of another clinic: 24 photos of twelve lesions by three cameras, one of them unknown."""
    return make_photos("other", 12, lambda lesion: ("x", "y", None)[lesion % 3], lambda lesion: None)


@pytest.fixture
def gather(tmp_path: Path, write_recipe: WriteRecipe, data_root: Path) -> Gather:
    """Gather the photos of a recipe of two heads for a table, with extras and a split as TOML has them."""

    def run(
        core: pd.DataFrame, *extras: tuple[pd.DataFrame, str], split: str = "", data: str = "", role: str = "both"
    ) -> pd.DataFrame:
        return collect_photos(recipe(core, *extras, split=split, data=data, role=role))

    def recipe(core: pd.DataFrame, *extras: tuple[pd.DataFrame, str], split: str, data: str, role: str) -> Recipe:
        write_table(core, tmp_path / "own.parquet")
        blocks = f'classes = ["mel", "nv"]\n{data}\n'
        for number, (table, settings) in enumerate(extras):
            file = tmp_path / f"other-{number}.parquet"
            write_table(table, file)
            blocks += f'[[data.extra]]\ntable = "{file.as_posix()}"\n{settings}\n'
        changes = (
            ((data_root / "table.parquet").as_posix(), (tmp_path / "own.parquet").as_posix()),
            ('role = "malignancy"', f'role = "{role}"'),
            ("[network]", f"{blocks}[split]\n{split}\n[network]"),
        )
        return read_recipe(write_recipe(tmp_path / "recipe.toml", *changes))

    return run


def write_twins(path: Path, *pairs: tuple[str, str]) -> str:
    rows = pd.DataFrame({"finding": "same picture", "image_a": [a for a, _ in pairs], "image_b": [b for _, b in pairs]})
    rows.reindex(columns=list(FINDING_COLUMNS)).astype(FINDING_COLUMNS).to_parquet(path)
    return f'twins = "{path.as_posix()}"'


def ids(photos: pd.DataFrame, split: str | None = None) -> set[str]:
    return set(photos["image_id"] if split is None else photos["image_id"][photos["split"] == split])


def test_photos_without_a_type_are_added_where_that_is_said(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    labels = other["diagnosis"].mask(other.index < 4).mask(other.index == 4, "malignant").mask(other.index == 5, "wart")
    nameless = other.assign(diagnosis=labels, malignant=other["malignant"].mask(other.index == 0))
    typed = gather(core, (nameless, ""))
    assert ids(typed[typed["extra"]]) == set(other["image_id"][6:])
    photos = gather(core, (nameless, "untyped = true"))
    assert ids(photos[photos["extra"]]) == set(other["image_id"]) - {"other_00", "other_05"}


def test_without_extras_they_are_the_table_s_own(core: pd.DataFrame, gather: Gather) -> None:
    photos = gather(core)
    pd.testing.assert_frame_equal(photos.drop(columns=["table", "extra"]), core)
    assert not photos["extra"].any()


@pytest.mark.parametrize(("use", "split"), [("train", "train"), ("outside", OUTSIDE)])
def test_extra_photos_are_used_as_the_recipe_says(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather, use: str, split: str
) -> None:
    photos = gather(core, (other, f'use = "{use}"'))
    assert ids(photos[photos["extra"]]) == ids(other)
    assert set(photos.loc[photos["extra"], "split"]) == {split}
    pd.testing.assert_frame_equal(select_own(photos).drop(columns=["table", "extra"]), core)
    assert photos.index.tolist() == list(range(len(core) + len(other)))


def test_extra_photos_are_trained_on_unless_it_is_said(core: pd.DataFrame, other: pd.DataFrame, gather: Gather) -> None:
    assert ids(other) < ids(gather(core, (other, "")), "train")


def test_cameras_choose_extra_photos_and_an_unknown_camera_is_none_of_them(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    photos = gather(core, (other, 'cameras = ["x", "z"]'))
    assert ids(photos[photos["extra"]]) == ids(other[(other["camera"] == "x").fillna(False)])


def test_photos_with_a_shorter_short_side_are_left_out(core: pd.DataFrame, other: pd.DataFrame, gather: Gather) -> None:
    other["stored_height"] = [89] * 3 + [90] * 21
    other.loc[3, ["stored_width", "stored_height"]] = pd.NA
    photos = gather(core, (other, "smallest_px = 90"))
    assert ids(photos[photos["extra"]]) == ids(other.iloc[4:])


def test_labels_of_extra_photos_count_as_the_recipe_says(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    other["diagnosis"] = ["scc", "bkl", *other["diagnosis"][2:]]
    photos = gather(core, (other, ""), data='relabel = {scc = "mel"}').set_index("image_id")
    assert photos.loc["other_00", "diagnosis"] == "mel"
    assert "other_01" not in photos.index


def test_a_malignancy_model_borrows_photos_without_a_diagnosis_but_a_pair_does_not(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    other.loc[0, "diagnosis"] = pd.NA
    other.loc[1, "malignant"] = pd.NA
    borrowed = {role: ids(gather(core, (other, ""), role=role)) & ids(other) for role in ("malignancy", "both")}
    assert ids(other) - borrowed["malignancy"] == {"other_01"}
    assert ids(other) - borrowed["both"] == {"other_00", "other_01"}


JUDGES = [place for place, split in enumerate(SPLITS) if split != "train"]


@pytest.mark.parametrize("lesion", JUDGES, ids=lambda lesion: f"{SPLITS[lesion]}-{lesion}")
@pytest.mark.parametrize("link", ["lesion", "file", "twin"])
def test_photos_that_a_judge_has_seen_are_never_learned_from(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather, tmp_path: Path, lesion: int, link: str
) -> None:
    judge = core.iloc[2 * lesion]
    if link == "lesion":
        other.loc[5, "lesion_id"] = judge["lesion_id"]
    if link == "file":
        other.loc[5, "sha256"] = judge["sha256"]
    twins = write_twins(tmp_path / "findings.parquet", ("other_05", judge["image_id"])) if link == "twin" else ""
    lost = ids(core) | ids(other)
    lost -= ids(gather(core, (other, ""), split=twins))
    # By the file or the picture, the other photo of its lesion is linked to the judge as well.
    assert lost == ({"other_05"} if link == "lesion" else {"other_04", "other_05"})


def test_a_training_photo_may_be_learned_from_twice_but_never_judge(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    other.loc[5, "lesion_id"] = core["lesion_id"][0]
    assert "other_05" in ids(gather(core, (other, "")), "train")
    assert "other_05" not in ids(gather(core, (other, 'use = "outside"')))


def test_who_judges_is_new_to_borrowed_photos_too_in_whatever_order_they_are_named(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    learned, asked = (other, 'cameras = ["x"]'), (other, 'cameras = ["y"]\nuse = "outside"')
    other.loc[2, "lesion_id"] = other["lesion_id"][0]  # y has a photo of a lesion of x
    for extras in ((learned, asked), (asked, learned)):
        photos = gather(core, *extras)
        assert ids(other[(other["camera"] == "x").fillna(False)]) < ids(photos, "train")
        assert ids(photos, OUTSIDE) == ids(other[(other["camera"] == "y").fillna(False)]) - {"other_02"}


def test_a_photo_that_the_own_table_has_is_not_borrowed_again(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather, tmp_path: Path
) -> None:
    both = build_image_table(pd.concat([core.assign(sha256=pd.NA, lesion_id=pd.NA), other]))
    twins = write_twins(tmp_path / "findings.parquet", ("own_00", "own_01"))
    photos = gather(core, (both, ""), split=twins)
    assert not photos["image_id"].duplicated().any()
    assert ids(photos[photos["extra"]]) == ids(other)


@pytest.mark.parametrize("settings", ['cameras = ["z"]', "smallest_px = 91"])
def test_an_extra_table_with_nothing_to_add_is_named(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather, settings: str
) -> None:
    with pytest.raises(DatasetError, match=r"other-0\.parquet has no photo to add"):
        gather(core, (other, settings))


def test_each_photo_says_which_table_it_is_of(core: pd.DataFrame, other: pd.DataFrame, gather: Gather) -> None:
    photos = gather(core, (other, ""))
    of_table = photos.groupby("table")["extra"].agg(["all", "any", "size"])
    assert [Path(name).name for name in of_table.index] == ["other-0.parquet", "own.parquet"]
    assert of_table.to_numpy().tolist() == [[True, True, len(other)], [False, False, len(core)]]


def test_a_camera_outside_is_neither_trained_on_nor_chosen_by(core: pd.DataFrame, gather: Gather) -> None:
    photos = gather(core, split='outside = "far"')
    far = core["camera"] == "far"
    expected = core["split"].mask(far & core["split"].isin(["train", "validation"]), OUTSIDE)
    assert photos["split"].tolist() == expected.tolist()
    assert len(ids(photos, OUTSIDE)) == 6
    assert set(photos.loc[photos["camera"] == "far", "split"]) == {OUTSIDE, "test"}


@pytest.mark.parametrize("link", ["lesion", "twin"])
def test_what_shows_a_lesion_of_the_camera_outside_is_not_trained_on(
    core: pd.DataFrame, gather: Gather, tmp_path: Path, link: str
) -> None:
    core.loc[0, "lesion_id"] = core["lesion_id"][20] if link == "lesion" else core["lesion_id"][0]
    twins = write_twins(tmp_path / "findings.parquet", *([("own_00", "own_20")] if link == "twin" else []))
    photos = gather(core, split=f'outside = "far"\n{twins}')
    assert ids(core) - ids(photos) == ({"own_00"} if link == "lesion" else {"own_00", "own_01"})
    assert {"own_20", "own_21"} <= ids(photos, OUTSIDE)


def test_borrowed_photos_of_a_lesion_outside_are_not_trained_on(
    core: pd.DataFrame, other: pd.DataFrame, gather: Gather
) -> None:
    other.loc[5, "lesion_id"] = core["lesion_id"][20]
    assert ids(other) - ids(gather(core, (other, ""), split='outside = "far"')) == {"other_05"}


def test_an_unknown_camera_is_named_beside_those_there_are(core: pd.DataFrame, gather: Gather) -> None:
    with pytest.raises(DatasetError, match="of the camera fear; the table's cameras: far, near"):
        gather(core, split='outside = "fear"')
    with pytest.raises(DatasetError, match="cameras: none"):
        gather(core.assign(camera=pd.NA), split='outside = "far"')


def test_a_camera_that_took_all_validation_photos_cannot_be_outside(core: pd.DataFrame, gather: Gather) -> None:
    core.loc[core["split"] == "validation", "camera"] = "far"
    with pytest.raises(DatasetError, match="has no validation photos of two classes"):
        gather(core, split='outside = "far"')


def test_each_head_of_a_pair_needs_validation_photos_of_two_classes(core: pd.DataFrame, gather: Gather) -> None:
    core.loc[core["split"] == "validation", "malignant"] = True
    with pytest.raises(DatasetError, match="has no validation photos of two classes"):
        gather(core)
    assert len(gather(core, role="lesion_type")) == len(core)


def test_no_photo_of_the_shipped_tables_crosses_from_training_to_what_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TABLES.parent)
    recipe = read_recipe(MODELS / "lesion" / "members" / "varied" / "first-stage" / "recipe.toml")
    photos = collect_photos(recipe).set_index("image_id")
    core = read_table(Path(recipe.data.table))
    assert ids(select_own(photos.reset_index())) == ids(core)
    learned = photos["split"] == "train"
    pairs = read_twins(recipe.split.twins)
    assert pairs is not None
    pairs = pairs[pairs.isin(photos.index).all(axis=1)]
    assert (learned[pairs["image_a"]].to_numpy() == learned[pairs["image_b"]].to_numpy()).all()
    for column in ("lesion_id", "sha256"):
        assert learned.groupby(photos[column]).nunique().max() == 1
