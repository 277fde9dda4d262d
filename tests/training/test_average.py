from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import get_true_labels, read_table
from skinapp.errors import DatasetError, ModelError, RecipeError
from skinapp.files import compute_sha256
from skinapp.inference.table import predict_files
from skinapp.models.card import RECIPE, DataFacts, Head, SplitFacts, TableFacts, read_card, write_card
from skinapp.models.folder import find_models, get_member_folder
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import read_photo_file
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES
from skinapp.training.average import average
from skinapp.training.calibrate import fit_temperature
from skinapp.training.facts import LIMITS
from skinapp.training.fit import recalibrate
from skinapp.training.trainer import TrainingContext

MakeModel = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, make_average: Callable[[Path], Path]) -> Path:
    return make_average(tmp_path / "models" / "pair")


def validation(data_root: Path) -> pd.DataFrame:
    return read_table(data_root / "table.parquet").query("split == 'validation'").reset_index(drop=True)


def test_the_card_says_what_was_averaged(folder: Path, data_root: Path) -> None:
    card = read_card(folder)
    members = [read_card(get_member_folder(folder, name)) for name in ("deep", "fine")]
    assert (card.id, card.role, [head.name for head in card.heads]) == ("pair", "both", ["malignancy", "lesion_type"])
    assert [network.name for network in card.networks] == ["deep", "fine"]
    assert [network.weights_sha256 for network in card.networks] == [member.weights_sha256 for member in members]
    assert card.networks[0].training == members[0].training
    assert card.training.recipe_sha256 == compute_sha256(folder / RECIPE)
    assert card.preprocessing == members[1].preprocessing
    assert card.data.table_sha256 == compute_sha256(data_root / "table.parquet")
    assert find_models(folder.parent) == (folder,)


def test_each_head_gets_the_temperature_of_the_validation_photos(folder: Path, data_root: Path) -> None:
    model, photos = load_model(folder), validation(data_root)
    views = [crop_for_network(read_photo_file(data_root / path), model.card.preprocessing) for path in photos["path"]]
    with torch.inference_mode():
        answers = model.network(to_tensor(views, model.card.preprocessing))
    for head in model.card.heads:
        logits, truth = answers[head.name].double().numpy(), get_true_labels(photos, head.name)
        expected = fit_temperature(logits, truth.map(head.classes.index).to_numpy())
        assert head.offsets == ()
        assert head.temperature == pytest.approx(expected, rel=1e-3)


def test_an_average_answers_like_any_model(folder: Path, data_root: Path) -> None:
    classifier = Classifier(load_model(folder), Device("cpu", "CPU"))
    files = [data_root / path for path in validation(data_root)["path"]]
    malignancy, types = predict_files(classifier, files, ignore_progress)
    assert (malignancy.shape, types.shape) == ((len(files), 2), (len(files), len(CODES)))
    np.testing.assert_allclose(types.sum(axis=1), 1)
    assert np.ptp(malignancy[:, 0]) > 0.01


def test_a_member_that_was_trained_or_calibrated_anew_is_noticed(folder: Path) -> None:
    member = get_member_folder(folder, "fine")
    card = read_card(member)
    heads = tuple(head.model_copy(update={"temperature": 9.0}) for head in card.heads)
    write_card(member, card.model_copy(update={"heads": heads}))
    with pytest.raises(ModelError, match=r"members of .* have changed.*`skinapp average"):
        load_model(folder)


def test_a_member_that_is_missing_is_named(folder: Path) -> None:
    (get_member_folder(folder, "fine") / "card.json").unlink()
    with pytest.raises(ModelError, match=r"fine holds no card\.json"):
        load_model(folder)


def test_an_average_is_not_calibrated_as_a_network_is(folder: Path, data_root: Path) -> None:
    with pytest.raises(ModelError, match=r"pair is an average\. Calibrate it with `skinapp average"):
        recalibrate(folder, TrainingContext(data_root, None, folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('members = ["deep"]', "members: Tuple should have at least 2"),
        ('members = ["deep", "deep"]', "each named once"),
        ('members = ["deep", "../pair"]', "each named once"),
        ('members = ["deep", "absent"]', "absent holds no card"),
        ('members = ["deep", "other-licence"]', "other-licence and .* have different licences"),
        ('members = ["deep", "other-validation"]', "other-validation was validated on other photos"),
        ('members = ["deep", "other-table"]', "other-table was trained on another table"),
        ('members = ["deep", "seven"]', "seven has other lesion_type classes"),
        ('members = ["deep", "inner"]', "inner is an average itself"),
    ],
)
def test_members_that_do_not_fit_are_named_and_the_card_stays(
    folder: Path,
    data_root: Path,
    make_model: MakeModel,
    make_average: Callable[[Path], Path],
    facts: DataFacts,
    change: str,
    message: str,
) -> None:
    before = read_card(folder)
    make_model(get_member_folder(folder, "other-table"), "both")
    make_model(get_member_folder(folder, "other-licence"), "both", data=facts, licence="not to be sold")
    others = facts.model_copy(update={"validation": facts.train})
    make_model(get_member_folder(folder, "other-validation"), "both", data=others)
    seven = Head(name="lesion_type", classes=CODES[:7])
    make_model(get_member_folder(folder, "seven"), "lesion_type", data=facts, heads=(seven,))
    make_average(get_member_folder(folder, "inner"))
    recipe = folder / RECIPE
    recipe.write_text(recipe.read_text().replace('members = ["deep", "fine"]', change))
    with pytest.raises((RecipeError, ModelError), match=message):
        average(recipe, data_root, ignore_progress)
    assert read_card(folder) == before


def test_a_table_that_is_not_there_is_said(folder: Path, data_root: Path) -> None:
    recipe = folder / RECIPE
    recipe.write_text(recipe.read_text().replace("table.parquet", "absent.parquet"))
    with pytest.raises(DatasetError, match=r"absent\.parquet"):
        average(recipe, data_root, ignore_progress)


def test_labels_that_members_do_not_know_are_named(
    tmp_path: Path, data_root: Path, make_model: MakeModel, facts: DataFacts
) -> None:
    strange = validation(data_root)["diagnosis"].iloc[0]
    known = tuple(code for code in CODES if code != strange)
    for name in ("one", "two"):
        heads = (Head(name="lesion_type", classes=known),)
        make_model(get_member_folder(tmp_path, name), "lesion_type", data=facts, heads=heads)
    recipe = tmp_path / RECIPE
    recipe.write_text(f'members = ["one", "two"]\ntable = "{(data_root / "table.parquet").as_posix()}"\n')
    with pytest.raises(RecipeError, match=rf"lesion_type labels that the members do not have: {strange}\."):
        average(recipe, data_root, ignore_progress)


def test_a_member_goes_by_the_name_of_its_folder(folder: Path, data_root: Path) -> None:
    get_member_folder(folder, "fine").rename(get_member_folder(folder, "moved"))
    recipe = folder / RECIPE
    recipe.write_text(recipe.read_text().replace("fine", "moved"))
    assert [network.name for network in average(recipe, data_root, ignore_progress).networks] == ["deep", "moved"]
    assert load_model(folder).card.id == "pair"


@pytest.mark.parametrize("kept", [True, False])
def test_scores_are_meant_for_the_shares_of_the_training_photos_if_all_members_are_meant_for_some(
    tmp_path: Path, data_root: Path, make_model: MakeModel, facts: DataFacts, kept: bool
) -> None:
    shares = {"one": (0.5, 0.5), "two": (0.5, 0.5) if kept else ()}
    for name, known in shares.items():
        head = Head(name="malignancy", classes=MALIGNANCY_CLASSES, shares=known)
        make_model(get_member_folder(tmp_path, name), data=facts, heads=(head,))
    recipe = tmp_path / RECIPE
    recipe.write_text(f'members = ["one", "two"]\ntable = "{(data_root / "table.parquet").as_posix()}"\n')
    (head,) = average(recipe, data_root, ignore_progress).heads
    malignant = read_table(data_root / "table.parquet").query("split == 'train'")["malignant"].mean()
    assert head.shares == (pytest.approx((malignant, 1 - malignant)) if kept else ())


def test_the_facts_are_those_of_the_member_that_learned_from_most(
    tmp_path: Path, data_root: Path, make_model: MakeModel, facts: DataFacts
) -> None:
    borrowed = TableFacts(table="borrowed", sha256="ab" * 32)
    more = SplitFacts(photos=999, lesions=99, malignant_share=0.25)
    rich = facts.model_copy(update={"train": more, "others": (borrowed,), "sources": ("another", "made up")})
    make_model(get_member_folder(tmp_path, "one"), data=facts)
    make_model(get_member_folder(tmp_path, "two"), data=rich)
    recipe = tmp_path / RECIPE
    recipe.write_text(f'members = ["one", "two"]\ntable = "{(data_root / "table.parquet").as_posix()}"\n')
    card = average(recipe, data_root, ignore_progress)
    assert (card.data.train, card.data.others, card.data.sources) == (more, (borrowed,), ("another", "made up"))
    assert card.data.limits == LIMITS != rich.limits
    assert [network.train for network in card.networks] == [facts.train, more]
