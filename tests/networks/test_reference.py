from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinapp.errors import ModelError
from skinapp.models.card import Card
from skinapp.networks.reference import (
    CASE_COLUMNS,
    REFERENCE,
    ReferenceBank,
    choose_cases,
    load_reference,
    save_reference,
)


@pytest.fixture
def bank() -> ReferenceBank:
    random = np.random.default_rng(0)
    features = np.maximum(random.normal(size=(30, 16)), 0).astype(np.float32) * random.uniform(0.1, 50, 16)
    features[:, 3] = 0
    cases = pd.DataFrame({name: [f"{name}_{row}" for row in range(30)] for name in CASE_COLUMNS}, dtype="str")
    cases.loc[4, "camera"] = pd.NA
    return ReferenceBank(features.astype(np.float32), cases)


def test_a_bank_comes_back_within_half_a_step(
    tmp_path: Path, bank: ReferenceBank, make_card: Callable[..., Card]
) -> None:
    card = make_card(reference_sha256=save_reference(tmp_path, bank))
    back = load_reference(tmp_path, card)
    assert back is not None
    assert (np.abs(back.features - bank.features) <= bank.features.max(axis=0) / 255 / 2 + 1e-6).all()
    assert back.features.dtype == np.float32
    pd.testing.assert_frame_equal(back.cases, bank.cases)


def test_a_model_without_a_bank_has_none(tmp_path: Path, make_card: Callable[..., Card]) -> None:
    assert load_reference(tmp_path, make_card()) is None


def test_another_bank_than_the_cards_is_refused(
    tmp_path: Path, bank: ReferenceBank, make_card: Callable[..., Card]
) -> None:
    card = make_card(reference_sha256=save_reference(tmp_path, bank))
    save_reference(tmp_path, ReferenceBank(bank.features[::-1].copy(), bank.cases))
    with pytest.raises(ModelError, match=r"not the file that its card names.*skinapp gate a-model"):
        load_reference(tmp_path, card)
    (tmp_path / REFERENCE).unlink()
    with pytest.raises(ModelError, match="not the file that its card names"):
        load_reference(tmp_path, card)


def test_negative_features_are_not_cut_to_zero(tmp_path: Path, bank: ReferenceBank) -> None:
    with pytest.raises(ValueError, match="negative"):
        save_reference(tmp_path, ReferenceBank(bank.features - 1, bank.cases))


def test_one_photo_of_each_lesion_is_kept_and_the_rare_types_first() -> None:
    photos = pd.DataFrame(
        {"lesion_id": [f"lesion_{row // 2}" for row in range(4000)], "diagnosis": ["nv"] * 3000 + ["mel"] * 1000}
    )
    everyone = choose_cases(photos, 5000)
    assert len(everyone) == everyone["lesion_id"].nunique() == 2000
    few = choose_cases(photos, 800)
    assert len(few) == 800
    assert (few["diagnosis"] == "mel").sum() == 500
    assert few.index.is_monotonic_increasing
