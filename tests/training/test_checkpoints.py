from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from skinapp.errors import ModelError
from skinapp.training.checkpoints import Clock, WholeCheckpoints


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    WholeCheckpoints().save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_writing_that_breaks_off_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    WholeCheckpoints().save_checkpoint({"epoch": 1}, tmp_path / "last.ckpt")

    def break_off(self: TorchCheckpointIO, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        Path(path).write_bytes(b"half a checkpoint")
        raise OSError("the disk is full")

    monkeypatch.setattr(TorchCheckpointIO, "save_checkpoint", break_off)
    with pytest.raises(ModelError, match="disk is full"):
        WholeCheckpoints().save_checkpoint({"epoch": 2}, tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True) == {"epoch": 1}


def test_the_clock_goes_on_where_it_was() -> None:
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    module = L.LightningModule()
    clock = Clock()
    clock.load_state_dict({"elapsed_s": 1000.0})
    clock.on_fit_start(trainer, module)
    clock.on_validation_epoch_end(trainer, module)
    assert 1000 <= clock.state_dict()["elapsed_s"] < 1010
    fresh = Clock()
    fresh.on_fit_start(trainer, module)
    fresh.on_validation_epoch_end(trainer, module)
    assert 0 <= fresh.elapsed_s < 10
