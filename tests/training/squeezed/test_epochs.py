from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from skinapp.training.squeezed.epochs import LabelledInputs, StageResult, compute_outputs, train_stage
from skinapp.training.squeezed.recipe import Stage

STAGE = Stage(epochs=4, batch_size=10, learning_rate=0.01, decay=0.5)


@pytest.fixture
def examples() -> LabelledInputs:
    """Make 41 points of two classes that a line tells apart."""
    random = np.random.default_rng(1)
    classes = random.integers(0, 2, 41)
    return LabelledInputs((random.normal(size=(41, 4)) + 3 * classes[:, None]).astype(np.float32), classes)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))


def trained(examples: LabelledInputs, checkpoint: Path, stage: Stage = STAGE) -> tuple[nn.Module, StageResult]:
    made = network()
    return made, train_stage(made, examples, {"validation": examples}, stage, 7, checkpoint, lambda sentence: None)


def test_it_learns_and_says_how_each_epoch_went(examples: LabelledInputs, tmp_path: Path) -> None:
    stage = STAGE.model_copy(update={"epochs": 30, "decay": 0.0})
    made, learned = trained(examples, tmp_path / "one.pt", stage)
    assert [row["epoch"] for row in learned.curves] == list(range(1, 31))
    assert learned.curves[-1]["train_loss"] < learned.curves[0]["train_loss"]
    assert learned.curves[-1]["validation_accuracy"] > 0.9
    assert (compute_outputs(made, examples.inputs).argmax(1) == examples.classes).mean() == pytest.approx(
        learned.curves[-1]["validation_accuracy"]
    )


def test_a_run_that_was_broken_off_ends_like_one_that_was_not(examples: LabelledInputs, tmp_path: Path) -> None:
    whole, expected = trained(examples, tmp_path / "whole.pt")
    trained(examples, tmp_path / "parts.pt", STAGE.model_copy(update={"epochs": 2}))
    resumed, learned = trained(examples, tmp_path / "parts.pt")
    assert learned.curves == expected.curves
    for name, values in whole.state_dict().items():
        assert torch.equal(values, resumed.state_dict()[name])
    assert learned.elapsed_s > 0


def test_a_finished_run_is_not_trained_again(examples: LabelledInputs, tmp_path: Path) -> None:
    whole, _ = trained(examples, tmp_path / "one.pt")
    messages: list[str] = []
    again = network()
    train_stage(again, examples, {"validation": examples}, STAGE, 7, tmp_path / "one.pt", messages.append)
    assert messages == []
    assert torch.equal(whole.state_dict()["0.weight"], again.state_dict()["0.weight"])


def test_the_rate_falls_as_keras_lets_it_and_rmsprop_has_its_defaults(examples: LabelledInputs, tmp_path: Path) -> None:
    trained(examples, tmp_path / "one.pt")
    (group,) = torch.load(tmp_path / "one.pt", weights_only=True)["optimiser"]["param_groups"]
    steps = 4 * 4  # a fifth batch would hold one example alone
    assert group["lr"] == pytest.approx(0.01 / (1 + 0.5 * steps))
    assert (group["alpha"], group["eps"], group["weight_decay"]) == (0.9, 1e-7, 0)
