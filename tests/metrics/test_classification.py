"""Every metric that scikit-learn knows must equal scikit-learn's, with ties, absent classes and weights."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn import metrics as sk

from skinapp.metrics import classification
from skinapp.metrics.classification import ClassIndex, Flags, Floats

K = 6
ABSENT = 4
"""A class without a photo; some photos are still predicted as it."""


@dataclass(frozen=True)
class Case:
    truth: ClassIndex
    scores: Floats
    weights: Floats | None

    @property
    def predicted(self) -> ClassIndex:
        return self.scores.argmax(axis=1)

    @property
    def confusion(self) -> Floats:
        return classification.confusion_matrix(self.truth, self.predicted, K, self.weights)

    @property
    def positive(self) -> Flags:
        return self.truth < 2


@pytest.fixture(params=["unweighted", "weighted"])
def case(request: pytest.FixtureRequest) -> Case:
    random = np.random.default_rng(4)
    truth = random.choice([place for place in range(K) if place != ABSENT], size=300)
    parts = random.integers(1, 5, size=(300, K)) + 2 * np.eye(K, dtype=int)[truth]  # few values: many ties
    weights = random.integers(0, 4, size=300).astype(float) if request.param == "weighted" else None
    return Case(truth, parts / parts.sum(axis=1, keepdims=True), weights)


def test_the_case_has_ties_and_predictions_of_the_absent_class(case: Case) -> None:
    assert len(np.unique(case.scores[:, 0])) < 60
    assert (np.sort(case.scores, axis=1)[:, -1] == np.sort(case.scores, axis=1)[:, -2]).sum() > 20
    assert ABSENT in case.predicted


def test_confusion_matrix(case: Case) -> None:
    expected = sk.confusion_matrix(case.truth, case.predicted, labels=range(K), sample_weight=case.weights)
    np.testing.assert_array_equal(case.confusion, expected)


def test_precision_recall_f1_and_support(case: Case) -> None:
    expected = sk.precision_recall_fscore_support(
        case.truth, case.predicted, labels=range(K), sample_weight=case.weights, zero_division=np.nan
    )
    own = (classification.precision, classification.recall, classification.f1, classification.support)
    for function, figure in zip(own, expected, strict=True):
        np.testing.assert_allclose(function(case.confusion), figure, err_msg=function.__name__)
    assert np.isnan(classification.recall(case.confusion)[ABSENT])


def test_accuracy(case: Case) -> None:
    expected = sk.accuracy_score(case.truth, case.predicted, sample_weight=case.weights)
    assert classification.accuracy(case.confusion) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_balanced_accuracy(case: Case) -> None:
    expected = sk.balanced_accuracy_score(case.truth, case.predicted, sample_weight=case.weights)
    assert classification.balanced_accuracy(case.confusion) == pytest.approx(expected)


def test_macro_f1_averages_only_over_classes_with_photos(case: Case) -> None:
    present = [place for place in range(K) if place != ABSENT]
    of_present = sk.f1_score(case.truth, case.predicted, labels=present, average="macro", sample_weight=case.weights)
    of_all = sk.f1_score(case.truth, case.predicted, average="macro", sample_weight=case.weights)
    assert classification.macro_f1(case.confusion) == pytest.approx(of_present)
    assert of_all == pytest.approx(of_present * (K - 1) / K)  # the difference that the docstring names


@pytest.mark.parametrize("top", [1, 2, 3])
def test_top_k_accuracy_with_ties_to_the_earlier_class(case: Case, top: int) -> None:
    # scikit-learn gives ties to the later class, so it sees the classes in reverse here.
    expected = sk.top_k_accuracy_score(
        K - 1 - case.truth, case.scores[:, ::-1], k=top, labels=range(K), sample_weight=case.weights
    )
    assert classification.top_k_accuracy(case.truth, case.scores, top, case.weights) == pytest.approx(expected)


def test_top_1_is_accuracy(case: Case) -> None:
    top = classification.top_k_accuracy(case.truth, case.scores, 1, case.weights)
    assert top == pytest.approx(classification.accuracy(case.confusion))


def test_log_loss(case: Case) -> None:
    scores = case.scores.copy()
    scores[:3] = np.eye(K)[[ABSENT, ABSENT, 1]]  # certain and wrong: the logarithm must stay finite
    expected = sk.log_loss(case.truth, scores, labels=range(K), sample_weight=case.weights)
    assert classification.log_loss(case.truth, scores, case.weights) == pytest.approx(expected)


def test_brier(case: Case) -> None:
    expected = sk.brier_score_loss(case.truth, case.scores, labels=range(K), sample_weight=case.weights)
    assert classification.brier(case.truth, case.scores, case.weights) == pytest.approx(expected)


def test_brier_of_two_classes(case: Case) -> None:
    first = case.scores[:, 0]
    expected = sk.brier_score_loss(case.positive, first, sample_weight=case.weights)
    two = np.stack([1 - first, first], axis=1)
    assert classification.brier(case.positive.astype(int), two, case.weights) == pytest.approx(expected)


def test_auroc_per_class(case: Case) -> None:
    own = classification.auroc_per_class(case.truth, case.scores, case.weights)
    for place in range(K):
        if place != ABSENT:
            expected = sk.roc_auc_score(case.truth == place, case.scores[:, place], sample_weight=case.weights)
            assert own[place] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(own[ABSENT])


def test_macro_auroc_leaves_out_the_absent_class(case: Case) -> None:
    present = [place for place in range(K) if place != ABSENT]
    truths = np.eye(K)[case.truth][:, present]
    expected = sk.roc_auc_score(truths, case.scores[:, present], average="macro", sample_weight=case.weights)
    own = classification.auroc_per_class(case.truth, case.scores, case.weights)
    assert classification.mean_ignoring_nan(own) == pytest.approx(expected)


def test_sensitivity_and_specificity(case: Case) -> None:
    scores = case.scores[:, :2].sum(axis=1)
    threshold = float(np.median(scores))  # a score that occurs: the threshold itself counts as positive
    called = scores >= threshold
    expected = [
        sk.recall_score(case.positive, called, pos_label=side, sample_weight=case.weights) for side in (True, False)
    ]
    own = [
        function(case.positive, scores, threshold, case.weights)
        for function in (classification.sensitivity, classification.specificity)
    ]
    assert own == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    # Two bins of 15: (0.6, 0.667] holds 0.62 right and 0.66 wrong, (0.867, 0.933] holds 0.9 right, three times.
    top = np.array([0.62, 0.66, 0.9, 0.9, 0.9])
    scores = np.stack([top, 1 - top], axis=1)
    truth = np.array([0, 1, 0, 0, 0])
    by_hand = 2 / 5 * abs(0.64 - 0.5) + 3 / 5 * abs(0.9 - 1.0)
    assert classification.expected_calibration_error(truth, scores) == pytest.approx(by_hand)


def test_calibration_error_uses_weights_and_bins_include_their_upper_end() -> None:
    scores = np.array([[0.8, 0.2], [0.79, 0.21], [1.0, 0.0]])  # 0.8 = 12/15 ends the bin that 0.79 lies in
    truth = np.array([0, 1, 0])
    by_hand = abs(3 * (0.8 - 1) + 1 * (0.79 - 0)) / 6
    own = classification.expected_calibration_error(truth, scores, np.array([3.0, 1.0, 2.0]))
    assert own == pytest.approx(by_hand)


def test_malignant_mask() -> None:
    codes = ("malignant", "benign", "akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")
    mask = classification.malignant_mask(codes)
    assert mask is not None
    assert {label for label, yes in zip(codes, mask, strict=True) if yes} == {"malignant", "akiec", "bcc", "mel", "scc"}


def test_an_unknown_class_is_neither_malignant_nor_benign_until_it_is_said() -> None:
    assert classification.malignant_mask(("mel", "cyst", "odd"), {"cyst": False}) is None
    mask = classification.malignant_mask(("mel", "cyst", "odd"), {"cyst": False, "odd": True})
    assert mask is not None
    assert mask.tolist() == [True, False, True]


def test_replicates_at_once_equal_one_at_a_time(case: Case) -> None:
    weights = np.random.default_rng(1).integers(0, 3, size=(5, 300)).astype(float)
    for function in (
        classification.log_loss,
        classification.brier,
        classification.auroc_per_class,
        classification.expected_calibration_error,
    ):
        one_by_one = [function(case.truth, case.scores, row) for row in weights]
        np.testing.assert_allclose(function(case.truth, case.scores, weights), one_by_one)
    confusion = classification.confusion_matrix(case.truth, case.predicted, K, weights)
    for row, counts in zip(weights, confusion, strict=True):
        alone = classification.confusion_matrix(case.truth, case.predicted, K, row)
        np.testing.assert_allclose(counts, alone)
    batched = classification.macro_f1(confusion), classification.balanced_accuracy(confusion)
    assert [figure.shape for figure in batched] == [(5,), (5,)]


def test_undefined_is_nan() -> None:
    nothing = np.zeros((2, 2))
    for function in (classification.accuracy, classification.balanced_accuracy, classification.macro_f1):
        assert np.isnan(function(nothing)), function.__name__
    for function in (classification.precision, classification.recall, classification.f1):
        assert np.isnan(function(nothing)).all(), function.__name__
    positive, scores = np.array([True, True]), np.array([0.2, 0.9])
    assert np.isnan(classification.auroc(positive, scores))
    assert np.isnan(classification.auroc(~positive, scores))
    assert np.isnan(classification.specificity(positive, scores, 0.5))
    assert np.isnan(classification.sensitivity(~positive, scores, 0.5))
