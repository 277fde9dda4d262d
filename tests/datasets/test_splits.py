import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.datasets.audit.twins import find_twin_ids
from skinapp.datasets.splits import (
    MIN_GROUPS,
    SHOWCASE_PHOTOS,
    assign_groups,
    cap_classes,
    draw_showcase,
    find_small_classes,
    get_split_labels,
    split_by_lesion,
)
from skinapp.datasets.table import SPLITS, TABLES, build_image_table, read_table
from skinapp.errors import DatasetError
from skinapp.taxonomy import CODES

SHIPPED_SEED = 2026


@pytest.fixture
def table() -> pd.DataFrame:
    """Make 1,600 photos of eight diagnoses, some lesions with up to four photos, some files lying there twice."""
    random = np.random.default_rng(0)
    lesions = np.sort(random.integers(0, 700, 1600))
    rows = pd.DataFrame(
        {
            "image_id": [f"photo_{number:04}" for number in range(1600)],
            "lesion_id": [f"lesion_{lesion:03}" for lesion in lesions],
            "diagnosis": [CODES[lesion % 8 if lesion % 2 else 5] for lesion in lesions],
            "sha256": [f"file_{number:04}" for number in range(1600)],
        }
    )
    nevi = rows.index[rows["diagnosis"] == "nv"]
    rows.loc[nevi[:20], "sha256"] = rows.loc[nevi[-20:], "sha256"].to_numpy()
    rows.loc[nevi[100:120], "lesion_id"] = None
    for code in ("akiec", "bkl", "mel", "scc"):  # the rule above gives odd places only
        rows.loc[rows.index[rows["lesion_id"].isin(_list_lesions(code))], "diagnosis"] = code
    return build_image_table(rows)


def _list_lesions(code: str) -> list[str]:
    return [f"lesion_{lesion:03}" for lesion in range(CODES.index(code), 700, 24)]


def test_photos_linked_by_lesion_or_file_are_one_group() -> None:
    rows = {
        "image_id": list("abcdefg"),
        "lesion_id": ["1", "1", "2", "2", None, None, "3"],
        "sha256": ["p", "q", "q", "r", "s", "t", None],
    }
    groups = assign_groups(build_image_table(pd.DataFrame(rows)))
    assert len(set(groups[:4])) == 1  # a-b by lesion, b-c by file, c-d by lesion
    assert len(set(groups)) == 4  # e, f and g stand alone
    assert len(groups) == 7


def test_twins_are_one_group_and_strange_ids_link_nothing() -> None:
    rows = build_image_table(pd.DataFrame({"image_id": list("abcd"), "lesion_id": list("1234")}))
    twins = pd.DataFrame({"image_a": ["a", "d"], "image_b": ["c", "elsewhere"]})
    first, second, third, fourth = assign_groups(rows, twins)
    assert first == third
    assert len({first, second, fourth}) == 3


def test_lesions_and_identical_files_never_cross(table: pd.DataFrame) -> None:
    done = split_by_lesion(table, draw_showcase(table, 1), seed=1)
    assert done["sha256"].duplicated().any()
    for column in ("lesion_id", "sha256"):
        assert done.dropna(subset=column).groupby(column)["split"].nunique().max() == 1


def test_every_photo_gets_a_split_and_shares_are_kept(table: pd.DataFrame) -> None:
    done = split_by_lesion(table, draw_showcase(table, 1), seed=1)
    assert set(done["split"]) == set(SPLITS)
    rest = done[done["split"] != "showcase"]
    shares = rest["split"].value_counts(normalize=True)
    assert shares[["train", "validation", "test"]].tolist() == pytest.approx([0.7, 0.1, 0.2], abs=0.01)
    for _, photos in rest.groupby("diagnosis"):
        by_split = photos["split"].value_counts(normalize=True)
        assert by_split[["train", "validation", "test"]].tolist() == pytest.approx([0.7, 0.1, 0.2], abs=0.07)


def test_nothing_but_the_split_changes(table: pd.DataFrame) -> None:
    done = split_by_lesion(table, draw_showcase(table, 1), seed=1)
    pd.testing.assert_frame_equal(done.drop(columns="split"), table.drop(columns="split"))


def test_the_showcase_is_four_lesions_of_each_diagnosis(table: pd.DataFrame) -> None:
    showcase = draw_showcase(table, 1)
    assert showcase["diagnosis"].value_counts().to_dict() == dict.fromkeys(CODES, SHOWCASE_PHOTOS)
    assert showcase["lesion_id"].is_unique
    known = table.set_index("image_id").loc[showcase["image_id"]]
    assert known["lesion_id"].tolist() == showcase["lesion_id"].tolist()
    assert known["diagnosis"].tolist() == showcase["diagnosis"].tolist()


def test_all_photos_linked_to_the_showcase_are_set_aside(table: pd.DataFrame) -> None:
    showcase = draw_showcase(table, 1)
    done = split_by_lesion(table, showcase, seed=1)
    groups = assign_groups(table)
    linked = np.isin(groups, groups[table["image_id"].isin(showcase["image_id"])])
    assert linked.sum() > len(showcase)
    assert (done["split"] == "showcase").tolist() == linked.tolist()


def test_the_seed_decides(table: pd.DataFrame) -> None:
    showcase = draw_showcase(table, 1)
    assert showcase.equals(draw_showcase(table, 1))
    assert not showcase.equals(draw_showcase(table, 2))
    once, again, other = (split_by_lesion(table, showcase, seed)["split"] for seed in (3, 3, 4))
    assert once.equals(again)
    assert not once.equals(other)


def test_a_showcase_needs_four_lesions(table: pd.DataFrame) -> None:
    few = table[table["diagnosis"] == "df"]
    three = few[few["lesion_id"].isin(few["lesion_id"].unique()[:3])]
    with pytest.raises(DatasetError, match="df has 3 lesions"):
        draw_showcase(pd.concat([three, table[table["diagnosis"] == "nv"]]), 1)


def test_showcase_photos_that_the_table_lacks_are_named(table: pd.DataFrame) -> None:
    showcase = pd.DataFrame({"image_id": ["photo_0001", "photo_zz", "photo_aa"]})
    with pytest.raises(DatasetError, match="photo_aa, photo_zz"):
        split_by_lesion(table, showcase, seed=1)


def test_a_photo_without_a_diagnosis_cannot_be_stratified(table: pd.DataFrame) -> None:
    with pytest.raises(DatasetError, match="no diagnosis"):
        split_by_lesion(table.assign(diagnosis=table["diagnosis"].mask(table.index == 5)), table.head(0), seed=1)


def test_too_few_lesions_to_split(table: pd.DataFrame) -> None:
    nine = table[table["lesion_id"].isin(table["lesion_id"].dropna().unique()[:9])]
    with pytest.raises(DatasetError, match="No diagnosis has 10 lesions"):
        split_by_lesion(nine, nine.head(0), seed=1)
    with pytest.raises(DatasetError, match="No diagnosis has 10 lesions"):
        split_by_lesion(nine, nine, seed=1)


def test_another_column_keeps_its_values_whole_and_no_longer_the_lesions(table: pd.DataFrame) -> None:
    cameras = table.assign(camera=[f"camera {place % 90}" for place in range(len(table))])
    done = split_by_lesion(cameras, table.head(0), seed=1, group="camera")
    assert done.groupby("camera")["split"].nunique().max() == 1
    assert done.groupby("lesion_id")["split"].nunique().max() > 1
    by_photo = split_by_lesion(table, table.head(0), seed=1, group="image_id")
    assert by_photo.groupby("sha256")["split"].nunique().max() == 1
    assert by_photo.groupby("lesion_id")["split"].nunique().max() > 1


def test_a_column_that_is_not_there_or_has_too_few_values_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(DatasetError, match="no column patient"):
        split_by_lesion(table, table.head(0), seed=1, group="patient")
    with pytest.raises(DatasetError, match="No diagnosis has 10 groups by camera"):
        split_by_lesion(table.assign(camera=["a", "b"] * 800), table.head(0), seed=1, group="camera")


def test_a_table_without_diagnoses_is_stratified_by_malignancy(table: pd.DataFrame) -> None:
    malignant = pd.Series(np.arange(len(table)) % 5 == 0, dtype="boolean")
    bare = build_image_table(table.assign(malignant=malignant).drop(columns=["diagnosis", "lesion_id"]))
    done = split_by_lesion(bare, bare.head(0), seed=1)
    shares = done.groupby("split")["malignant"].mean().astype(float)
    assert shares.tolist() == pytest.approx([0.2, 0.2, 0.2], abs=0.01)
    with pytest.raises(DatasetError, match="1,600 photos have no diagnosis"):
        split_by_lesion(bare.assign(malignant=pd.NA), bare.head(0), seed=1)


def test_a_cap_keeps_so_many_of_each_class_and_always_the_showcase(table: pd.DataFrame) -> None:
    showcase = draw_showcase(table, 1)
    before = table["diagnosis"].value_counts()
    capped = cap_classes(table, 90, 1, showcase["image_id"])
    assert capped["diagnosis"].value_counts().to_dict() == before.clip(upper=90).to_dict()
    assert (before > 90).any()
    assert (before < 90).any()
    assert set(showcase["image_id"]) <= set(capped["image_id"])
    assert capped.equals(cap_classes(table, 90, 1, showcase["image_id"]))
    assert not capped.equals(cap_classes(table, 90, 2, showcase["image_id"]))
    fewer = cap_classes(table, 1, 1, showcase["image_id"])
    assert set(fewer["image_id"]) == set(showcase["image_id"])
    with pytest.raises(DatasetError, match="cap of 0"):
        cap_classes(table, 0, 1, showcase["image_id"])


def test_classes_of_few_groups_are_counted(table: pd.DataFrame) -> None:
    few = table[(table["diagnosis"] != "df") | table["lesion_id"].isin(_draw_lesions(table, "df", 3))]
    assert find_small_classes(get_split_labels(few), assign_groups(few)).to_dict() == {"df": 3}
    assert MIN_GROUPS == 10


def _draw_lesions(table: pd.DataFrame, diagnosis: str, n: int) -> list[str]:
    return list(table.loc[table["diagnosis"] == diagnosis, "lesion_id"].dropna().unique()[:n])


def test_the_shipped_showcase_is_in_no_other_split() -> None:
    table, showcase = read_table(TABLES / "ham10000.parquet"), pd.read_csv(TABLES / "showcase.csv")
    assert showcase["diagnosis"].value_counts().to_dict() == dict.fromkeys(CODES, SHOWCASE_PHOTOS)
    shown = table[table["lesion_id"].isin(showcase["lesion_id"])]
    assert set(showcase["image_id"]) <= set(shown["image_id"])
    assert set(shown["split"]) == {"showcase"}
    assert len(shown) == (table["split"] == "showcase").sum()


@pytest.mark.skipif(not os.environ.get("SKINAPP_DATA"), reason="SKINAPP_DATA does not name a folder of the real photos")
def test_the_shipped_split_is_what_the_seed_gives() -> None:
    data_root = Path(os.environ["SKINAPP_DATA"])
    table, showcase = read_table(TABLES / "ham10000.parquet"), pd.read_csv(TABLES / "showcase.csv")
    assert draw_showcase(table, SHIPPED_SEED).astype(object).equals(showcase.astype(object))
    again = split_by_lesion(table.drop(columns="split"), showcase, SHIPPED_SEED, find_twin_ids(table, data_root)[0])
    assert again["split"].tolist() == table["split"].tolist()
    assert table.groupby("lesion_id")["split"].nunique().max() == 1


def test_photos_of_one_patient_stay_together_before_those_of_one_lesion(table: pd.DataFrame) -> None:
    known = np.arange(len(table)) < 1200
    patients = pd.Series([f"P{number // 8}" for number in range(len(table))], dtype="string").where(pd.Series(known))
    split = split_by_lesion(table.assign(patient_id=patients), table.head(0), seed=1)
    assert split[known].groupby("patient_id")["split"].nunique().max() == 1
    assert split.groupby("lesion_id")["split"].nunique().max() == 1
    alone = split_by_lesion(table.assign(patient_id=patients), table.head(0), seed=1, group="image_id")
    assert alone[known].groupby("patient_id")["split"].nunique().max() > 1


def test_a_showcase_of_no_diagnosis_is_refused(table: pd.DataFrame) -> None:
    for empty in (table.head(0), table.assign(diagnosis=pd.NA)):
        with pytest.raises(DatasetError, match="no photo with a diagnosis"):
            draw_showcase(empty, seed=1)


def test_too_few_patients_to_split_are_called_patients(table: pd.DataFrame) -> None:
    few = table.assign(patient_id=pd.Series(np.arange(len(table)) % 5, dtype="string"))
    with pytest.raises(DatasetError, match="No diagnosis has 10 patients or lesions"):
        split_by_lesion(few, few.head(0), seed=1)
