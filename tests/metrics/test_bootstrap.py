"""Intervals must cover the truth as often as they claim, although photos of one lesion resemble each other."""

import numpy as np
import pytest
from scipy.stats import norm

from skinapp.metrics.bootstrap import (
    bootstrap_auroc,
    compute_rate_interval,
    draw_lesions,
    draw_replicate_sums,
    percentile_interval,
    sum_by_lesion,
)
from skinapp.metrics.classification import ClassIndex, Flags, auroc, sensitivity

SETS, LESIONS, REPLICATES = 300, 150, 300


def many_sets(random: np.random.Generator) -> "list[tuple[Flags, ClassIndex]]":
    """Make data sets of lesions with 1 to 6 photos, each lesion easy or hard: its photos have similar results."""
    made = []
    for _ in range(SETS):
        lesion = np.repeat(np.arange(LESIONS), random.integers(1, 7, size=LESIONS))
        easy = random.beta(0.8, 0.4, size=LESIONS)  # photos of a lesion agree far more than those of two
        made.append((random.random(len(lesion)) < easy[lesion], lesion))
    return made


def test_the_rate_interval_covers_the_truth_in_95_of_100_sets_but_not_if_photos_are_drawn() -> None:
    truth = 0.8 / (0.8 + 0.4)  # the mean of that beta distribution
    held = {"lesions": 0, "photos": 0}
    for right, lesion in many_sets(np.random.default_rng(1)):
        whole = np.ones(len(right))
        for unit, drawn_as in (("lesions", lesion), ("photos", np.arange(len(right)))):
            low, high = compute_rate_interval(right.astype(float), whole, drawn_as, REPLICATES, seed=2)
            held[unit] += low <= truth <= high
    assert 0.925 <= held["lesions"] / SETS <= 0.975
    assert held["photos"] / SETS < 0.85


def test_the_auroc_interval_covers_the_truth_in_95_of_100_sets_but_not_if_photos_are_drawn() -> None:
    # Scores of positives and negatives are normal, a lesion's own part larger than that of its photos; then
    # AUROC = P(difference of two independent scores > 0) = Phi(1.2 / sqrt(2 * 1.25)).
    random, truth, sets = np.random.default_rng(3), norm.cdf(1.2 / np.sqrt(2 * 1.25)), 200
    held = {"lesions": 0, "photos": 0}
    for _ in range(sets):
        lesion = np.repeat(np.arange(80), 4)
        ill = np.arange(80) % 2 == 0
        scores = (1.2 * ill + random.normal(size=80))[lesion] + random.normal(size=320) / 2
        for unit, drawn_as in (("lesions", lesion), ("photos", np.arange(320))):
            low, high = percentile_interval(bootstrap_auroc(ill[lesion], scores, drawn_as, 200, seed=4))
            held[unit] += low <= truth <= high
    assert 0.90 <= held["lesions"] / sets <= 0.98
    assert held["photos"] / sets < 0.80


def test_drawing_kinds_of_lesions_has_the_distribution_of_drawing_lesions() -> None:
    random = np.random.default_rng(0)
    sums = random.integers(0, 3, size=(60, 2)).astype(float)
    by_kind = draw_replicate_sums(sums, 4000, seed=1)
    one_by_one = np.concatenate([times @ sums for times in draw_lesions(60, 4000, seed=1)])
    np.testing.assert_allclose(by_kind.mean(axis=0), one_by_one.mean(axis=0), rtol=0.01)
    np.testing.assert_allclose(np.cov(by_kind.T), np.cov(one_by_one.T), rtol=0.15, atol=2)
    np.testing.assert_array_equal(by_kind, draw_replicate_sums(sums, 4000, seed=1))


def test_every_draw_has_as_many_lesions_as_there_are() -> None:
    drawn = np.concatenate(list(draw_lesions(7, 50, seed=0)))
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all()


def test_sums_of_lesions() -> None:
    values = np.array([[1.0, 0], [2, 1], [4, 1]])
    assert sum_by_lesion(values, np.array([1, 0, 1])).tolist() == [[2, 1], [5, 1]]


def test_a_rate_of_all_or_none_is_not_certain() -> None:
    ones, lesion = np.ones(64), np.repeat(np.arange(32), 2)
    low, high = compute_rate_interval(ones, ones, lesion, 100, seed=0)
    assert (round(low, 3), high) == (0.891, 1.0)  # 32 of 32: 0.025 ** (1 / 32)
    low, high = compute_rate_interval(0 * ones, ones, lesion, 100, seed=0)
    assert (low, round(high, 3)) == (0.0, 0.109)
    assert np.isnan(compute_rate_interval(0 * ones, 0 * ones, lesion, 100, seed=0)).all()


def test_replicates_of_an_auroc_are_those_of_the_photos_drawn() -> None:
    random = np.random.default_rng(5)
    positive, lesion = random.random(300) < 0.4, np.arange(300) // 2
    scores = random.normal(size=300) + positive
    by_photo = np.concatenate([auroc(positive, scores, times[:, lesion]) for times in draw_lesions(150, 40, seed=6)])
    np.testing.assert_allclose(bootstrap_auroc(positive, scores, lesion, 40, seed=6), by_photo)
    many = np.repeat(scores, 10) + random.normal(size=3000) / 100  # more scores than are told apart
    exact = np.concatenate([auroc(np.repeat(positive, 10), many, times) for times in draw_lesions(3000, 5, seed=7)])
    own = bootstrap_auroc(np.repeat(positive, 10), many, np.arange(3000), 5, seed=7)
    np.testing.assert_allclose(own, exact, atol=1e-4)


def test_the_percentile_interval_leaves_out_undefined_replicates() -> None:
    low, high = percentile_interval(np.array([np.nan, *np.arange(101.0)]))
    assert (low, high) == pytest.approx((2.5, 97.5))
    assert np.isnan(percentile_interval(np.full(3, np.nan))).all()


def test_the_interval_is_around_the_rate_of_the_metrics() -> None:
    random = np.random.default_rng(8)
    positive, scores = random.random(200) < 0.5, random.random(200)
    low, high = compute_rate_interval(
        (positive & (scores >= 0.3)).astype(float), positive.astype(float), np.arange(200), 2000, seed=1
    )
    drawn = np.concatenate([sensitivity(positive, scores, 0.3, times) for times in draw_lesions(200, 2000, seed=2)])
    assert (low, high) == pytest.approx(percentile_interval(drawn), abs=0.02)
