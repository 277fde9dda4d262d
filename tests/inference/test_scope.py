from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skinapp.errors import ModelError
from skinapp.inference.scope import FLOOR, OUT_OF_SCOPE, ScopeGate
from skinapp.inference.scope_file import load_gate, save_gate
from skinapp.models.card import Card
from skinapp.models.scope import ScopeFacts

GATE = ScopeGate(
    centre=np.zeros(3),
    spread=np.ones(3),
    directions=np.array([[1.0], [0.0], [0.0]]),
    weights=np.array([0.0, 0.5, 0.0]),
    residual_weight=2.0,
    floor=-0.5,
    offset=-1.0,
)


def describe(*logs: float) -> np.ndarray:
    """Return early statistics (1, 3) whose descriptions are the given numbers."""
    return np.exp(np.array([logs])) - FLOOR


def test_the_distance_by_hand() -> None:
    # 5 along the main direction costs nothing; left are 3 and 4, of root mean square sqrt(25 / 3).
    expected = 2 * np.log(np.sqrt(25 / 3)) + 0.5 * 3 - 1
    np.testing.assert_allclose(GATE.measure(describe(5, 3, 4)), [expected])
    np.testing.assert_allclose(GATE.measure(describe(0, 3, 4)), [expected])


def test_a_sure_regression_does_not_make_up_for_the_distance() -> None:
    np.testing.assert_allclose(GATE.measure(describe(5, -2.9, 4)), [np.log((2.9**2 + 16) / 3) - 0.5 - 1])


def test_a_photo_beyond_the_limit_is_refused_with_what_to_do() -> None:
    near, far = GATE.check(np.concatenate([describe(1, 0.1, 0.1), describe(1, 3, 4)]))
    assert (near.in_scope, near.finding) == (True, None)
    assert near.distance < 0 < far.distance
    # NumPy's own truth values would pass by `is False`, and JSON does not take them.
    assert (type(near.in_scope), type(far.in_scope), type(far.distance)) == (bool, bool, float)
    assert (far.in_scope, far.finding) == (False, OUT_OF_SCOPE)
    assert OUT_OF_SCOPE.severity == "refuses"


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_no_number_is_refused(broken: float) -> None:
    early = describe(1, 0.1, 0.1)
    early[0, 2] = broken
    (answer,) = GATE.check(early)
    assert not answer.in_scope
    assert answer.finding == OUT_OF_SCOPE


def make_facts(sha256: str, network: str = "") -> ScopeFacts:
    return ScopeFacts(
        sha256=sha256, network_sha256=network, false_alarms=0.02, fitted_inside={}, fitted_outside={}, refusals=()
    )


def test_a_saved_gate_measures_the_same(tmp_path: Path, make_card: Callable[..., Card]) -> None:
    card = make_card(scope=make_facts(save_gate(tmp_path, GATE)))
    back = load_gate(tmp_path, card)
    assert back is not None
    early = np.random.default_rng(0).uniform(0.01, 5, (20, 3))
    np.testing.assert_allclose(back.measure(early), GATE.measure(early), rtol=1e-5)


def test_a_gate_that_is_not_the_cards_or_of_another_network_is_refused(
    tmp_path: Path, make_card: Callable[..., Card]
) -> None:
    assert load_gate(tmp_path, make_card()) is None
    sha256 = save_gate(tmp_path, GATE)
    with pytest.raises(ModelError, match=r"not the scope gate that the card names.*skinapp gate a-model"):
        load_gate(tmp_path, make_card(scope=make_facts("0" * 64)))
    with pytest.raises(ModelError, match="fitted to another network"):
        load_gate(tmp_path, make_card(scope=make_facts(sha256, "1" * 64)))
