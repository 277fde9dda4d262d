from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinapp.datasets.table import read_table
from skinapp.models.card import CARD, DataFacts, read_card, write_card
from skinapp.networks.reference import ReferenceBank, save_reference

RunCommand = Callable[..., Any]
MakeModel = Callable[..., Path]


@pytest.fixture
def outlines(tmp_path: Path, data_root: Path) -> Path:
    """Draw an outline of the left half of every photo."""
    folder = tmp_path / "outlines"
    folder.mkdir()
    left = np.zeros((60, 80), np.uint8)
    left[:, :40] = 255
    for image_id in read_table(data_root / "table.parquet")["image_id"]:
        Image.fromarray(left).save(folder / f"{image_id}.png")
    return folder


@pytest.fixture
def pair(tmp_path: Path, make_model: MakeModel, facts: DataFacts) -> Path:
    return make_model(tmp_path / "models" / "pair", "both", data=facts)


def measured(run_command: RunCommand, folder: Path, data_root: Path, outlines: Path) -> Any:
    table = data_root / "table.parquet"
    return run_command("evidence", folder, "--table", table, "--masks", outlines, "--data", data_root)


def test_the_card_says_how_much_evidence_lies_in_the_lesions(
    run_command: RunCommand, pair: Path, data_root: Path, outlines: Path
) -> None:
    before = read_card(pair)
    done = measured(run_command, pair, data_root, outlines)
    assert done.code == 0
    card = read_card(pair)
    assert card.activation
    assert (card.activation.network, card.activation.split) == ("pair", "validation")
    assert card.activation.weights_sha256 == card.weights_sha256 == before.weights_sha256
    everything, *of_classes = card.activation.shares
    photos = read_table(data_root / "table.parquet")
    validation = int((photos["split"] == "validation").sum())
    assert everything.label is None
    assert 0 < everything.inside.photos <= validation
    assert everything.area == pytest.approx(0.5, abs=0.02)
    assert {share.label for share in of_classes} <= {"malignant", *photos["diagnosis"]}
    assert "likeliest type" in done.out
    assert f"{everything.inside.value:.1%}" in done.out
    assert card.similar is None
    assert "has no reference bank" in done.err
    assert f"Written to {pair / CARD}" in done.err


def test_with_a_reference_bank_the_nearest_cases_are_measured_too(
    run_command: RunCommand, pair: Path, data_root: Path, outlines: Path
) -> None:
    features = np.random.default_rng(0).random((5, 512)).astype(np.float32)
    cases = pd.DataFrame({name: list("abcde") for name in ("image_id", "lesion_id", "confirmation", "camera")})
    sha256 = save_reference(pair, ReferenceBank(features, cases.assign(diagnosis=["mel", "nv", "nv", "bcc", "df"])))
    write_card(pair, read_card(pair).model_copy(update={"reference_sha256": sha256}))
    done = measured(run_command, pair, data_root, outlines)
    similar = read_card(pair).similar
    assert done.code == 0
    assert similar
    assert (similar.reference_sha256, similar.nearest.cases) == (sha256, 5)
    assert "nearest of 5 cases" in done.out
    assert f"{similar.nearest.type_by_chance:.1%}" in done.out


def test_missing_outlines_are_named_before_any_work(
    run_command: RunCommand, pair: Path, data_root: Path, tmp_path: Path
) -> None:
    done = measured(run_command, pair, data_root, tmp_path)
    assert done.code == 2
    assert f"{tmp_path} holds no outline of" in done.err
    assert "--masks" in done.err
    assert read_card(pair).activation is None


def test_a_table_without_validation_photos_is_refused(
    run_command: RunCommand, pair: Path, data_root: Path, outlines: Path, tmp_path: Path
) -> None:
    photos = read_table(data_root / "table.parquet")
    other = tmp_path / "other.parquet"
    photos[photos["split"] != "validation"].to_parquet(other)
    done = run_command("evidence", pair, "--table", other, "--masks", outlines, "--data", data_root)
    assert done.code == 2
    assert "no labelled photo in the split validation" in done.err
