from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from skinapp.errors import RunError
from skinapp.metrics.classification import Flags, Floats
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.curves import (
    compute_average_precision,
    compute_precision_recall_curves,
    compute_precision_recall_points,
    compute_roc_curves,
    compute_roc_points,
    has_malignancy,
    select_positives,
)
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT_CODES

MakeRun = Callable[..., StoredRun]
Case = tuple[Flags, Floats]


@pytest.fixture(params=["ties", "no ties"])
def case(request: pytest.FixtureRequest, make_run: MakeRun) -> Case:
    positive, scores = select_positives(make_run(photos=200))
    return positive, scores.round(2) if request.param == "ties" else scores


def test_the_roc_curve_is_scikit_learns(case: Case) -> None:
    false_positive_rate, sensitivity, thresholds = sk.roc_curve(*case, drop_intermediate=False)
    own = compute_roc_points(*case)
    np.testing.assert_allclose(own["threshold"], thresholds)
    np.testing.assert_allclose(own["false_positive_rate"], false_positive_rate)
    np.testing.assert_allclose(own["sensitivity"], sensitivity)


def test_the_precision_recall_curve_is_scikit_learns(case: Case) -> None:
    precision, recall, thresholds = sk.precision_recall_curve(*case)
    own = compute_precision_recall_points(*case)[
        ::-1
    ]  # scikit-learn begins with the lowest threshold, and adds a last point
    np.testing.assert_allclose(own["threshold"], thresholds)
    np.testing.assert_allclose(own["recall"], recall[:-1])
    np.testing.assert_allclose(own["precision"], precision[:-1])
    assert compute_average_precision(*case) == pytest.approx(sk.average_precision_score(*case))


def test_thinned_curves_keep_their_ends_and_their_area() -> None:
    random = np.random.default_rng(0)
    positive = random.random(50_000) < 0.02  # few positives: the steep part is short
    scores = 1 / (1 + np.exp(-random.normal(size=50_000) - 2 * positive))
    roc, recalled = compute_roc_points(positive, scores), compute_precision_recall_points(positive, scores)
    assert len(roc) <= 300
    assert len(recalled) <= 300
    rates = ["false_positive_rate", "sensitivity"]
    assert roc[rates].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert sk.auc(*(roc[rate] for rate in rates)) == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-4)
    assert recalled["recall"].iloc[-1] == 1
    assert recalled["precision"].iloc[-1] == positive.mean()
    some = roc.iloc[150]
    assert some["sensitivity"] == (scores[positive] >= some["threshold"]).mean()


def test_malignancy_is_scored_by_the_sum_of_the_malignant_classes(make_run: MakeRun) -> None:
    run = make_run()
    positive, scores = select_positives(run)
    np.testing.assert_array_equal(positive, run.frame["truth"].isin(MALIGNANT_CODES))
    np.testing.assert_allclose(scores, run.frame[["p_mel", "p_bcc", "p_akiec", "p_scc"]].sum(axis=1), rtol=1e-6)
    of_class, scores_of_class = select_positives(run, "df")
    np.testing.assert_array_equal(of_class, run.frame["truth"] == "df")
    np.testing.assert_array_equal(scores_of_class, run.frame["p_df"])


def test_what_a_run_does_not_tell_is_named(make_run: MakeRun) -> None:
    for classes in (("nv", "bkl"), ("mel", "bcc"), ("cat", "dog")):
        assert not has_malignancy(make_run(classes))
        with pytest.raises(RunError, match="does not tell malignant from benign"):
            select_positives(make_run(classes))
    with pytest.raises(RunError, match="no class wart"):
        select_positives(make_run(), "wart")


def test_curves_of_a_run_begin_with_malignancy(make_run: MakeRun) -> None:
    run = make_run()
    roc, recalled = compute_roc_curves(run), compute_precision_recall_curves(run)
    for frame in (roc, recalled):
        assert list(frame["class"].unique()) == ["malignant", *CODES]
        assert frame["name"].iloc[0] == "Malignant"
    mel = run.frame["truth"] == "mel", run.frame["p_mel"]
    for frame, area in ((roc, sk.roc_auc_score(*mel)), (recalled, sk.average_precision_score(*mel))):
        assert frame.loc[frame["class"] == "mel", "area"].unique() == pytest.approx(area)
    assert list(roc.columns) == ["class", "name", "area", "threshold", "false_positive_rate", "sensitivity"]
    assert list(recalled.columns) == ["class", "name", "area", "threshold", "recall", "precision"]


def test_a_run_of_two_classes_has_no_third_curve_and_an_absent_class_none(make_run: MakeRun) -> None:
    assert list(compute_roc_curves(make_run(MALIGNANCY_CLASSES))["class"].unique()) == ["malignant", "benign"]
    run = make_run(("nv", "bkl", "vasc"))
    without = replace(run, frame=run.frame[run.frame["truth"] != "vasc"])
    assert list(compute_roc_curves(without)["class"].unique()) == ["nv", "bkl"]


def test_a_run_of_one_truth_has_empty_curves_with_the_same_columns(make_run: MakeRun) -> None:
    run = make_run()
    moles = replace(run, frame=run.frame[run.frame["truth"] == "nv"])
    for curves in (compute_roc_curves, compute_precision_recall_curves):
        assert curves(moles).empty
        assert list(curves(moles).columns) == list(curves(run).columns)
