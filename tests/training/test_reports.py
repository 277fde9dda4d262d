from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from skinapp.networks.resnet import HeadedResNet
from skinapp.training.network import TrainedNetwork
from skinapp.training.recipe import read_recipe
from skinapp.training.reports import PaceReport

WriteRecipe = Callable[..., Path]


def test_the_pace_is_said_every_ten_minutes_with_what_is_left(tmp_path: Path, write_recipe: WriteRecipe) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "recipe.toml"))  # three epochs, batches of eight
    module = TrainedNetwork(HeadedResNet("resnet18", {"malignancy": 2}), recipe, steps_per_epoch=100)
    now, said = [50.0], []
    report = PaceReport(said.append, lambda: now[0])
    trainer: Any = SimpleNamespace(current_epoch=1)
    report.on_train_epoch_start(trainer, module)
    for batch in range(20):
        now[0] += 40  # 8 photos in 40 s
        report.on_train_batch_end(trainer, module, None, None, batch)
    # 85 batches of this epoch and 100 of the next, 40 s each, after the fifteenth: 7,400 s.
    assert said == ["Epoch 2 of 3, batch 15 of 100: 0.2 photos/s, about 2.1 h left"]
