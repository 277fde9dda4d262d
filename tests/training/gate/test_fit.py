from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from skinapp.errors import DatasetError
from skinapp.training.gate import fit
from skinapp.training.gate.extract import Seen
from skinapp.training.gate.fit import FALSE_ALARMS, fit_gate, measure_refusals
from skinapp.training.gate.groups import Group


def no_views() -> Iterator[np.ndarray]:
    return iter(())


def see(kind: str, inside: bool, fitted: bool, early: np.ndarray, drawn: bool = False, lesions: int = 0) -> Seen:
    photos = None
    if lesions:
        rows = np.arange(len(early))
        photos = pd.DataFrame({"image_id": rows.astype(str), "lesion_id": (rows % lesions).astype(str)})
    group = Group(kind, inside, fitted, len(early), no_views, photos, drawn)
    return Seen(group, np.zeros((len(early), 4), np.float32), early)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Seen]:
    """Make photos that vary along three directions of twenty, and pictures that vary otherwise."""
    monkeypatch.setattr(fit, "DIRECTIONS", 3)
    random = np.random.default_rng(0)
    along = random.normal(size=(3, 20))

    def inside(photos: int) -> np.ndarray:
        return np.exp(random.normal(size=(photos, 3)) @ along * 0.3 + random.normal(size=(photos, 20)) * 0.05)

    def outside(pictures: int, kind: int) -> np.ndarray:
        return np.exp(random.normal(size=(pictures, 20)) + np.eye(20)[kind])

    return [
        see("photos", True, True, inside(300), lesions=300),
        see("photos", True, False, inside(400), lesions=200),
        see("changed", True, False, inside(20)),
        see("noise", False, True, outside(50, 0), drawn=True),
        see("hands", False, True, outside(30, 1)),
        see("hands", False, True, outside(30, 1), drawn=True),
        see("cars", False, False, outside(40, 2)),
    ]


def test_kinds_that_were_not_fitted_on_are_refused_and_photos_are_not(seen: list[Seen]) -> None:
    refusals = {(row.kind, row.fitted): row for row in measure_refusals(fit_gate(seen), seen)}
    assert list(refusals) == [("photos", False), ("changed", False), ("hands", True), ("cars", False)]
    assert refusals["cars", False].value > 0.95
    assert refusals["hands", True].value > 0.95
    assert refusals["photos", False].value <= 2 * FALSE_ALARMS
    row = refusals["cars", False]
    assert row.low < row.value <= row.high


def test_one_photo_of_each_lesion_is_counted(seen: list[Seen]) -> None:
    row = measure_refusals(fit_gate(seen), seen)[0]
    assert row.photos == 200


def test_the_limit_is_chosen_on_each_large_group_inside(seen: list[Seen]) -> None:
    gate = fit_gate(seen)
    share = (gate.measure(seen[1].early) > 0).mean()
    assert share <= FALSE_ALARMS
    assert share > FALSE_ALARMS - 2 / 400
    # Photos of another camera, further out than the rest: the limit moves until as few of them are refused.
    far = see("other camera", True, False, seen[1].early ** 1.5)
    wider = fit_gate([*seen, far])
    assert (wider.measure(far.early) > 0).mean() <= FALSE_ALARMS < (gate.measure(far.early) > 0).mean()


def test_a_kind_is_measured_with_a_gate_that_never_saw_it(seen: list[Seen], monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[list[str]] = []
    real = fit.fit_gate

    def spy(groups: list[Seen]) -> object:
        fitted.append([each.group.kind for each in groups])
        return real(groups)

    gate = real(seen)
    monkeypatch.setattr(fit, "fit_gate", spy)
    measure_refusals(gate, seen)
    assert fitted == [["photos", "photos", "changed", "noise", "cars"]]


def test_too_little_to_fit_on_is_named(seen: list[Seen]) -> None:
    with pytest.raises(DatasetError, match="some outside; there are 300 and 0"):
        fit_gate([each for each in seen if each.group.inside])
