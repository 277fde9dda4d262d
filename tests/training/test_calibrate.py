import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from skinapp.training.calibrate import BOUNDS, fit_temperature


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
