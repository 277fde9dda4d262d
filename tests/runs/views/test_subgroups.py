from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from skinapp.datasets.table import build_image_table
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.curves import select_positives
from skinapp.runs.views.subgroups import MAX_LEVELS, SUBGROUP_COLUMNS, compute_subgroup_figures, look_up_subgroups
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]


def by_figure(frame: pd.DataFrame, level: str) -> pd.DataFrame:
    return frame[frame["level"] == level].set_index("figure")


@pytest.fixture
def run(make_run: MakeRun) -> StoredRun:
    return make_run(photos=600)


@pytest.fixture
def facts(run: StoredRun) -> pd.DataFrame:
    """Three lesions of four are one sex, the other one the other; a few are not recorded."""
    lesion = pd.factorize(run.frame["lesion_id"])[0]
    sex = pd.Series(np.where(lesion % 4 == 0, "female", "male"), dtype="string").mask(lesion < 5)
    return pd.DataFrame({"sex": sex})


def test_figures_of_a_subgroup_are_scikit_learns_on_its_rows(run: StoredRun, facts: pd.DataFrame) -> None:
    frame = compute_subgroup_figures(run, facts, ("sex",))
    rows = (facts["sex"] == "female").fillna(False).to_numpy(dtype=bool)
    truth, predicted = run.truth_index()[rows], run.probabilities().argmax(axis=1)[rows]
    positive, scores = (each[rows] for each in select_positives(run))
    called = np.isin(predicted, [0, 1, 4, 6])
    found = by_figure(frame, "female")
    expected = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "malignant_auroc": sk.roc_auc_score(positive, scores),
        "sensitivity": sk.recall_score(positive, called),
        "specificity": sk.recall_score(~positive, ~called),
    }
    assert list(found.index) == list(expected)
    for figure, value in expected.items():
        assert found.loc[figure, "value"] == pytest.approx(value), figure
        assert found.loc[figure, "low"] < value < found.loc[figure, "high"], figure
    assert (found["photos"] == rows.sum()).all()
    assert (found["positives"] == positive.sum()).all()
    assert (found["lesions"] == run.frame.loc[rows, "lesion_id"].nunique()).all()
    assert found["enough"].all()


def test_the_largest_level_comes_first_and_what_is_not_recorded_last(run: StoredRun, facts: pd.DataFrame) -> None:
    frame = compute_subgroup_figures(run, facts, ("sex",))
    assert list(frame["level"].unique()) == ["male", "female", "not recorded"]
    few = by_figure(frame, "not recorded")
    assert (few["lesions"] == 5).all()
    assert not few["enough"].any()
    assert few[["value", "low", "high"]].isna().to_numpy().all()


def test_the_seed_decides(run: StoredRun, facts: pd.DataFrame) -> None:
    frame = compute_subgroup_figures(run, facts, ("sex",), replicates=50, seed=1)
    pd.testing.assert_frame_equal(frame, compute_subgroup_figures(run, facts, ("sex",), replicates=50, seed=1))
    other = compute_subgroup_figures(run, facts, ("sex",), replicates=50, seed=2)
    for figure, rows in frame.groupby("figure"):
        assert (rows["low"].dropna() != other.loc[rows.index, "low"].dropna()).any(), figure


def test_few_cancers_say_nothing_of_finding_them(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=60)
    single = run.frame.assign(lesion_id=run.frame["image_id"], truth=["malignant"] * 9 + ["benign"] * 51)
    run, facts = replace(run, frame=single), pd.DataFrame({"site": ["back"] * 60})
    found = by_figure(compute_subgroup_figures(run, facts, ("site",)), "back")
    assert found["enough"].to_dict() == {
        "accuracy": True,
        "balanced_accuracy": True,
        "malignant_auroc": False,
        "sensitivity": False,
        "specificity": True,
    }
    assert np.isnan(found.loc["sensitivity", "value"])


def test_lesions_are_counted_not_photos(make_run: MakeRun) -> None:
    run = make_run(photos=60)
    same = replace(run, frame=run.frame.assign(lesion_id=[f"lesion_{p // 3}" for p in range(60)]))
    assert not compute_subgroup_figures(same, pd.DataFrame({"site": ["back"] * 60}), ("site",))["enough"].any()


def test_a_group_in_which_all_is_right_is_not_certain(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=60)
    sure = np.eye(2)[run.truth_index()]
    frame = run.frame.assign(p_malignant=sure[:, 0], p_benign=sure[:, 1])
    found = by_figure(
        compute_subgroup_figures(replace(run, frame=frame), pd.DataFrame({"site": ["back"] * 60}), ("site",)), "back"
    )
    assert found.loc["accuracy", "value"] == 1
    assert found.loc["accuracy", "low"] == pytest.approx(0.025 ** (1 / 40))


def test_without_malignancy_accuracy_alone(make_run: MakeRun) -> None:
    run = make_run(("nv", "bkl", "df"))
    frame = compute_subgroup_figures(run, pd.DataFrame({"site": ["back"] * 120}), ("site",))
    assert list(frame["figure"]) == ["accuracy", "balanced_accuracy"]
    assert frame["positives"].isna().all()


def test_many_levels_are_joined(make_run: MakeRun) -> None:
    run = make_run(photos=600)
    clinic = [f"clinic {number % 40}" if number < 400 else "clinic 0" for number in range(600)]
    frame = compute_subgroup_figures(run, pd.DataFrame({"clinic": clinic}), ("clinic",), replicates=5)
    levels = frame.drop_duplicates("level")
    assert len(levels) == MAX_LEVELS + 1
    assert levels["level"].tolist()[0] == "clinic 0"
    assert levels["level"].tolist()[-1] == "all others"
    assert levels["photos"].sum() == 600


def test_columns_of_numbers_and_of_truths_are_levels_as_well(make_run: MakeRun) -> None:
    run = make_run()
    facts = pd.DataFrame({"ring": [1, 2] * 60, "wet": pd.Series([True, None] * 60, dtype="boolean")})
    frame = compute_subgroup_figures(run, facts, ("ring", "wet"), replicates=5)
    assert set(frame["level"]) == {"1", "2", "True", "not recorded"}


def test_facts_of_a_run_follow_its_order(make_run: MakeRun) -> None:
    run = make_run()
    shuffled = run.frame.sample(frac=1, random_state=0)
    run = replace(run, frame=shuffled)
    ids = [f"photo_{number}" for number in range(100)]  # twenty photos are not in the table
    ages = pd.Series([0, 19, 20, 39.5, 40, 60, 80, 95, None, 85] * 10, dtype="Float32")
    table = build_image_table(
        pd.DataFrame({"image_id": ids, "age": ages, "sex": ["male", None] * 50, "diagnosis": ["mel", None] * 50})
    )
    facts = look_up_subgroups(run, table)
    assert tuple(facts.columns) == SUBGROUP_COLUMNS
    assert facts.index.equals(shuffled.index)
    by_id = facts.set_index(shuffled["image_id"])
    bands = ["under 20", "under 20", "20 to 39", "20 to 39", "40 to 59", "60 to 79", "80 and over", "80 and over"]
    assert by_id.loc[[f"photo_{number}" for number in range(8)], "age_band"].tolist() == bands
    assert pd.isna(by_id.loc["photo_8", "age_band"])
    assert by_id.loc["photo_0", "sex"] == "male"
    assert pd.isna(by_id.loc["photo_1", "sex"])
    assert by_id.loc["photo_0", "diagnosis"] == "Melanoma"
    assert pd.isna(by_id.loc["photo_1", "diagnosis"])
    assert by_id.loc[[f"photo_{number}" for number in range(100, 120)]].isna().to_numpy().all()
    assert facts["camera"].isna().all()


def test_age_bands_come_the_youngest_first(make_run: MakeRun) -> None:
    run = make_run()
    ages = [85.0] * 60 + [5.0] * 20 + [45.0] * 40
    table = build_image_table(pd.DataFrame({"image_id": run.frame["image_id"], "age": ages}))
    frame = compute_subgroup_figures(run, look_up_subgroups(run, table), ("age_band",), replicates=5)
    assert list(frame["level"].unique()) == ["under 20", "40 to 59", "80 and over"]


def test_an_empty_table_knows_nothing(make_run: MakeRun) -> None:
    run = make_run()
    facts = look_up_subgroups(run, build_image_table(pd.DataFrame({"image_id": pd.Series([], dtype="str")})))
    assert len(facts) == 120
    assert facts.isna().to_numpy().all()
