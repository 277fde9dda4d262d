import numpy as np
import pytest
from sklearn import metrics as sk

from skinapp.metrics.classification import Flags, Floats, auroc
from skinapp.metrics.ranking import sort_scores

Case = tuple[Flags, Floats]


@pytest.fixture(params=["many ties", "no ties", "few positives", "few negatives"])
def case(request: pytest.FixtureRequest) -> Case:
    random = np.random.default_rng(2)
    share = {"few positives": 0.03, "few negatives": 0.97}.get(request.param, 0.4)
    positive = random.random(700) < share
    scores = 1 / (1 + np.exp(-random.normal(size=700) - positive))
    return positive, scores.round(1) if request.param == "many ties" else scores


def test_auroc_and_average_precision_equal_scikit_learns(case: Case) -> None:
    split = sort_scores(*case)
    assert split.auroc() == pytest.approx(sk.roc_auc_score(*case), abs=1e-12)
    assert split.auroc() == pytest.approx(float(auroc(*case)), abs=1e-12)
    assert split.average_precision() == pytest.approx(sk.average_precision_score(*case), abs=1e-12)


def test_counts_at_a_threshold_include_it(case: Case) -> None:
    positive, scores = case
    at = np.array([0.3, scores[0], 0.8])
    split = sort_scores(*case)
    assert split.count_true_positives(at).tolist() == [(positive & (scores >= t)).sum() for t in at]
    assert split.count_false_positives(at).tolist() == [(~positive & (scores >= t)).sum() for t in at]


def test_few_thresholds_are_all_kept_and_many_are_thinned(case: Case) -> None:
    every = np.unique(case[1])[::-1]
    assert sort_scores(*case).pick_thresholds(2000).tolist() == every.tolist()
    thinned = sort_scores(*case).pick_thresholds(50)
    assert len(thinned) <= 50
    assert (thinned[0], thinned[-1]) == (every[0], every[-1])
    assert np.isin(thinned, every).all()


def test_without_positives_or_negatives_nothing_is_defined() -> None:
    scores = np.array([0.2, 0.9])
    for positive in (np.array([True, True]), np.array([False, False])):
        assert np.isnan(sort_scores(positive, scores).auroc())
    none = sort_scores(np.array([False, False]), scores)
    assert np.isnan(none.average_precision())
    assert np.isnan(none.sensitivity(scores)).all()
    assert none.false_positive_rate(scores).tolist() == [1.0, 0.5]
