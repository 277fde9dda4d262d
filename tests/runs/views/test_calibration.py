from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit, softmax
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from skinapp.errors import RunError
from skinapp.metrics import classification
from skinapp.metrics.bootstrap import draw_lesions, percentile_interval
from skinapp.models.card import Head
from skinapp.networks.classifier import calibrate_logits, reconcile_types
from skinapp.runs.predictions import probability_columns
from skinapp.runs.stored import Scaling, StoredRun
from skinapp.runs.views.calibration import (
    compute_binary_reliability,
    compute_calibration,
    compute_calibration_intervals,
    compute_reliability,
    undo_calibration,
    undo_scaling,
)
from skinapp.runs.views.curves import select_positives
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

MakeRun = Callable[..., StoredRun]

HEADS = (
    Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=0.8, offsets=(-0.7, 0.4)),
    Head(name="lesion_type", classes=CODES, temperature=1.6, offsets=(-1.2, 0.3, 0.9, -2.0, 0.1, 1.5, -0.4, 0.0)),
)
"""A pair whose heads were calibrated differently."""


def answered(run: StoredRun, scores: np.ndarray) -> StoredRun:
    """Give a run these probabilities."""
    columns = probability_columns(run.classes)
    return replace(run, frame=run.frame.drop(columns=columns).assign(**dict(zip(columns, scores.T, strict=True))))


def scored(run: StoredRun, scores: np.ndarray, malignant: np.ndarray) -> StoredRun:
    """Give a malignancy run these scores and truths."""
    truth = np.where(malignant, *MALIGNANCY_CLASSES)
    frame = run.frame.head(len(scores)).assign(p_malignant=scores, p_benign=1 - scores, truth=truth)
    return replace(run, frame=frame)


def test_reliability_worked_by_hand() -> None:
    # Five bins. 0.6 ends the bin (0.4, 0.6]; 0.9 and 1.0 lie in the last.
    scores = np.array([[0.6, 0.4], [0.5, 0.5], [0.9, 0.1], [0.0, 1.0]])
    frame = compute_reliability(np.array([0, 1, 0, 1]), scores, bins=5)
    assert frame["photos"].tolist() == [0, 0, 2, 0, 2]
    assert frame["confidence"].tolist()[2::2] == pytest.approx([0.55, 0.95])
    assert frame["accuracy"].tolist()[2::2] == [0.5, 1.0]  # 0.5 against 0.5 goes to the first class: wrong
    assert frame.loc[[0, 1, 3], ["confidence", "accuracy"]].isna().to_numpy().all()
    assert frame["low"].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert frame["high"].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])


def test_reliability_and_the_calibration_error_agree(make_run: MakeRun) -> None:
    run = make_run()
    frame = compute_reliability(run.truth_index(), run.probabilities())
    error = ((frame["confidence"] - frame["accuracy"]).abs() * frame["photos"]).sum() / frame["photos"].sum()
    assert len(frame) == classification.CALIBRATION_BINS
    assert error == pytest.approx(
        float(classification.expected_calibration_error(run.truth_index(), run.probabilities()))
    )
    assert compute_calibration(run).ece == pytest.approx(error)


def test_the_reliability_of_one_score_counts_positives() -> None:
    frame = compute_binary_reliability(np.array([True, False, True]), np.array([0.0, 0.4, 0.5]), bins=2)
    assert frame["photos"].tolist() == [3, 0]
    assert frame["confidence"][0] == pytest.approx(0.3)
    assert frame["accuracy"][0] == pytest.approx(2 / 3)


def test_what_the_temperature_did_is_undone() -> None:
    logits = np.random.default_rng(0).normal(scale=4, size=(50, 8))
    np.testing.assert_allclose(undo_scaling(softmax(logits / 1.7, axis=1), 1.7), softmax(logits, axis=1), rtol=1e-9)
    certain = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    np.testing.assert_array_equal(undo_scaling(certain, 2.0), certain)


def test_a_run_before_calibration(make_run: MakeRun) -> None:
    run = replace(make_run(), temperature=1.4)
    before = undo_calibration(run)
    np.testing.assert_allclose(before.probabilities(), undo_scaling(run.probabilities(), 1.4))
    assert before.temperature is None
    assert not np.allclose(run.probabilities(), before.probabilities())  # the run itself is left alone
    with pytest.raises(RunError, match="has no temperature"):
        undo_calibration(before)


def test_offsets_are_undone_with_the_temperature(make_run: MakeRun) -> None:
    for head in HEADS:
        logits = np.random.default_rng(0).normal(scale=6, size=(120, len(head.classes)))
        run = answered(make_run(head.classes), calibrate_logits(logits, head))
        run = replace(run, temperature=head.temperature, offsets=head.offsets)
        before = undo_calibration(run)
        np.testing.assert_allclose(before.probabilities(), softmax(logits, axis=1), rtol=1e-9, atol=0)
        assert (before.temperature, before.offsets, before.malignancy) == (None, (), None)


def test_a_pair_comes_back_as_it_would_answer_uncalibrated(make_run: MakeRun) -> None:
    random = np.random.default_rng(1)
    logits = [random.normal(scale=6, size=(120, len(head.classes))) for head in HEADS]
    malignancy, types = reconcile_types(
        [calibrate_logits(raw, head) for raw, head in zip(logits, HEADS, strict=True)], HEADS
    )
    expected = reconcile_types([softmax(raw, axis=1) for raw in logits], HEADS)
    scaling = Scaling(HEADS[0].temperature, HEADS[0].offsets)
    run = replace(make_run(), temperature=HEADS[1].temperature, offsets=HEADS[1].offsets, malignancy=scaling)
    before = undo_calibration(answered(run, types))
    np.testing.assert_allclose(before.probabilities(), expected[1], rtol=0, atol=1e-12)
    assert (before.temperature, before.offsets, before.malignancy) == (None, (), None)
    # What the malignant types add up to is the malignancy head's own answer before its calibration.
    alone = replace(make_run(MALIGNANCY_CLASSES), temperature=scaling.temperature, offsets=scaling.offsets)
    alone = undo_calibration(answered(alone, malignancy))
    np.testing.assert_allclose(select_positives(before)[1], select_positives(alone)[1], rtol=0, atol=1e-12)
    assert not np.allclose(types, expected[1], atol=0.05)  # there was something to undo


def test_a_pair_that_is_certain_stays_certain(make_run: MakeRun) -> None:
    akiec, bcc, _, df, _, nv, _, _ = np.eye(8)
    certain = np.stack([bcc, nv, (akiec + bcc) / 2, (df + nv) / 2])
    run = make_run(photos=4)
    run = replace(run, temperature=2.0, malignancy=Scaling(3.0, (0.5, -0.5)))
    np.testing.assert_array_equal(undo_calibration(answered(run, certain)).probabilities(), certain)
    # Half malignant, with offsets that favour malignant by 1: before them logit(1/2) - 1, at a temperature of 3.
    half = undo_calibration(answered(run, np.stack([(bcc + nv) / 2] * 4))).probabilities()
    assert half[0, CODES.index("bcc")] == pytest.approx(1 / (1 + np.exp(3)))
    assert half[0, CODES.index("nv")] == pytest.approx(1 / (1 + np.exp(-3)))


def test_intervals_of_calibration_are_those_of_figures_drawn_by_lesion(make_run: MakeRun) -> None:
    run = make_run(MALIGNANCY_CLASSES, photos=90)
    frame = compute_calibration_intervals(run, replicates=30, seed=5)
    lesion = np.array([int(name.removeprefix("lesion_")) for name in run.frame["lesion_id"]])
    drawn = []
    for times in np.concatenate([*draw_lesions(lesion.max() + 1, 30, 5)]):
        photos = np.repeat(np.arange(90), times[lesion].astype(int))
        drawn.append(compute_calibration(replace(run, frame=run.frame.iloc[photos])))
    whole = compute_calibration(run)
    assert frame["figure"].tolist() == ["brier", "slope", "intercept"]
    for row in frame.to_dict(orient="records"):
        each = np.array([getattr(one, row["figure"]) for one in drawn])
        assert row["value"] == getattr(whole, row["figure"])
        assert (row["low"], row["high"]) == pytest.approx(percentile_interval(each))
        assert row["low"] < row["value"] < row["high"]


def test_an_undefined_slope_has_no_interval(make_run: MakeRun) -> None:
    scores = np.where(np.arange(40) < 20, 0.9, 0.1)
    frame = compute_calibration_intervals(scored(make_run(MALIGNANCY_CLASSES), scores, scores > 0.5), 20).set_index(
        "figure"
    )
    assert frame.loc["slope"].isna().all()
    assert frame.loc["brier", "value"] == pytest.approx(0.01)


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
def test_brier_is_scikit_learns(make_run: MakeRun) -> None:
    two, eight = make_run(MALIGNANCY_CLASSES), make_run()
    expected = sk.brier_score_loss(two.frame["truth"] == "malignant", two.frame["p_malignant"])
    assert compute_calibration(two).brier == pytest.approx(expected)
    expected = sk.brier_score_loss(eight.truth_index(), eight.probabilities(), labels=range(8))
    assert compute_calibration(eight).brier == pytest.approx(expected)


@pytest.mark.parametrize("classes", [MALIGNANCY_CLASSES, None, ("cat", "dog"), ("nv", "bkl", "vasc")])
def test_the_slope_is_that_of_a_logistic_regression(make_run: MakeRun, classes: tuple[str, ...] | None) -> None:
    run = make_run(photos=400) if classes is None else make_run(classes, photos=400)
    found = compute_calibration(run)
    if found.outcome == "malignant":
        happened, score = select_positives(run)
    elif found.outcome == "cat":
        happened, score = select_positives(run, "cat")
    else:
        assert found.outcome == "top label"
        happened = run.probabilities().argmax(axis=1) == run.truth_index()
        score = run.probabilities().max(axis=1)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(score)[:, None], happened)
    assert found.slope == pytest.approx(fit.coef_[0, 0], rel=1e-4)
    # With the slope fixed at 1, the intercept makes the mean chance the share of what happened.
    assert (1 / (1 + np.exp(-(logit(score) + found.intercept)))).mean() == pytest.approx(happened.mean())


def test_slope_and_intercept_worked_by_hand(make_run: MakeRun) -> None:
    # Scores 0.2 and 0.8, ten photos each; 3 and 7 of them malignant. The fit goes through logit(0.3) at logit(0.2)
    # and logit(0.7) at logit(0.8): slope ln(7/3) / ln(4). It is symmetric, so the intercept is 0.
    scores = np.repeat([0.2, 0.8], 10)
    malignant = np.arange(20) % 10 < np.repeat([3, 7], 10)
    found = compute_calibration(scored(make_run(MALIGNANCY_CLASSES), scores, malignant))
    assert found.slope == pytest.approx(np.log(7 / 3) / np.log(4))
    assert found.intercept == pytest.approx(0, abs=1e-9)
    # Of twenty photos scored 0.5, sixteen malignant: the intercept is logit(0.8) = ln(4); there is no slope.
    found = compute_calibration(scored(make_run(MALIGNANCY_CLASSES), np.full(20, 0.5), np.arange(20) < 16))
    assert found.intercept == pytest.approx(np.log(4))
    assert np.isnan(found.slope)


def test_honest_scores_have_slope_one_and_sure_ones_less(make_run: MakeRun) -> None:
    random, run = np.random.default_rng(0), make_run(MALIGNANCY_CLASSES, photos=20_000)
    logits = random.normal(size=20_000, scale=2)
    malignant = random.random(20_000) < 1 / (1 + np.exp(-logits))
    honest = compute_calibration(scored(run, 1 / (1 + np.exp(-logits)), malignant))
    assert (honest.slope, honest.intercept) == (pytest.approx(1, abs=0.05), pytest.approx(0, abs=0.05))
    assert honest.ece == pytest.approx(honest.ece_if_perfect, abs=0.004)
    too_sure = compute_calibration(scored(run, 1 / (1 + np.exp(-2 * logits)), malignant))
    assert too_sure.slope == pytest.approx(0.5, abs=0.03)
    assert too_sure.ece > 5 * too_sure.ece_if_perfect


def test_scores_that_part_the_outcomes_have_no_slope(make_run: MakeRun) -> None:
    scores = np.array([0.1, 0.2, 0.7, 0.9])
    run = make_run(MALIGNANCY_CLASSES)
    assert np.isnan(compute_calibration(scored(run, scores, scores > 0.5)).slope)
    assert np.isnan(compute_calibration(scored(run, scores, scores < 0.5)).slope)
    benign = compute_calibration(scored(run, scores, scores > 1))
    assert np.isnan([benign.slope, benign.intercept]).all()


def test_a_score_of_exactly_0_or_1_is_no_infinity(make_run: MakeRun) -> None:
    # Of four certain scores two are wrong: the most likely slope is 0 or nearly so, and Newton's first steps overshoot.
    scores = np.array([0.0, 0.0, 1.0, 1.0, 0.5, 0.6])
    malignant = np.array([0, 1, 1, 0, 1, 0], dtype=bool)
    found = compute_calibration(scored(make_run(MALIGNANCY_CLASSES), scores, malignant))
    nearly = np.clip(scores, 1e-7, 1 - 1e-7)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(nearly)[:, None], malignant)
    assert found.slope == pytest.approx(fit.coef_[0, 0], abs=1e-4)
    assert (1 / (1 + np.exp(-(logit(nearly) + found.intercept)))).mean() == pytest.approx(0.5)


def test_a_network_that_is_nearly_always_certain_has_a_slope(make_run: MakeRun) -> None:
    random = np.random.default_rng(2)
    scores = random.random(400) < 0.5
    malignant = scores ^ (random.random(400) < 0.1)
    sure = np.where(random.random(400) < 0.02, 0.5, scores).astype(float)
    found = compute_calibration(scored(make_run(MALIGNANCY_CLASSES, photos=400), sure, malignant))
    # The certain photos are right in nine of ten: their logit of ln(1e7) stands for one of about ln(9).
    assert found.slope == pytest.approx(np.log(9) / np.log(1e7), rel=0.15)


@pytest.mark.parametrize("photos", [120, 5000])
def test_the_error_of_perfect_scores_is_that_of_truths_drawn_from_them(make_run: MakeRun, photos: int) -> None:
    run, random = make_run(photos=photos), np.random.default_rng(7)
    scores = run.probabilities()
    scores /= scores.sum(axis=1, keepdims=True)
    errors = [
        classification.expected_calibration_error(
            (random.random((photos, 1)) > scores.cumsum(axis=1)[:, :-1]).sum(axis=1), scores
        )
        for _ in range(200)
    ]
    assert compute_calibration(run).ece_if_perfect == pytest.approx(np.mean(errors), rel=0.08)
    assert compute_calibration(run).ece_if_perfect == compute_calibration(run).ece_if_perfect  # seeded
