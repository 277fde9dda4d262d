from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from skinapp.runs.predictions import probability_columns
from skinapp.runs.prevalence import restate_run_for_equal_shares
from skinapp.runs.reading import choose_reading_exponent, compute_balanced_loss
from skinapp.runs.stored import StoredRun

MakeRun = Callable[..., StoredRun]

SHARES = {"mel": 0.1, "nv": 0.8, "bcc": 0.1}


@pytest.fixture
def run(make_run: MakeRun) -> StoredRun:
    """Return a run whose truths are drawn from its own scores, so that they are calibrated for equal shares."""
    run = make_run(tuple(SHARES), photos=3000)
    random = np.random.default_rng(3)
    scores = random.dirichlet([0.6] * 3, size=3000)
    truth = [random.choice(list(SHARES), p=row) for row in scores]
    columns = dict(zip(probability_columns(run.classes), scores.T, strict=True))
    return replace(run, frame=run.frame.assign(truth=truth, **columns))


def test_the_loss_by_hand(make_run: MakeRun) -> None:
    made = make_run(tuple(SHARES), photos=3)
    frame = made.frame.assign(
        truth=["nv", "nv", "mel"], p_mel=[0.2, 0.0, 0.4], p_nv=[0.8, 0.5, 0.4], p_bcc=[0, 0.5, 0.2]
    )
    plain = (-np.log([0.8, 0.5]).mean() - np.log(0.4)) / 2
    assert compute_balanced_loss(replace(made, frame=frame), SHARES, 0) == pytest.approx(plain)
    # Divided by the shares: 2, 1 and 0; 0, 0.625 and 5; 4, 0.5 and 2.
    equal = (-np.log([1 / 3, 0.625 / 5.625]).mean() - np.log(4 / 6.5)) / 2
    assert compute_balanced_loss(replace(made, frame=frame), SHARES, 1) == pytest.approx(equal)


@pytest.mark.parametrize("exponent", [0.0, 0.3, 0.7, 1.0])
def test_the_exponent_that_undoes_the_shares_is_found(run: StoredRun, exponent: float) -> None:
    # Scores that were weighted by that power of the shares become what they were.
    inverse = {code: 1 / share for code, share in SHARES.items()}
    weighted = restate_run_for_equal_shares(run, inverse, exponent)
    assert choose_reading_exponent(weighted, SHARES) == pytest.approx(exponent, abs=0.06)


def test_it_stays_between_the_two_readings(run: StoredRun) -> None:
    inverse = {code: 1 / share for code, share in SHARES.items()}
    assert choose_reading_exponent(restate_run_for_equal_shares(run, SHARES, 0.5), SHARES) == 0
    assert choose_reading_exponent(restate_run_for_equal_shares(run, inverse, 1.5), SHARES) == 1


def test_a_class_without_a_share_is_refused(run: StoredRun) -> None:
    with pytest.raises(ValueError, match="needs a share above 0"):
        choose_reading_exponent(run, {"mel": 0.5, "nv": 0.5})
