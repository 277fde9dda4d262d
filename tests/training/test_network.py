import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, rel_entr, softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import HeadedResNet
from skinapp.taxonomy import CODES, is_malignant
from skinapp.training.batches import UNTYPED
from skinapp.training.network import (
    TrainedNetwork,
    compute_head_figures,
    compute_logit_adjustments,
    compute_validation_figures,
    make_cosine_schedule,
)
from skinapp.training.recipe import Recipe, read_recipe

WriteRecipe = Callable[..., Path]


@pytest.fixture
def module(tmp_path: Path, write_recipe: WriteRecipe) -> TrainedNetwork:
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml", ("epochs = 3", "epochs = 3\nwarmup_epochs = 1")))
    return TrainedNetwork(HeadedResNet("resnet18", {"malignancy": 2}), recipe, steps_per_epoch=4)


BOTH = ('role = "malignancy"', 'role = "both"')
Batch = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture
def batch() -> Batch:
    """Make six photos with a class for each of two heads."""
    generator = torch.Generator().manual_seed(0)
    photos = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return photos, torch.tensor([[0, 0], [1, 5], [1, 2], [0, 4], [1, 7], [0, 6]])


def pair(path: Path, write_recipe: WriteRecipe, *changes: tuple[str, str]) -> Recipe:
    return read_recipe(write_recipe(path / "pair.toml", BOTH, *changes))


def make_module(recipe: Recipe, drawn: Any = None) -> TrainedNetwork:
    """Build the module of a recipe in eval mode, so that one batch always has the same logits."""
    torch.manual_seed(1)
    heads = {task: len(classes) for task, classes in recipe.heads.items()}
    module = TrainedNetwork(HeadedResNet("resnet18", heads), recipe, 4, drawn)
    # Outside a trainer there is nobody to log to.
    module.log = lambda *arguments, **options: None  # type: ignore[method-assign]
    return module.eval()


def cross_entropy(logits: torch.Tensor, classes: torch.Tensor) -> float:
    return float(-logits.log_softmax(1)[torch.arange(len(classes)), classes].mean())


def test_the_learning_rate_by_hand() -> None:
    factor = make_cosine_schedule(warmup_steps=4, steps=12)
    assert [factor(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [factor(step) for step in (4, 6, 8, 10, 12, 99)] == pytest.approx(
        [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0, 0]
    )


def test_without_warm_up_it_starts_at_the_top() -> None:
    assert make_cosine_schedule(0, 10)(0) == 1


def test_the_optimiser_steps_through_the_schedule(module: TrainedNetwork) -> None:
    configured: Any = module.configure_optimizers()
    optimiser, scheduler = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(12):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    factor = make_cosine_schedule(4, 12)
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
        torch.testing.assert_close(module.compute_logits(photos), {"malignancy": expected})


@pytest.mark.parametrize("k", [2, 5])
def test_validation_figures_equal_scikit_learns(k: int) -> None:
    random = np.random.default_rng(k)
    classes = random.integers(k, size=200)
    logits = (random.normal(size=(200, k)) + np.eye(k)[classes]).astype(np.float32)
    scores = softmax(logits.astype(np.float64), axis=1)
    auroc = roc_auc_score(classes, scores[:, 1] if k == 2 else scores, multi_class="ovr", average="macro")
    assert compute_validation_figures(logits, classes) == pytest.approx(
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
def test_macro_figures_average_over_the_classes_that_have_photos() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(2, size=100)
    logits = random.normal(size=(100, 3)).astype(np.float32)
    scores = softmax(logits, axis=1)
    predicted = scores.argmax(axis=1)
    assert 2 in predicted
    figures = compute_validation_figures(logits, classes)
    aurocs = [roc_auc_score(classes == k, scores[:, k]) for k in (0, 1)]
    assert figures["macro_auroc"] == pytest.approx(np.mean(aurocs))
    assert figures["macro_f1"] == pytest.approx(f1_score(classes, predicted, labels=[0, 1], average="macro"))
    assert figures["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(classes, predicted))
    assert math.isnan(compute_validation_figures(logits, np.zeros(100, dtype=np.int64))["macro_auroc"])


def test_curves_travel_with_the_checkpoint(module: TrainedNetwork) -> None:
    checkpoint: dict[str, object] = {}
    module.curves.append({"epoch": 1.0, "train_loss": 0.5})
    module.on_save_checkpoint(checkpoint)
    fresh = TrainedNetwork(module.network, module.recipe, 4)
    fresh.on_load_checkpoint(checkpoint)
    assert fresh.curves == [{"epoch": 1.0, "train_loss": 0.5}]


def test_the_loss_of_a_pair_is_the_mean_of_both(tmp_path: Path, write_recipe: WriteRecipe, batch: Batch) -> None:
    module = make_module(pair(tmp_path, write_recipe))
    photos, classes = batch
    with torch.no_grad():
        logits = module.compute_logits(photos)
        loss = float(module.training_step(batch))
    expected = [cross_entropy(logits["malignancy"], classes[:, 0]), cross_entropy(logits["lesion_type"], classes[:, 1])]
    assert expected[0] != pytest.approx(expected[1], abs=0.1)
    assert loss == pytest.approx(np.mean(expected), abs=1e-6)


def test_a_single_head_has_a_loss_of_its_own(tmp_path: Path, write_recipe: WriteRecipe, batch: Batch) -> None:
    module = make_module(read_recipe(write_recipe(tmp_path / "recipe.toml", ('"malignancy"', '"lesion_type"'))))
    photos, classes = batch[0], batch[1][:, 1:]
    with torch.no_grad():
        expected = cross_entropy(module.compute_logits(photos)["lesion_type"], classes[:, 0])
        assert float(module.training_step((photos, classes))) == pytest.approx(expected, abs=1e-6)


def test_a_photo_without_a_type_teaches_that_it_is_of_its_kind(
    tmp_path: Path, write_recipe: WriteRecipe, batch: Batch
) -> None:
    module = make_module(pair(tmp_path, write_recipe))
    photos, classes = batch[0], batch[1].clone()
    classes[[0, 4], 1] = UNTYPED  # one malignant, one benign
    with torch.no_grad():
        scores = {task: logits.softmax(1) for task, logits in module.compute_logits(photos).items()}
        loss = float(module.training_step((photos, classes)))
    known = scores["lesion_type"][torch.arange(6), classes[:, 1]]
    malignant = torch.tensor([is_malignant(code) for code in CODES])
    known[0], known[4] = scores["lesion_type"][0, malignant].sum(), scores["lesion_type"][4, ~malignant].sum()
    expected = [-scores["malignancy"][torch.arange(6), classes[:, 0]].log().mean(), -known.log().mean()]
    assert loss == pytest.approx(float(sum(expected)) / 2, abs=1e-5)


def test_stored_answers_are_heard_where_there_are_some(tmp_path: Path, write_recipe: WriteRecipe, batch: Batch) -> None:
    told = '[distillation]\nanswers = "a.parquet"\nweight = 0.25\ntemperature = 3.0\n\n[network]'
    module = make_module(pair(tmp_path, write_recipe, ("[network]", told)))
    answers = torch.rand(6, 10, generator=torch.Generator().manual_seed(4))
    answers = torch.cat([answers[:, :2] / answers[:, :2].sum(1, True), answers[:, 2:] / answers[:, 2:].sum(1, True)], 1)
    answers[[1, 5]] = torch.nan
    with torch.no_grad():
        logits = module.compute_logits(batch[0])
        loss = float(module.training_step((*batch, answers)))
    of_heads = []
    for place, (task, columns) in enumerate((("malignancy", slice(0, 2)), ("lesion_type", slice(2, 10)))):
        of_labels = -log_softmax(logits[task].numpy(), axis=1)[range(6), batch[1][:, place]]
        softened = softmax(np.log(answers[:, columns].numpy()) / 3, axis=1)
        distance = rel_entr(softened, softmax(logits[task].numpy() / 3, axis=1)).sum(axis=1) * 9
        of_heads.append(np.where(np.isnan(distance), of_labels, 0.75 * of_labels + 0.25 * distance).mean())
    assert loss == pytest.approx(np.mean(of_heads), abs=1e-5)


ADJUSTED = ("balance_exponent = 0.5", "balance_exponent = 0.5\nlogit_adjustment = 0.5")
DRAWN = {"malignancy": np.array([0.2, 0.8]), "lesion_type": np.array([0.05, 0.1, 0.1, 0.05, 0.2, 0.3, 0.1, 0.1])}


def test_logits_are_adjusted_in_training_by_the_shares_drawn(
    tmp_path: Path, write_recipe: WriteRecipe, batch: Batch
) -> None:
    module = make_module(pair(tmp_path, write_recipe, ADJUSTED), DRAWN)
    photos, classes = batch
    with torch.no_grad():
        logits = module.compute_logits(photos)
        loss = float(module.training_step(batch))
    expected = [
        cross_entropy(logits[task] + 0.5 * torch.from_numpy(np.log(DRAWN[task])), classes[:, place])
        for place, task in enumerate(DRAWN)
    ]
    assert loss == pytest.approx(np.mean(expected), abs=1e-6)
    # Who validates sees the network's own logits.
    with torch.no_grad():
        module.validation_step(batch)
    for task, (seen, truth) in module.take_validation_logits().items():
        assert np.array_equal(seen, logits[task].numpy())
        assert truth.tolist() == classes[:, list(DRAWN).index(task)].tolist()


def test_adjustments_by_hand_and_none_where_none_is_asked_for(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    adjusted = compute_logit_adjustments(pair(tmp_path, write_recipe, ADJUSTED), DRAWN)
    assert adjusted["malignancy"].tolist() == pytest.approx([0.5 * math.log(0.2), 0.5 * math.log(0.8)])
    with pytest.raises(ValueError, match="needs the shares"):
        compute_logit_adjustments(pair(tmp_path, write_recipe, ADJUSTED), None)
    plain = compute_logit_adjustments(pair(tmp_path, write_recipe), DRAWN)
    assert {task: zeros.tolist() for task, zeros in plain.items()} == {"malignancy": [0] * 2, "lesion_type": [0] * 8}


MIXED = ("batch_size = 8", "batch_size = 8\nmixup = 0.2")


@pytest.mark.parametrize("share", [1.0, 0.0, 0.25])
def test_mixup_blends_photos_and_their_losses(
    tmp_path: Path, write_recipe: WriteRecipe, batch: Batch, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    module = make_module(pair(tmp_path, write_recipe, MIXED))
    photos, classes = batch
    other = torch.tensor([1, 2, 3, 4, 5, 0])
    monkeypatch.setattr(torch.distributions.Beta, "sample", lambda self: torch.tensor(share))
    monkeypatch.setattr(torch, "randperm", lambda n, device: other)
    blend = (share * photos.float() + (1 - share) * photos[other].float()).round().to(torch.uint8)
    with torch.no_grad():
        loss = float(module.training_step(batch))
        logits = module.compute_logits(blend)
    mean = [
        np.mean([cross_entropy(logits[t], c[:, p]) for p, t in enumerate(logits)]) for c in (classes, classes[other])
    ]
    assert loss == pytest.approx(share * mean[0] + (1 - share) * mean[1], abs=1e-5)


def test_mixup_with_a_share_of_1_is_no_mixup(
    tmp_path: Path, write_recipe: WriteRecipe, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.distributions.Beta, "sample", lambda self: torch.tensor(1.0))
    mixed, plain = make_module(pair(tmp_path, write_recipe, MIXED)), make_module(pair(tmp_path, write_recipe))
    with torch.no_grad():
        assert float(mixed.training_step(batch)) == pytest.approx(float(plain.training_step(batch)), abs=1e-6)


def test_mixup_draws_its_share_by_the_recipe_s_alpha(
    tmp_path: Path, write_recipe: WriteRecipe, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []
    real = torch.distributions.Beta

    def beta(*alphas: float) -> torch.distributions.Beta:
        asked.append(alphas)
        return real(*alphas)

    monkeypatch.setattr(torch.distributions, "Beta", beta)
    with torch.no_grad():
        make_module(pair(tmp_path, write_recipe, MIXED)).training_step(batch)
        make_module(pair(tmp_path, write_recipe)).training_step(batch)
    assert asked == [(0.2, 0.2)]


COVERED = ("batch_size = 8", "batch_size = 8\ncutmix = 1.0")


def test_cutmix_lays_a_part_of_another_photo_over_each_and_shares_the_loss_by_area(
    tmp_path: Path, write_recipe: WriteRecipe, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = make_module(pair(tmp_path, write_recipe, COVERED))
    photos, classes = batch
    other, others = photos.roll(1, 0), classes.roll(1, 0)
    seen: list[torch.Tensor] = []
    real = TrainedNetwork.compute_logits
    monkeypatch.setattr(TrainedNetwork, "compute_logits", lambda self, asked: seen.append(asked) or real(self, asked))
    shares = set()
    for seed in range(5):
        torch.manual_seed(seed)
        with torch.no_grad():
            loss = float(module.training_step(batch))
            covered = seen.pop()
            logits = module.compute_logits(covered)
        kept = (covered == photos).all(1)
        assert ((covered == other).all(1) | kept).all()
        share = float(kept.float().mean())
        shares.add(share)
        mean = [np.mean([cross_entropy(logits[t], c[:, p]) for p, t in enumerate(logits)]) for c in (classes, others)]
        assert loss == pytest.approx(share * mean[0] + (1 - share) * mean[1], abs=1e-5)
    assert len(shares) > 1
    assert min(shares) < 1


def test_cutmix_of_a_single_photo_is_that_photo(tmp_path: Path, write_recipe: WriteRecipe, batch: Batch) -> None:
    photos, classes = batch[0][:1], batch[1][:1]
    with torch.no_grad():
        covered = make_module(pair(tmp_path, write_recipe, COVERED)).training_step((photos, classes))
        plain = make_module(pair(tmp_path, write_recipe)).training_step((photos, classes))
    assert float(covered) == pytest.approx(float(plain), abs=1e-6)


def test_a_pair_is_judged_by_its_types_and_by_the_mean_of_both_aurocs() -> None:
    random = np.random.default_rng(0)
    validation = {}
    for task, k in (("malignancy", 2), ("lesion_type", 8)):
        classes = random.integers(k, size=200)
        validation[task] = ((random.normal(size=(200, k)) + np.eye(k)[classes]).astype(np.float32), classes)
    figures = compute_head_figures(validation, "lesion_type")
    alone = {task: compute_validation_figures(*seen) for task, seen in validation.items()}
    assert figures.items() >= alone["lesion_type"].items()
    logits, classes = validation["malignancy"]
    auroc = roc_auc_score(classes == 0, softmax(logits, axis=1)[:, 0])
    assert figures["malignancy_auroc"] == pytest.approx(auroc)
    assert figures["mean_auroc"] == pytest.approx((auroc + alone["lesion_type"]["macro_auroc"]) / 2)
    single = {"malignancy": validation["malignancy"]}
    assert compute_head_figures(single, "malignancy") == alone["malignancy"]
