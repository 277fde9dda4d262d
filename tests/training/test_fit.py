import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from skinapp.datasets.files import ignore_progress
from skinapp.datasets.table import build_image_table, read_table, write_table
from skinapp.errors import DatasetError, ModelError, RecipeError
from skinapp.files import compute_sha256
from skinapp.models.card import (
    CARD,
    RECIPE,
    Card,
    CardFigure,
    OperatingPoint,
    Task,
    read_card,
    read_training,
    write_card,
)
from skinapp.models.folder import CURVES, WEIGHTS
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, normalise, to_tensor
from skinapp.networks.resnet import HeadedResNet, read_safetensors
from skinapp.photo import read_photo_file
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, MALIGNANT_CODES
from skinapp.training.answers import write_answers
from skinapp.training.batches import compute_photo_weights, load_validation_batches
from skinapp.training.calibrate import compute_prior_offsets, fit_temperature
from skinapp.training.checkpoints import name_checkpoint_folder
from skinapp.training.fit import recalibrate, train
from skinapp.training.initial import build_network
from skinapp.training.network import compute_validation_figures
from skinapp.training.recipe import read_recipe
from skinapp.training.resume import discard_checkpoints
from skinapp.training.trainer import TrainingContext

WriteRecipe = Callable[..., Path]

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Name a folder for checkpoints, which are large and go when the tests are done."""
    root = tmp_path_factory.mktemp("checkpoints")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, write_recipe: WriteRecipe, data_root: Path, checkpoints: Path
) -> Card:
    """Train a small model in one go and return its card."""
    recipe = write_recipe(tmp_path_factory.mktemp("whole") / "small" / RECIPE)
    return train(recipe, TrainingContext(data_root, None, checkpoints / "whole"))


@pytest.fixture(scope="module")
def folder(trained: Card, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the model folder of the small model."""
    return next(tmp_path_factory.getbasetemp().glob(f"whole*/{trained.id}"))


def validation_logits(folder: Path, data_root: Path, task: Task = "malignancy") -> tuple[np.ndarray, np.ndarray]:
    """Return what a head of a model folder's network says of the validation split, and what is true."""
    model, recipe = load_model(folder), read_recipe(folder / RECIPE)
    table = read_table(data_root / "table.parquet")
    part = table[table["split"] == "validation"].reset_index(drop=True)
    photos, classes = next(iter(load_validation_batches(part, data_root, recipe, ignore_progress)))
    with torch.inference_mode():
        logits = model.network(normalise(photos, recipe.input))[task].numpy()
    return logits, classes[:, list(recipe.heads).index(task)].numpy()


def test_a_training_leaves_a_whole_model_folder(folder: Path, trained: Card) -> None:
    assert {file.name for file in folder.iterdir()} == {RECIPE, CARD, WEIGHTS, CURVES}
    assert load_model(folder).card == trained
    assert trained.weights_sha256 == compute_sha256(folder / WEIGHTS)


def test_the_card_says_what_it_was_trained_on(folder: Path, trained: Card, data_root: Path) -> None:
    table = read_table(data_root / "table.parquet")
    assert trained.id == "small"
    assert trained.training.recipe_sha256 == compute_sha256(folder / RECIPE)
    assert trained.data.table_sha256 == compute_sha256(data_root / "table.parquet")
    assert trained.data.sources == ("made up",)
    for name, photos, lesions in (("train", 24, 12), ("validation", 8, 4)):
        facts = getattr(trained.data, name)
        share = table.loc[table["split"] == name, "malignant"].mean()
        assert (facts.photos, facts.lesions, facts.malignant_share) == (photos, lesions, pytest.approx(share))
    assert trained.head("malignancy").classes == ("malignant", "benign")
    assert trained.preprocessing == read_recipe(folder / RECIPE).input
    assert trained.initial.sha256 is None
    (head,) = trained.heads
    malignant = table.loc[table["split"] == "train", "malignant"].mean()
    assert head.shares == pytest.approx([malignant, 1 - malignant])
    assert head.offsets == ()  # this recipe undoes nothing
    assert trained.rounding is not None
    assert 0 <= trained.rounding < 0.01


def test_curves_and_card_tell_of_the_same_epochs(folder: Path, trained: Card) -> None:
    curves = pd.read_csv(folder / CURVES)
    names = ("loss", "accuracy", "balanced_accuracy", "macro_f1", "macro_auroc")
    figures = [f"validation_{name}" for name in names]
    assert list(curves.columns) == ["epoch", "train_loss", *figures]
    assert curves["epoch"].tolist() == [1, 2, 3]
    assert curves.notna().to_numpy().all()
    assert trained.training.epochs == 3
    assert trained.training.best_epoch == curves["validation_loss"].argmin() + 1
    assert trained.training.best_value == pytest.approx(curves["validation_loss"].min(), abs=1e-5)


def test_the_weights_are_those_of_the_best_epoch(folder: Path, trained: Card, data_root: Path) -> None:
    figures = compute_validation_figures(*validation_logits(folder, data_root))
    # Trained in bf16 where the hardware has it, stored in fp16: near, not equal.
    assert figures["loss"] == pytest.approx(trained.training.best_value, abs=0.03)


def test_the_temperature_is_fitted_on_the_weights_as_they_ship(folder: Path, trained: Card, data_root: Path) -> None:
    temperature = fit_temperature(*validation_logits(folder, data_root))
    assert trained.head("malignancy").temperature == pytest.approx(temperature, rel=1e-3)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """Copy the small model's folder, its recipe undoing the sampling."""
    copy = Path(shutil.copytree(folder, tmp_path / folder.name))
    with (copy / RECIPE).open("a") as recipe:
        recipe.write("\n[calibration]\nundo_sampling = 1.0\n")
    return copy


def test_calibrated_anew_only_what_the_scores_mean_has_changed(
    folder: Path, copied: Path, trained: Card, data_root: Path, tmp_path: Path
) -> None:
    card = recalibrate(copied, TrainingContext(data_root, None, tmp_path / "no checkpoints"))
    assert card == read_card(copied)
    assert (copied / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    assert card.training.recipe_sha256 == compute_sha256(copied / RECIPE) != trained.training.recipe_sha256
    table, recipe = read_table(data_root / "table.parquet"), read_recipe(copied / RECIPE)
    part = table[table["split"] == "train"].reset_index(drop=True)
    malignant = compute_photo_weights(part, recipe)[part["malignant"].to_numpy(bool)].sum()
    (head,) = card.heads
    assert head.shares == trained.heads[0].shares
    assert head.offsets == pytest.approx(
        compute_prior_offsets(np.array(head.shares), np.array([malignant, 1 - malignant]), undo=1)
    )
    expected = fit_temperature(*validation_logits(copied, data_root), np.array(head.offsets))
    assert head.temperature == pytest.approx(expected, rel=1e-3)
    left = {"heads": trained.heads, "training": trained.training}
    assert card.model_copy(update=left) == trained


def test_calibrated_anew_points_and_figures_of_the_old_scores_are_gone(
    copied: Path, trained: Card, data_root: Path, tmp_path: Path
) -> None:
    figure = CardFigure(
        task="malignancy",
        run="r",
        split="test",
        metric="ece",
        value=0.02,
        photos=8,
        lesions=4,
    )
    points = (OperatingPoint(sensitivity=0.95, threshold=0.2),)
    write_card(copied, trained.model_copy(update={"figures": (figure,), "operating_points": points}))
    card = recalibrate(copied, TrainingContext(data_root, None, tmp_path))
    assert (card.figures, card.operating_points) == ((), ())


def test_a_recipe_that_a_model_was_not_trained_by_does_not_calibrate_it(
    copied: Path, trained: Card, data_root: Path, tmp_path: Path
) -> None:
    recipe = copied / RECIPE
    recipe.write_text(recipe.read_text().replace("resize_px = 36", "resize_px = 40"))
    with pytest.raises(RecipeError, match=r"differs from its card in input\."):
        recalibrate(copied, TrainingContext(data_root, None, tmp_path))
    assert read_card(copied) == trained


@pytest.fixture(scope="module")
def pair_folder(
    tmp_path_factory: pytest.TempPathFactory, write_recipe: WriteRecipe, data_root: Path, checkpoints: Path
) -> Path:
    """Train a small pair of heads, all the new knobs in use, and return its folder."""
    recipe = write_recipe(
        tmp_path_factory.mktemp("pair") / "both" / RECIPE,
        ('role = "malignancy"', 'role = "both"'),
        ('architecture = "resnet18"', 'architecture = "resnet18"\ndropout = 0.3'),
        ("hue = 0", "hue = 0\ncast = 0.1\nany_turn = true\ncoarse = 0.3\ngrey_world = 0.2"),
        ("balance_exponent = 0.5", "balance_exponent = 0.5\nlogit_adjustment = 0.5"),
        ('monitor = "loss"', 'mixup = 0.2\nmonitor = "mean_auroc"\n\n[calibration]\nundo_sampling = 1.0'),
    )
    train(recipe, TrainingContext(data_root, None, checkpoints / "pair", workers=0))
    return recipe.parent


def test_where_the_last_epoch_is_kept_its_figure_is_told(
    write_recipe: WriteRecipe, tmp_path: Path, data_root: Path
) -> None:
    recipe = write_recipe(
        tmp_path / "last" / "recipe.toml", ("epochs = 3", 'epochs = 3\nkeep = "last"'), ("= 1e-3", "= 0.01")
    )
    card = train(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0))
    losses = pd.read_csv(recipe.parent / CURVES)["validation_loss"]
    assert losses.argmin() != len(losses) - 1, "with these settings the last epoch is not the best one"
    assert card.training.best_epoch == 3
    assert card.training.best_value == pytest.approx(losses.iloc[-1], abs=1e-5)


def test_a_pair_has_two_heads_and_is_monitored_by_both(pair_folder: Path) -> None:
    card = read_card(pair_folder)
    assert card.role == "both"
    assert [(head.name, head.classes) for head in card.heads] == [
        ("malignancy", MALIGNANCY_CLASSES),
        ("lesion_type", CODES),
    ]
    curves = pd.read_csv(pair_folder / CURVES)
    mean = curves[["validation_macro_auroc", "validation_malignancy_auroc"]].mean(axis=1)
    assert curves["validation_mean_auroc"].to_numpy() == pytest.approx(mean.to_numpy(), abs=2e-5)
    assert card.training.best_value == pytest.approx(mean.max(), abs=2e-5)
    assert card.rounding is not None
    assert 0 <= card.rounding < 0.01


def test_a_pair_s_offsets_lead_from_the_shares_drawn_to_the_table_s(pair_folder: Path, data_root: Path) -> None:
    table, recipe = read_table(data_root / "table.parquet"), read_recipe(pair_folder / RECIPE)
    part = table[table["split"] == "train"].reset_index(drop=True)
    weights = pd.Series(compute_photo_weights(part, recipe))
    for head in read_card(pair_folder).heads:
        truth = part["malignant"].map({True: "malignant", False: "benign"})
        truth = truth if head.name == "malignancy" else part["diagnosis"]
        natural = truth.value_counts(normalize=True)[list(head.classes)].to_numpy(float)
        drawn = weights.groupby(truth.to_numpy()).sum()[list(head.classes)].to_numpy(float)
        assert sum(head.shares) == pytest.approx(1)
        assert head.shares == pytest.approx(natural)
        assert head.offsets == pytest.approx(compute_prior_offsets(natural, drawn, 1, 0.5))
        assert (np.ptp(head.offsets) > 0.1) == (head.name == "lesion_type")  # half of the photos are malignant
        logits, classes = validation_logits(pair_folder, data_root, head.name)
        expected = fit_temperature(logits, classes, np.array(head.offsets))
        assert head.temperature == pytest.approx(expected, rel=1e-3)


def test_a_trained_pair_agrees_with_itself(pair_folder: Path, data_root: Path) -> None:
    classifier = Classifier(load_model(pair_folder), Device("cpu", "CPU"))
    files = sorted((data_root / "photos").iterdir())[:12]
    settings = classifier.card.preprocessing
    photos = [crop_for_network(read_photo_file(file), settings) for file in files]
    malignancy, types = classifier.predict(to_tensor(photos, settings))
    malignant = types[:, [CODES.index(code) for code in MALIGNANT_CODES]].sum(axis=1)
    np.testing.assert_allclose(malignant, malignancy[:, 0], atol=1e-12)


def test_scores_are_meant_for_the_own_table_s_shares_not_the_borrowed_photos(
    tmp_path: Path, write_recipe: WriteRecipe, data_root: Path
) -> None:
    table = read_table(data_root / "table.parquet")
    borrowed = table.assign(image_id="b" + table["image_id"], lesion_id="b" + table["lesion_id"], sha256=pd.NA)
    write_table(borrowed[borrowed["diagnosis"] == "mel"], tmp_path / "borrowed.parquet")
    extra = f'[[data.extra]]\ntable = "{(tmp_path / "borrowed.parquet").as_posix()}"\n\n[network]'
    recipe = write_recipe(
        tmp_path / "small" / RECIPE,
        ("[network]", extra),
        ("epochs = 3", "epochs = 1"),
        ('monitor = "loss"', 'monitor = "loss"\n\n[calibration]\nundo_sampling = 1.0'),
    )
    card = train(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0))
    own = table[table["split"] == "train"]
    malignant, more = own["malignant"].mean(), (table["diagnosis"] == "mel").sum()
    assert card.data.train.photos == len(own) + more
    (other,) = card.data.others
    assert (other.table, other.sha256) == ("borrowed", compute_sha256(tmp_path / "borrowed.parquet"))
    (head,) = card.heads
    assert head.shares == pytest.approx([malignant, 1 - malignant])
    counts = np.array([own["malignant"].sum() + more, (~own["malignant"]).sum()]) ** 0.5
    assert head.offsets == pytest.approx(compute_prior_offsets(np.array(head.shares), counts / counts.sum(), 1))


def test_a_class_that_is_never_seen_is_named_before_anything_is_read(
    tmp_path: Path, write_recipe: WriteRecipe, data_root: Path
) -> None:
    table = read_table(data_root / "table.parquet")
    write_table(table[table["diagnosis"] != "scc"], tmp_path / "table.parquet")
    recipe = write_recipe(
        tmp_path / "small" / RECIPE,
        ((data_root / "table.parquet").as_posix(), (tmp_path / "table.parquet").as_posix()),
        ('role = "malignancy"', 'role = "both"'),
        ("balance_exponent = 0.5", "logit_adjustment = 1.0"),
    )
    with pytest.raises(DatasetError, match="no training photo of scc"):
        train(recipe, TrainingContext(tmp_path / "no photos here", None, tmp_path / "checkpoints"))


def test_checkpoints_hold_nothing_but_data(trained: Card, checkpoints: Path) -> None:
    files = sorted((checkpoints / "whole").iterdir())
    assert [file.name for file in files] == ["best.ckpt", "last.ckpt"]
    for file in files:
        assert torch.load(file, weights_only=True, map_location="cpu")["state_dict"]


def test_what_is_kept_is_the_average_of_the_weights(trained: Card, checkpoints: Path) -> None:
    last = torch.load(checkpoints / "whole" / "last.ckpt", weights_only=True)
    name = "network.trunk.conv1.weight"
    kept, newest = last["state_dict"][name], last["current_model_state"][name]
    assert 0 < (kept - newest).abs().max() < 0.01


def test_trained_again_a_finished_model_stays_as_it_is(
    folder: Path, trained: Card, data_root: Path, checkpoints: Path
) -> None:
    again = train(folder / RECIPE, TrainingContext(data_root, None, checkpoints / "whole", workers=0))
    finished = again.training.model_copy(update={"finished": trained.training.finished})
    assert again.model_copy(update={"training": finished}) == trained


def test_what_is_saved_is_the_best_checkpoint(
    folder: Path, trained: Card, data_root: Path, checkpoints: Path, tmp_path: Path
) -> None:
    best, bias = checkpoints / "whole" / "best.ckpt", "heads.malignancy.bias"
    kept = best.read_bytes()
    checkpoint = torch.load(best, weights_only=True)
    checkpoint["state_dict"][f"network.{bias}"] += 1
    torch.save(checkpoint, best)
    recipe = tmp_path / "small" / RECIPE
    recipe.parent.mkdir()
    shutil.copy(folder / RECIPE, recipe)
    try:
        train(recipe, TrainingContext(data_root, None, checkpoints / "whole", workers=0))
    finally:
        best.write_bytes(kept)
    moved = read_safetensors(recipe.parent / WEIGHTS)[bias] - read_safetensors(folder / WEIGHTS)[bias]
    assert moved.tolist() == pytest.approx([1, 1], abs=0.01)


class BrokenOffError(Exception):
    """Stands for a kill: it ends a training at once."""


def break_off_in_epoch_2(sentence: str) -> None:
    if sentence.startswith("epoch 2,"):  # said before the checkpoints of that epoch are written
        raise BrokenOffError


def test_a_training_that_broke_off_ends_in_the_same_weights(
    pair_folder: Path, data_root: Path, checkpoints: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "both" / RECIPE
    recipe.parent.mkdir()
    shutil.copy(pair_folder / RECIPE, recipe)
    before, place = checkpoints / "before", checkpoints / "moved"
    with pytest.raises(BrokenOffError):
        train(recipe, TrainingContext(data_root, None, before, workers=0, say=break_off_in_epoch_2))
    assert not (recipe.parent / CARD).exists()
    assert len(torch.load(before / "last.ckpt", weights_only=True)["curves"]) == 1
    before.rename(place)

    messages: list[str] = []
    card = train(recipe, TrainingContext(data_root, None, place, workers=1, say=messages.append))
    assert messages[-1].startswith("epoch 3, train_loss ")
    assert (recipe.parent / CURVES).read_text() == (pair_folder / CURVES).read_text()
    weights, expected = (read_safetensors(folder / WEIGHTS) for folder in (recipe.parent, pair_folder))
    assert all(torch.equal(weights[name], values) for name, values in expected.items())
    assert (card.heads, card.training.best_epoch) == (
        read_card(pair_folder).heads,
        read_training(pair_folder / CARD).best_epoch,
    )


def test_a_damaged_last_checkpoint_is_said_and_the_best_can_be_gone_on_from(
    pair_folder: Path, data_root: Path, checkpoints: Path, tmp_path: Path
) -> None:
    recipe, place = tmp_path / "both" / RECIPE, checkpoints / "damaged"
    recipe.parent.mkdir()
    shutil.copy(pair_folder / RECIPE, recipe)
    shutil.copytree(checkpoints / "pair", place)
    last = place / "last.ckpt"
    last.write_bytes(last.read_bytes()[:100_000])
    with pytest.raises(
        ModelError, match=r"last\.ckpt is damaged .*Go on from the best epoch, best\.ckpt, with --resume"
    ):
        train(recipe, TrainingContext(data_root, None, place, workers=0))
    card = train(recipe, TrainingContext(data_root, None, place, workers=0, resume="best"))
    assert card.weights_sha256 == read_card(pair_folder).weights_sha256
    discard_checkpoints(place)
    assert not list(place.iterdir())


def test_what_a_model_cannot_have_is_said_before_the_training(
    tmp_path: Path, write_recipe: WriteRecipe, data_root: Path
) -> None:
    context = TrainingContext(tmp_path / "no photos here", None, tmp_path / "taken" / "checkpoints")
    (tmp_path / "taken").touch()
    with pytest.raises(ModelError, match=r"Nothing can be written to .*checkpoints \(Not a directory\)"):
        train(write_recipe(tmp_path / "small" / RECIPE), context)
    with pytest.raises(ModelError, match="cannot name a model"):
        train(write_recipe(tmp_path / "a\nb" / RECIPE), context)
    wart = ('.parquet"\n', '.parquet"\nclasses = ["mel", "wart"]\n')
    with pytest.raises(RecipeError, match=r"data\.classes has wart, but a model's lesion types are akiec, bcc"):
        train(write_recipe(tmp_path / "wart" / RECIPE, ('"malignancy"', '"lesion_type"'), wart), context)


def test_a_card_without_a_seal_is_made_anew_by_calibration(
    copied: Path, trained: Card, data_root: Path, tmp_path: Path
) -> None:
    card = json.loads((copied / CARD).read_text())
    del card["seal"]
    (copied / CARD).write_text(json.dumps(card))
    with pytest.raises(ModelError, match="has no seal"):
        read_card(copied)
    recalibrate(copied, TrainingContext(data_root, None, tmp_path))
    assert read_card(copied).weights_sha256 == trained.weights_sha256


def test_a_changed_recipe_or_table_starts_anew(tmp_path: Path, write_recipe: WriteRecipe, data_root: Path) -> None:
    table = tmp_path / "table.parquet"
    shutil.copy(data_root / "table.parquet", table)
    here = (str((data_root / "table.parquet").as_posix()), table.as_posix())
    recipe = write_recipe(tmp_path / "small" / RECIPE, here)
    first = name_checkpoint_folder(recipe, tmp_path, None)
    assert first == name_checkpoint_folder(recipe, tmp_path, None)
    assert first.name.startswith("small-")
    write_recipe(recipe, here, ("seed = 7", "seed = 8"))
    second = name_checkpoint_folder(recipe, tmp_path, None)
    write_table(read_table(table).head(30), table)
    assert len({first, second, name_checkpoint_folder(recipe, tmp_path, None)}) == 3


def test_a_changed_table_that_is_borrowed_from_starts_anew(
    tmp_path: Path, write_recipe: WriteRecipe, data_root: Path
) -> None:
    other = tmp_path / "other.parquet"
    shutil.copy(data_root / "table.parquet", other)
    extra = f'[[data.extra]]\ntable = "{other.as_posix()}"\n\n[network]'
    recipe = write_recipe(tmp_path / "small" / RECIPE, ("[network]", extra))
    first = name_checkpoint_folder(recipe, tmp_path, None)
    write_table(read_table(other).head(30), other)
    assert first != name_checkpoint_folder(recipe, tmp_path, None)


def test_changed_initial_weights_start_anew(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    architecture = 'architecture = "resnet18"'
    recipe = write_recipe(
        tmp_path / "small" / RECIPE, (architecture, f'{architecture}\ninitial_weights = "a.safetensors"')
    )
    folders = []
    for content in (b"one", b"other"):
        (recipe.parent / "a.safetensors").write_bytes(content)
        folders.append(name_checkpoint_folder(recipe, tmp_path, None))
    assert folders[0] != folders[1]


def test_heads_are_random_by_the_seed_alone(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    recipe = read_recipe(write_recipe(tmp_path / RECIPE))
    other = recipe.model_copy(update={"seed": 8})
    once, again, different = (
        build_network(r, tmp_path, None)[0].state_dict()["heads.malignancy.weight"] for r in (recipe, recipe, other)
    )
    assert torch.equal(once, again)
    assert not torch.equal(once, different)


@pytest.mark.parametrize("beside", [True, False])
def test_initial_weights_lie_beside_the_recipe_or_in_a_named_folder(
    tmp_path: Path, write_recipe: WriteRecipe, beside: bool
) -> None:
    architecture = 'architecture = "resnet18"'
    path = write_recipe(
        tmp_path / "small" / RECIPE, (architecture, f'{architecture}\ninitial_weights = "a.safetensors"')
    )
    file = (path.parent if beside else tmp_path / "weights") / "a.safetensors"
    file.parent.mkdir(exist_ok=True)
    save_file(HeadedResNet("resnet18", {"lesion_type": 8}).state_dict(), file)
    network, initial = build_network(read_recipe(path), path.parent, None if beside else file.parent)
    assert (initial.name, initial.sha256) == ("a.safetensors", compute_sha256(file))
    assert torch.equal(network.state_dict()["trunk.conv1.weight"], read_safetensors(file)["trunk.conv1.weight"])


def test_missing_initial_weights_name_the_folders(tmp_path: Path, write_recipe: WriteRecipe, data_root: Path) -> None:
    architecture = 'architecture = "resnet18"'
    path = write_recipe(
        tmp_path / "small" / RECIPE, (architecture, f'{architecture}\ninitial_weights = "a.safetensors"')
    )
    context = TrainingContext(data_root, tmp_path / "weights", tmp_path / "checkpoints")
    with pytest.raises(ModelError, match=r"a\.safetensors are in none of .*small, .*weights\. Name their folder"):
        train(path, context)


TOLD = """
[distillation]
answers = "answers.parquet"

[[data.extra]]
table = "{other}"
untyped = true

[network]"""


@pytest.fixture
def student(tmp_path: Path, write_recipe: WriteRecipe, data_root: Path, make_model: Callable[..., Path]) -> Path:
    """Write a recipe with its teacher's heads and stored answers, photos without a type and growing crops."""
    table = read_table(data_root / "table.parquet")
    kept = table[table["split"] == "test"]
    more = kept.assign(
        image_id="b" + kept["image_id"], lesion_id="b" + kept["lesion_id"], sha256="b" + kept["sha256"], diagnosis=pd.NA
    )
    write_table(more, tmp_path / "other.parquet")
    first = make_model(tmp_path / "first", "both", seed=6)
    (tmp_path / "student").mkdir()
    write_answers(
        Classifier(load_model(first), Device("cpu", "CPU")),
        table[table["split"] == "train"],
        tmp_path / "student" / "answers.parquet",
        data_root,
        ignore_progress,
    )
    architecture = 'architecture = "resnet18"'
    return write_recipe(
        tmp_path / "student" / RECIPE,
        ('"malignancy"', '"both"'),
        ("[network]", TOLD.format(other=(tmp_path / "other.parquet").as_posix())),
        (architecture, f'{architecture}\ninitial_weights = "../first/model.safetensors"\ninitial_heads = true'),
        ("hue = 0", "hue = 0\ncrop_px = 24\n[[augmentation.stages]]\nfrom_epoch = 2\ncrop_px = 32"),
    )


def test_a_student_begins_with_its_teacher_s_heads_and_its_card_names_the_teacher(
    student: Path, data_root: Path, tmp_path: Path
) -> None:
    first = load_model(tmp_path / "first")
    network, _ = build_network(read_recipe(student), student.parent, None)
    assert torch.equal(network.heads["lesion_type"].weight, first.network.heads["lesion_type"].weight)
    said: list[str] = []
    card = train(student, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0, say=said.append))
    table = read_table(data_root / "table.parquet")
    answered, more = (table["split"] == "train").sum(), (table["split"] == "test").sum()
    assert card.data.train.photos == answered + more
    assert f"first answered {answered} of {answered + more} training photos" in said
    assert [(each.name, each.sha256) for each in card.teachers] == [("first", first.card.weights_sha256)]


def test_an_interrupted_student_goes_on_as_if_it_had_not_been(student: Path, data_root: Path, tmp_path: Path) -> None:
    whole = train(student, TrainingContext(data_root, None, tmp_path / "whole", workers=0))
    with pytest.raises(BrokenOffError):
        train(student, TrainingContext(data_root, None, tmp_path / "stopped", workers=0, say=break_off_in_epoch_2))
    again = train(student, TrainingContext(data_root, None, tmp_path / "stopped", workers=0))
    assert again.weights_sha256 == whole.weights_sha256


def test_answers_on_other_photos_or_none_are_said_before_anything_is_read(
    student: Path, data_root: Path, tmp_path: Path
) -> None:
    file = student.parent / "answers.parquet"
    first = name_checkpoint_folder(student, tmp_path, None)
    table = pq.read_table(file)
    strange = table.set_column(1, "sha256", pa.array([f"x{row}" for row in range(len(table))]))
    pq.write_table(strange, file)
    assert first != name_checkpoint_folder(student, tmp_path, None)
    context = TrainingContext(tmp_path / "no photos here", None, tmp_path / "checkpoints")
    with pytest.raises(RecipeError, match="has none of the training photos"):
        train(student, context)
    file.unlink()
    with pytest.raises(ModelError, match="no stored answers at"):
        train(student, context)


@pytest.mark.parametrize("case", ["unsplit", "one class"])
def test_a_table_that_cannot_be_trained_on(
    tmp_path: Path, write_recipe: WriteRecipe, data_root: Path, case: str
) -> None:
    table = read_table(data_root / "table.parquet")
    spoilt = table.drop(columns="split") if case == "unsplit" else table[table["malignant"]]
    write_table(build_image_table(spoilt), tmp_path / "table.parquet")
    here = ((data_root / "table.parquet").as_posix(), (tmp_path / "table.parquet").as_posix())
    recipe = write_recipe(tmp_path / "small" / RECIPE, here)
    with pytest.raises(DatasetError, match="no train photos of two classes"):
        train(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints"))
