from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from skinapp.errors import RunError
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.mistakes import (
    count_confused_pairs,
    count_malignant,
    count_missed,
    list_cell,
    list_confident_mistakes,
    list_missed,
)
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT_CODES

MakeRun = Callable[..., StoredRun]


@pytest.fixture
def four(make_run: MakeRun) -> StoredRun:
    """Five photos of four types. The second and third are missed cancers, the fourth a false alarm."""
    scores = np.array(
        [
            [0.7, 0.1, 0.1, 0.1],
            [0.3, 0.1, 0.6, 0.0],
            [0.1, 0.1, 0.3, 0.5],
            [0.0, 0.9, 0.1, 0.0],
            [0.3, 0.4, 0.2, 0.1],
        ]
    )
    run = make_run(("mel", "bcc", "nv", "df"), photos=5)
    frame = run.frame.assign(truth=["mel", "mel", "bcc", "nv", "mel"])
    frame[["p_mel", "p_bcc", "p_nv", "p_df"]] = scores
    return replace(run, frame=frame)


def test_missed_cancers_come_with_the_lowest_score_first(four: StoredRun) -> None:
    found = list_missed(four)
    assert found["image_id"].tolist() == ["photo_2", "photo_1"]  # the fifth is called another cancer, so not missed
    assert found[["truth", "prediction"]].to_numpy().tolist() == [["bcc", "df"], ["mel", "nv"]]
    assert found["malignant_score"].tolist() == pytest.approx([0.2, 0.4])
    assert found["p_prediction"].tolist() == pytest.approx([0.5, 0.6])
    assert (count_missed(four), count_malignant(four)) == (2, 4)
    assert list_missed(four, most=1)["image_id"].tolist() == ["photo_2"]
    columns = ["image_id", "lesion_id", "truth", "prediction", "malignant_score", "p_prediction"]
    assert list(found.columns) == list(list_missed(four, most=0).columns) == columns


def test_all_and_only_the_missed_cancers_of_a_run(make_run: MakeRun) -> None:
    run = make_run(photos=600)
    found = list_missed(run, most=600)
    predicted = np.array(CODES)[run.probabilities().argmax(axis=1)]
    wrong = run.frame["truth"].isin(MALIGNANT_CODES) & ~pd.Series(predicted).isin(MALIGNANT_CODES)
    assert set(found["image_id"]) == set(run.frame.loc[wrong, "image_id"])
    assert len(found) == count_missed(run) > 10
    assert found["malignant_score"].is_monotonic_increasing


def test_missed_cancers_of_a_run_of_two_classes(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES)
    (_, fn), _ = sk.confusion_matrix(
        run.frame["truth"],
        np.where(run.frame["p_malignant"] >= 0.5, *MALIGNANCY_CLASSES),
        labels=MALIGNANCY_CLASSES,
    )
    assert count_missed(run) == fn
    assert (list_missed(run)["malignant_score"] < 0.5).all()


def test_a_run_without_malignancy_has_no_cancers_to_miss(make_run: MakeRun) -> None:
    for function in (list_missed, count_missed, count_malignant):
        with pytest.raises(RunError, match="does not tell malignant from benign"):
            function(make_run(("nv", "bkl")))


def test_confident_mistakes(four: StoredRun) -> None:
    found = list_confident_mistakes(four)
    assert found["image_id"].tolist() == ["photo_3", "photo_1", "photo_2", "photo_4"]
    assert found["p_prediction"].tolist() == pytest.approx([0.9, 0.6, 0.5, 0.4])
    assert found["p_truth"].tolist() == pytest.approx([0.1, 0.3, 0.1, 0.3])
    assert found["prediction"].tolist() == ["bcc", "nv", "df", "bcc"]
    assert len(list_confident_mistakes(four, most=2)) == 2


def test_confused_pairs_are_the_confusion_matrix_without_its_diagonal(make_run: MakeRun) -> None:
    run = make_run(photos=300)
    matrix = sk.confusion_matrix(run.truth_index(), run.probabilities().argmax(axis=1), labels=range(8))
    pairs = count_confused_pairs(run)
    for pair in pairs.itertuples():
        row, column = CODES.index(pair.truth), CODES.index(pair.prediction)
        assert row != column
        assert pair.photos == matrix[row, column] > 0
        assert pair.share_of_truth == pytest.approx(matrix[row, column] / matrix[row].sum())
    assert pairs["photos"].sum() == matrix.sum() - np.trace(matrix)
    assert pairs["photos"].is_monotonic_decreasing
    assert pairs["truth_name"].str.len().min() > 3


def test_a_run_without_a_mistake_has_no_pairs(make_run: MakeRun) -> None:
    run = make_run(("nv", "mel"))
    sure = np.eye(2)[run.truth_index()]
    right = replace(run, frame=run.frame.assign(p_nv=sure[:, 0], p_mel=sure[:, 1]))
    assert count_confused_pairs(right).empty
    assert list_confident_mistakes(right).empty
    assert list_missed(right).empty


def test_a_cell_lists_its_photos(make_run: MakeRun) -> None:
    run = make_run(photos=300)
    matrix = sk.confusion_matrix(run.truth_index(), run.probabilities().argmax(axis=1), labels=range(8))
    found = list_cell(run, "mel", "nv")
    assert len(found) == matrix[CODES.index("mel"), CODES.index("nv")] > 1
    assert set(found["truth"]) == {"mel"}
    assert set(found["prediction"]) == {"nv"}
    assert found["p_nv"].is_monotonic_decreasing
    assert list(found.columns) == ["image_id", "lesion_id", "truth", "prediction", *(f"p_{code}" for code in CODES)]
    row = run.frame.set_index("image_id").loc[found.loc[0, "image_id"]]
    assert found.loc[0, "p_vasc"] == row["p_vasc"]
    with pytest.raises(RunError, match="no class wart"):
        list_cell(run, "wart", "nv")


def test_an_empty_cell_is_an_empty_list(four: StoredRun) -> None:
    assert list_cell(four, "df", "mel").empty
    assert "p_df" in list_cell(four, "df", "mel")
