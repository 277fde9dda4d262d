from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from skinapp.errors import DatasetError
from skinapp.training.calibrate import BOUNDS, check_shares, compute_prior_offsets, fit_temperature
from skinapp.training.recipe import read_recipe

from .conftest import WriteRecipe


def loss(logits: np.ndarray, classes: np.ndarray, temperature: float) -> float:
    return float(log_loss(classes, softmax(logits / temperature, axis=1), labels=range(logits.shape[1])))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("k", [2, 8])
def test_recovers_a_known_temperature(temperature: float, k: int) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(scale=3, size=(20_000, k))
    chances = softmax(logits / temperature, axis=1)
    classes = (chances.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(logits, classes) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("seed", range(10))
def test_never_worsens_the_log_loss(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(scale=random.uniform(0.1, 10), size=(50, 4))
    classes = random.integers(4, size=50)
    assert loss(logits, classes, fit_temperature(logits, classes)) <= loss(logits, classes, 1.0) + 1e-9


def test_stays_within_its_bounds() -> None:
    classes = np.arange(40) % 4
    right, wrong = np.eye(4)[classes], np.eye(4)[(classes + 1) % 4]
    assert BOUNDS[0] <= fit_temperature(right, classes) < 2 * BOUNDS[0]
    assert BOUNDS[1] / 2 < fit_temperature(wrong, classes) <= BOUNDS[1]


NATURAL, DRAWN = np.array([0.1, 0.3, 0.6]), np.array([0.4, 0.4, 0.2])


def test_offsets_by_bayes_rule_by_hand() -> None:
    offsets = compute_prior_offsets(NATURAL, DRAWN, undo=1)
    assert offsets.max() == 0
    # A photo that tells nothing: its score is the share of each class, first as drawn, then as in the data.
    assert softmax(np.log(DRAWN) + offsets) == pytest.approx(NATURAL)
    drawn = np.array([0.5, 0.3, 0.2])
    by_hand = drawn * NATURAL / DRAWN
    assert softmax(np.log(drawn) + offsets) == pytest.approx(by_hand / by_hand.sum())


def test_half_the_way_is_gone_where_half_is_asked_for() -> None:
    half = compute_prior_offsets(NATURAL, DRAWN, undo=0.5)
    expected = np.sqrt(NATURAL * DRAWN)
    assert softmax(np.log(DRAWN) + half) == pytest.approx(expected / expected.sum())
    assert compute_prior_offsets(NATURAL, DRAWN, undo=0) == pytest.approx([0, 0, 0])


def test_an_adjustment_s_shares_come_back_before_they_are_undone() -> None:
    # Trained with log(drawn) added, the network's logits of a photo that tells nothing are alike for all classes.
    alike = np.zeros(3)
    assert softmax(alike + compute_prior_offsets(NATURAL, DRAWN, undo=0, logit_adjustment=1)) == pytest.approx(DRAWN)
    assert softmax(alike + compute_prior_offsets(NATURAL, DRAWN, undo=1, logit_adjustment=1)) == pytest.approx(NATURAL)
    # With half an adjustment half of the shares stayed in the logits.
    logits = 0.5 * np.log(DRAWN)
    assert softmax(logits + compute_prior_offsets(NATURAL, DRAWN, undo=1, logit_adjustment=0.5)) == pytest.approx(
        NATURAL
    )


def posterior(seen: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the chance of each class, (n, k), of sights (n,), each telling of the classes what SIGHTS says."""
    chances = SIGHTS[:, seen].T * shares
    return chances / chances.sum(axis=1, keepdims=True)


SIGHTS = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]])
"""The chance of each of three sights (column) in each of three classes (row)."""


@pytest.mark.parametrize("adjustment", [0.0, 1.0])
def test_a_softmax_trained_on_drawn_shares_gets_the_natural_posterior(adjustment: float) -> None:
    random = np.random.default_rng(0)
    classes = random.choice(3, size=200_000, p=DRAWN)
    seen = (SIGHTS.cumsum(axis=1)[classes] > random.random((len(classes), 1))).argmax(axis=1)
    # With one-hot sights the softmax of least log loss is known: the log of each class's share among those who saw it.
    counts = np.zeros((3, 3))
    np.add.at(counts, (seen, classes), 1)
    logits = np.log(counts / counts.sum(axis=1, keepdims=True)) - adjustment * np.log(DRAWN)
    scores = softmax(logits + compute_prior_offsets(NATURAL, DRAWN, 1, adjustment), axis=1)
    np.testing.assert_allclose(scores, posterior(np.arange(3), NATURAL), atol=0.01)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_known_temperature_is_recovered_beside_offsets(temperature: float) -> None:
    random = np.random.default_rng(0)
    offsets = compute_prior_offsets(NATURAL, DRAWN, undo=1)
    logits = random.normal(scale=3, size=(20_000, 3))
    chances = softmax(logits / temperature + offsets, axis=1)
    classes = (chances.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(logits, classes, offsets) == pytest.approx(temperature, rel=0.05)
    assert fit_temperature(logits, classes) != pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("balance_exponent = 0.5", "logit_adjustment = 1"),
        ('monitor = "loss"', 'monitor = "loss"\n[calibration]\nundo_sampling = 0.5'),
    ],
)
def test_the_share_of_an_absent_class_can_be_neither_adjusted_nor_undone(
    tmp_path: Path, write_recipe: WriteRecipe, old: str, new: str
) -> None:
    both = ('role = "malignancy"', 'role = "both"')
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml", both, (old, new)))
    shares = {"malignancy": np.array([0.5, 0.5]), "lesion_type": np.array([0.2, 0, 0.1, 0.1, 0.1, 0.5, 0, 0])}
    with pytest.raises(DatasetError, match="has no training photo of bcc, scc, vasc,"):
        check_shares(recipe, shares, shares)
    whole = shares | {"lesion_type": np.full(8, 1 / 8)}
    check_shares(recipe, whole, whole)
    check_shares(read_recipe(write_recipe(tmp_path / "plain.toml", both)), shares, shares)
