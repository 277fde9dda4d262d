import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import HeadedResNet
from skinapp.training.network import TrainedNetwork, cosine_with_warmup, validation_figures
from skinapp.training.recipe import read_recipe

WriteRecipe = Callable[..., Path]


@pytest.fixture
def module(tmp_path: Path, write_recipe: WriteRecipe) -> TrainedNetwork:
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml", ("epochs = 3", "epochs = 3\nwarmup_epochs = 1")))
    return TrainedNetwork(HeadedResNet("resnet18", {"malignancy": 2}), recipe, steps_per_epoch=4)


def test_the_learning_rate_by_hand() -> None:
    factor = cosine_with_warmup(warmup_steps=4, steps=12)
    assert [factor(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [factor(step) for step in (4, 6, 8, 10, 12, 99)] == pytest.approx(
        [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0, 0]
    )


def test_without_warm_up_it_starts_at_the_top() -> None:
    assert cosine_with_warmup(0, 10)(0) == 1


def test_the_optimiser_steps_through_the_schedule(module: TrainedNetwork) -> None:
    configured: Any = module.configure_optimizers()
    optimiser, scheduler = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(12):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    factor = cosine_with_warmup(4, 12)
    assert rates == pytest.approx([1e-3 * factor(step) for step in range(12)])
    assert configured["lr_scheduler"]["interval"] == "step"


def test_biases_and_norms_do_not_decay(module: TrainedNetwork) -> None:
    configured: Any = module.configure_optimizers()
    decayed, plain = configured["optimizer"].param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.05, 0)
    assert all(weights.ndim > 1 for weights in decayed["params"])
    assert all(weights.ndim == 1 for weights in plain["params"])
    assert len(decayed["params"]) + len(plain["params"]) == len(list(module.network.parameters()))


def test_logits_are_those_of_the_normalised_photo(module: TrainedNetwork) -> None:
    module.eval()
    photos = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        expected = module.network(normalise(photos, module.recipe.input))["malignancy"]
        torch.testing.assert_close(module.logits(photos), expected)


@pytest.mark.parametrize("k", [2, 5])
def test_validation_figures_equal_scikit_learns(k: int) -> None:
    random = np.random.default_rng(k)
    classes = random.integers(k, size=200)
    logits = (random.normal(size=(200, k)) + np.eye(k)[classes]).astype(np.float32)
    scores = softmax(logits.astype(np.float64), axis=1)
    auroc = roc_auc_score(classes, scores[:, 1] if k == 2 else scores, multi_class="ovr", average="macro")
    assert validation_figures(logits, classes) == pytest.approx(
        {
            "loss": log_loss(classes, scores),
            "accuracy": accuracy_score(classes, scores.argmax(axis=1)),
            "balanced_accuracy": balanced_accuracy_score(classes, scores.argmax(axis=1)),
            "macro_f1": f1_score(classes, scores.argmax(axis=1), average="macro"),
            "macro_auroc": auroc,
        },
        abs=1e-6,
    )


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_absent_classes_are_left_out_of_the_mean() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(2, size=100)
    logits = random.normal(size=(100, 3)).astype(np.float32)
    aurocs = [roc_auc_score(classes == k, softmax(logits, axis=1)[:, k]) for k in (0, 1)]
    assert validation_figures(logits, classes)["macro_auroc"] == pytest.approx(np.mean(aurocs))
    assert math.isnan(validation_figures(logits, np.zeros(100, dtype=np.int64))["macro_auroc"])


def test_curves_travel_with_the_checkpoint(module: TrainedNetwork) -> None:
    checkpoint: dict[str, object] = {}
    module.curves.append({"epoch": 1.0, "train_loss": 0.5})
    module.on_save_checkpoint(checkpoint)
    fresh = TrainedNetwork(module.network, module.recipe, 4)
    fresh.on_load_checkpoint(checkpoint)
    assert fresh.curves == [{"epoch": 1.0, "train_loss": 0.5}]
