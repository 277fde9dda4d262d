import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from skinapp.errors import RunError
from skinapp.runs.isic_submission import COLUMNS, format_submission
from skinapp.runs.own.read import read_predictions
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_headline, compute_per_class
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES


def truths(run: StoredRun) -> pd.DataFrame:
    truth = run.frame["truth"].replace({"scc": "akiec"})
    ones = {column: (truth == code).astype(float) for column, code in COLUMNS.items()}
    return pd.DataFrame({"image": run.frame["image_id"]} | ones)


def submitted(run: StoredRun) -> pd.DataFrame:
    return format_submission(run.frame["image_id"], run.probabilities(), run.classes)


def test_columns_are_the_challenges_and_scc_counts_as_akiec() -> None:
    scores = np.array([[0.05, 0.1, 0.15, 0.2, 0.25, 0.08, 0.07, 0.1]])
    frame = format_submission(pd.Series(["a"]), scores, CODES)
    assert ",".join(frame) == "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"
    assert frame.iloc[0, 0] == "a"
    np.testing.assert_allclose(frame.iloc[0, 1:].astype(float), [0.25, 0.08, 0.1, 0.05 + 0.07, 0.15, 0.2, 0.1])


def test_scores_restated_for_equal_shares_weigh_each_of_the_challenges_classes_alike() -> None:
    scores = np.array([[0.05, 0.1, 0.15, 0.2, 0.25, 0.08, 0.07, 0.1]])
    shares = (0.1, 0.05, 0.1, 0.1, 0.05, 0.4, 0.1, 0.1)  # of akiec and scc together 0.2
    frame = format_submission(pd.Series(["a"]), scores, CODES, shares)
    odds = np.array([0.25 / 0.05, 0.08 / 0.4, 0.1 / 0.05, 0.12 / 0.2, 0.15 / 0.1, 0.2 / 0.1, 0.1 / 0.1])
    np.testing.assert_allclose(frame.iloc[0, 1:].astype(float), odds / odds.sum())
    seven = format_submission(pd.Series(["a"]), scores[:, :2], ("mel", "nv"), (0.2, 0.8))
    assert seven["BCC"].tolist() == [0.0]
    assert seven["MEL"].tolist() == [pytest.approx(0.25 / (0.25 + 0.125))]


def test_a_sum_is_never_above_one_and_a_class_that_is_not_known_gets_nothing() -> None:
    above = np.nextafter(1.0, 2.0) / 2
    frame = format_submission(pd.Series(["a"]), np.array([[above, above, 0.0]]), ("akiec", "scc", "nv"))
    assert frame["AKIEC"].tolist() == [1.0]
    assert frame["MEL"].tolist() == [0.0]


def test_other_classes_have_no_column() -> None:
    with pytest.raises(RunError, match=r"no column for benign, malignant"):
        format_submission(pd.Series(["a"]), np.array([[0.5, 0.5]]), MALIGNANCY_CLASSES)


def test_a_submission_scored_by_us_has_scikit_learns_figures(make_run: object) -> None:
    run: StoredRun = make_run()  # type: ignore[operator]
    sent, truth = submitted(run), truths(run)
    own = read_predictions(sent.to_csv(index=False).encode(), "sent.csv", truth.to_csv(index=False).encode())
    places, scores = truth[list(COLUMNS)].to_numpy().argmax(axis=1), sent[list(COLUMNS)].to_numpy()
    found = compute_headline(own.predictions)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(places, scores.argmax(axis=1)))
    areas = compute_per_class(own.predictions).set_index("class")["auroc"]
    for place, code in enumerate(COLUMNS.values()):
        assert areas[code] == pytest.approx(roc_auc_score(places == place, scores[:, place]))


def test_a_submission_scored_by_the_challenges_scorer_has_our_figures(make_run: object) -> None:
    scorer = pytest.importorskip("isic_challenge_scoring.classification", reason="the challenge's scorer is absent")
    run: StoredRun = make_run()  # type: ignore[operator]
    sent, truth = submitted(run), truths(run)
    own = read_predictions(sent.to_csv(index=False).encode(), "sent.csv", truth.to_csv(index=False).encode())
    weights = pd.DataFrame({"score_weight": 1.0, "validation_weight": 1.0}, index=truth["image"])
    metric = scorer.ClassificationMetric.BALANCED_ACCURACY
    theirs = scorer.ClassificationScore(truth.set_index("image"), sent.set_index("image"), weights, metric)
    assert compute_headline(own.predictions).balanced_accuracy == pytest.approx(theirs.overall)
    areas = compute_per_class(own.predictions).set_index("class")["auroc"]
    for column, code in COLUMNS.items():
        assert areas[code] == pytest.approx(theirs.per_category.loc[column, "auc"])
