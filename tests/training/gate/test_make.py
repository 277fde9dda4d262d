import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from skinapp.cli.main import app
from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import TABLES, read_table
from skinapp.errors import DatasetError, ModelError
from skinapp.inference.scope_file import load_gate
from skinapp.models.card import RECIPE, Card, Preprocessing, read_card
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import choose_evidence, load_model
from skinapp.networks.preprocess import to_tensor
from skinapp.networks.reference import load_reference
from skinapp.training.average import average
from skinapp.training.gate import extract, fit, groups, make
from skinapp.training.gate.groups import collect_groups
from skinapp.training.gate.make import make_gate, measure_gate

HERE = Preprocessing(resize_px=32, input_px=32)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, draw_picture: Callable[..., None]) -> Path:
    """Make a data root with pictures under the names of a few real photos, and one kind that is out of scope."""
    root = tmp_path_factory.mktemp("root")
    ham, isic2020 = read_table(TABLES / "ham10000.parquet"), read_table(TABLES / "isic2020.parquet")
    train = ham[ham["split"] == "train"].drop_duplicates("lesion_id").head(30)
    validation = ham[ham["split"] == "validation"].head(12)
    for seed, path in enumerate(pd.concat([train, validation, isic2020.head(40)])["path"]):
        draw_picture(root / path, seed)
    for image_id in train["image_id"].head(4):
        draw_picture(root / "ham10000" / "masks" / f"{image_id}.png", 1)
    for seed in range(3):
        draw_picture(root / "out-of-scope" / "vehicle" / f"{seed}.jpg", seed)
        draw_picture(root / "out-of-scope" / "texture" / f"{seed}.jpg", seed)
    draw_picture(root / "out-of-scope" / "hand-skin" / "1.jpg", 1)
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit on few pictures, in few directions."""
    monkeypatch.setattr(fit, "DIRECTIONS", 5)
    for name, value in {
        "CASES": 25,
        "FITTED_PHOTOS": 12,
        "MEASURED_PHOTOS": 5,
        "CHANGED_PHOTOS": 2,
        "DRAWN_FITTED": 2,
        "DRAWN_MEASURED": 2,
        "PASTED_LESIONS": 3,
    }.items():
        monkeypatch.setattr(groups, name, value)


def test_groups_are_what_the_data_root_has(root: Path) -> None:
    found = {(g.kind, g.inside, g.fitted): g.pictures for g in collect_groups(root, HERE) if g.kind != "hand-skin"}
    assert found["HAM10000", True, True] == 25
    assert found["HAM10000", True, False] == 12
    assert found["ISIC 2020", True, True] == 12
    assert found["ISIC 2020", True, False] == 5
    assert not any(kind == "MSK" for kind, _, _ in found)
    assert found["vehicle", False, False] == 3
    assert found["lesion pasted on drawn skin", False, True] == 3


def test_skin_without_a_dermatoscope_is_framed_closer_too(root: Path) -> None:
    whole, closer = (group for group in collect_groups(root, HERE) if group.kind == "hand-skin")
    assert (whole.pictures, closer.pictures) == (1, 4)
    assert (whole.drawn, closer.drawn) == (False, True)
    pictures = [view.tobytes() for group in (whole, closer) for view in group.views()]
    assert len(set(pictures)) == 5


def test_each_group_shows_as_many_pictures_as_it_says_and_the_same_again(root: Path) -> None:
    for group in collect_groups(root, HERE):
        views = list(group.views())
        assert len(views) == group.pictures, group.kind
        assert {view.shape for view in views} == {(32, 32, 3)}
        np.testing.assert_array_equal(views, list(group.views()))


def test_no_photo_is_fitted_on_and_measured(root: Path) -> None:
    parts: dict[bool, set[str]] = {True: set(), False: set()}
    for group in collect_groups(root, HERE):
        if group.photos is not None:
            parts[group.fitted] |= set(group.photos["lesion_id"].fillna(group.photos["image_id"]))
    assert parts[True]
    assert parts[False]
    assert not parts[True] & parts[False]


def test_a_root_without_ham10000_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="lacks HAM10000's photos"):
        collect_groups(tmp_path, HERE)


def test_a_gate_is_made_and_belongs_to_its_network(
    root: Path, tmp_path: Path, make_average: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_average(tmp_path / "average")
    before = read_card(folder)
    card = make_gate(folder, root, "fine", tmp_path / "cache", ignore_progress)
    assert read_card(folder) == card
    assert (before.evidence_network, card.evidence_network) == (None, "fine")
    assert card.model_copy(update={"evidence_network": None, "scope": None, "reference_sha256": None}) == before
    assert card.scope
    assert card.scope.network_sha256 == card.members[1].weights_sha256
    assert card.scope.fitted_outside["hand-skin"] == 5
    assert {row.kind for row in card.scope.refusals} >= {"HAM10000", "vehicle", "texture", "clouds (drawn)"}
    bank, gate = load_reference(folder, card), load_gate(folder, card)
    assert bank is not None
    assert gate is not None
    assert len(bank.cases) == 25
    # The bank's features and the gate's distances are those of the pass that answers.
    own = next(group for group in collect_groups(root, card.preprocessing) if group.fitted)
    seen = Classifier(load_model(folder), Device("cpu", "CPU")).observe(to_tensor(list(own.views()), HERE))
    np.testing.assert_allclose(bank.features, seen.features, atol=bank.features.max() / 255)
    assert bank.cases["image_id"].tolist() == own.photos["image_id"].tolist()  # type: ignore[index]
    # Looking again reads the cache alone.
    monkeypatch.setattr(extract, "_extract", None)
    assert measure_gate(folder, root, tmp_path / "cache", ignore_progress) == card.scope.refusals

    result = CliRunner().invoke(
        app, ["scope", str(folder), "--data", str(root), "--cache", str(tmp_path / "cache"), "--format", "json"]
    )
    assert result.exit_code == 0, result.output
    assert [row["kind"] for row in json.loads(result.stdout)] == [row.kind for row in card.scope.refusals]

    again = average(folder / RECIPE, next(iter(_find_table_root(folder))), ignore_progress)
    assert (again.evidence_network, again.scope, again.reference_sha256) == ("fine", card.scope, card.reference_sha256)


def _find_table_root(folder: Path) -> list[Path]:
    (line,) = (line for line in (folder / RECIPE).read_text().splitlines() if line.startswith("table"))
    return [Path(line.split('"')[1]).parent]


def test_averaging_other_weights_drops_the_gate(
    root: Path, tmp_path: Path, make_average: Callable[..., Path], make_model: Callable[..., Path]
) -> None:
    folder = make_average(tmp_path / "average")
    card = make_gate(folder, root, "fine", tmp_path / "cache", ignore_progress)
    member = read_card(folder / "members" / "fine")
    make_model(folder / "members" / "fine", "both", 7, data=member.data, preprocessing=member.preprocessing)
    again = average(folder / RECIPE, _find_table_root(folder)[0], ignore_progress)
    assert card.scope
    assert (again.evidence_network, again.scope, again.reference_sha256) == (None, None, None)


def test_nothing_is_written_where_fitting_fails(
    root: Path, tmp_path: Path, make_average: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_average(tmp_path / "average")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    monkeypatch.setattr(make, "measure_refusals", lambda *_: (_ for _ in ()).throw(DatasetError("stop")))
    with pytest.raises(DatasetError, match="stop"):
        make_gate(folder, root, None, tmp_path / "cache", ignore_progress)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert not list(folder.glob("*.partial"))


def test_evidence_must_be_a_member_with_every_task(tmp_path: Path, make_average: Callable[..., Path]) -> None:
    model = load_model(make_average(tmp_path / "average"))
    with pytest.raises(ModelError, match=r"coarse cannot be the evidence network of average.*members: deep, fine"):
        choose_evidence(model, "coarse")


def test_a_single_network_has_no_other_evidence(models: Path) -> None:
    with pytest.raises(ModelError, match="none, because it is a single network"):
        choose_evidence(load_model(models / "malignancy"), "malignancy")


def test_a_model_without_a_gate_says_how_to_fit_one(models: Path, root: Path, make_card: Callable[..., Card]) -> None:
    result = CliRunner().invoke(app, ["scope", str(models / "malignancy"), "--data", str(root)])
    assert isinstance(result.exception, ModelError)
    assert "skinapp gate malignancy" in str(result.exception)
