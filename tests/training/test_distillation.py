import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, rel_entr, softmax

from skinapp.errors import ModelError, RecipeError
from skinapp.models.card import read_card
from skinapp.models.folder import WEIGHTS
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import normalise
from skinapp.taxonomy import CODES
from skinapp.training.checkpoints import name_checkpoint_folder
from skinapp.training.distillation import Teachers, list_teacher_files, load_teachers
from skinapp.training.fit import train
from skinapp.training.initial import build_network
from skinapp.training.losses import compute_distance
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import read_recipe
from skinapp.training.trainer import TrainingContext

from .conftest import WriteRecipe

MakeModel = Callable[..., Path]

TAUGHT = '[distillation]\nteachers = ["malignancy", "pair"]\nweight = 0.25\ntemperature = 3.0\n\n[network]'
BOTH = ('role = "malignancy"', 'role = "both"')


@pytest.fixture
def recipe(tmp_path: Path, write_recipe: WriteRecipe, make_model: MakeModel) -> Path:
    """Write the recipe of a pair with two teachers beside it: of malignancy alone, and a pair."""
    make_model(tmp_path / "malignancy", "malignancy", seed=5)
    make_model(tmp_path / "pair", "both", seed=6)
    return write_recipe(tmp_path / "recipe.toml", BOTH, ("[network]", TAUGHT), ("epochs = 3", "epochs = 1"))


@pytest.fixture
def photos() -> torch.Tensor:
    return torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def make_teachers(recipe: Path) -> Teachers:
    teachers = load_teachers(read_recipe(recipe), recipe.parent)
    assert teachers is not None
    return teachers


def predict_logits(folder: Path, photos: torch.Tensor) -> dict[str, np.ndarray]:
    model = load_model(folder)
    with torch.no_grad():
        return {name: o.numpy() for name, o in model.network(normalise(photos, model.card.preprocessing)).items()}


def test_answers_are_the_mean_of_those_who_have_the_head(recipe: Path, photos: torch.Tensor) -> None:
    alone, pair = (predict_logits(recipe.parent / name, photos) for name in ("malignancy", "pair"))
    probabilities = make_teachers(recipe).predict(photos)
    both = [softmax(logits["malignancy"] / 3, axis=1) for logits in (alone, pair)]
    np.testing.assert_allclose(probabilities["malignancy"], np.mean(both, axis=0), atol=1e-6)
    np.testing.assert_allclose(probabilities["lesion_type"], softmax(pair["lesion_type"] / 3, axis=1), atol=1e-6)
    assert np.abs(both[0] - both[1]).max() > 0.01


def test_the_distance_is_the_divergence_from_the_answers_at_that_temperature(
    recipe: Path, photos: torch.Tensor
) -> None:
    random = np.random.default_rng(2)
    logits = {"malignancy": random.normal(size=(6, 2)), "lesion_type": random.normal(size=(6, 8))}
    teachers = make_teachers(recipe)
    answers = teachers.predict(photos)
    for task, of_head in logits.items():
        expected = rel_entr(answers[task].double().numpy(), softmax(of_head / 3, axis=1)).sum(axis=1) * 9
        distance = compute_distance(answers[task], torch.from_numpy(of_head), 3)
        np.testing.assert_allclose(distance, expected, rtol=1e-4)
        np.testing.assert_allclose(compute_distance(answers[task], 3 * answers[task].log(), 3), 0, atol=1e-5)


def test_labels_and_teachers_share_the_loss_where_the_teachers_are_right(recipe: Path, photos: torch.Tensor) -> None:
    read, teachers = read_recipe(recipe), make_teachers(recipe)
    module = TrainedNetwork(build_network(read, recipe.parent, None)[0], read, 4, teachers=teachers).eval()
    # Outside a trainer there is nobody to log to.
    module.log = lambda *arguments, **options: None  # type: ignore[method-assign]
    likeliest = {task: answer.argmax(1) for task, answer in teachers.predict(photos).items()}
    # Of three photos the label is what the teachers say, of three another class.
    right = np.array([True, True, False, True, False, False])
    classes = torch.stack(
        [(likeliest[task] + torch.from_numpy(~right)) % k for task, k in (("malignancy", 2), ("lesion_type", 8))], dim=1
    )
    with torch.no_grad():
        logits = module.compute_logits(photos)
        loss = float(module.training_step((photos, classes)))
        answers = teachers.predict(photos)
    of_heads = []
    for place, task in enumerate(logits):
        of_labels = -log_softmax(logits[task].numpy(), axis=1)[range(6), classes[:, place]]
        of_teachers = compute_distance(answers[task], logits[task], 3).numpy()
        of_heads.append(np.where(right, 0.75 * of_labels + 0.25 * of_teachers, of_labels).mean())
    assert loss == pytest.approx(np.mean(of_heads), abs=1e-4)
    assert not [name for name in module.state_dict() if "teacher" in name]


def test_a_card_says_who_was_learned_from_and_teachers_stay_as_they_are(
    recipe: Path, data_root: Path, tmp_path: Path
) -> None:
    before = [(tmp_path / name / WEIGHTS).read_bytes() for name in ("malignancy", "pair")]
    card = train(recipe, TrainingContext(data_root, None, tmp_path / "checkpoints", workers=0))
    assert [(each.name, each.sha256) for each in card.teachers] == [
        (name, read_card(tmp_path / name).weights_sha256) for name in ("malignancy", "pair")
    ]
    assert [(tmp_path / name / WEIGHTS).read_bytes() for name in ("malignancy", "pair")] == before


def test_another_teacher_of_the_name_starts_anew(recipe: Path, tmp_path: Path, make_model: MakeModel) -> None:
    first = name_checkpoint_folder(recipe, tmp_path, None)
    assert first == name_checkpoint_folder(recipe, tmp_path, None)
    make_model(tmp_path / "pair", "both", seed=7)
    assert first != name_checkpoint_folder(recipe, tmp_path, None)


def test_a_teacher_of_other_classes_or_none_is_refused(recipe: Path, tmp_path: Path, write_recipe: WriteRecipe) -> None:
    assert load_teachers(read_recipe(write_recipe(tmp_path / "plain" / "recipe.toml")), tmp_path) is None
    single = write_recipe(tmp_path / "single.toml", ("[network]", TAUGHT))
    with pytest.raises(RecipeError, match="The teacher pair has other lesion_type classes"):
        load_teachers(read_recipe(single), tmp_path)
    seven = ", ".join(f'"{code}"' for code in CODES if code != "scc")
    fewer = write_recipe(
        tmp_path / "fewer.toml", BOTH, ("[network]", TAUGHT), ('.parquet"', f'.parquet"\nclasses = [{seven}]')
    )
    with pytest.raises(RecipeError, match="The teacher pair has other lesion_type classes"):
        load_teachers(read_recipe(fewer), tmp_path)
    shutil.rmtree(tmp_path / "pair")
    with pytest.raises(ModelError, match=r"pair holds no card\.json"):
        load_teachers(read_recipe(recipe), tmp_path)
    with pytest.raises(ModelError, match=r"pair holds no card\.json"):
        name_checkpoint_folder(recipe, tmp_path, None)


@pytest.mark.parametrize("wrong", ['teachers = ["a"]\nweight = 0', 'teachers = ["a"]\ntemperature = 0'])
def test_a_wrong_distillation_is_named(tmp_path: Path, write_recipe: WriteRecipe, wrong: str) -> None:
    path = write_recipe(tmp_path / "recipe.toml", ("[network]", f"[distillation]\n{wrong}\n[network]"))
    with pytest.raises(RecipeError, match=r"distillation\.(teachers|weight|temperature): "):
        read_recipe(path)


def test_an_average_teaches_as_one(
    recipe: Path, tmp_path: Path, photos: torch.Tensor, make_average: Callable[[Path], Path]
) -> None:
    shutil.rmtree(tmp_path / "pair")
    folder = make_average(tmp_path / "pair")
    weights = [folder / "members" / name / WEIGHTS for name in ("deep", "fine")]
    assert list_teacher_files(read_recipe(recipe), tmp_path) == [tmp_path / "malignancy" / WEIGHTS, *weights]
    probabilities, expected = make_teachers(recipe).predict(photos), predict_logits(folder, photos)["lesion_type"]
    np.testing.assert_allclose(probabilities["lesion_type"], softmax(expected / 3, axis=1), atol=1e-6)
