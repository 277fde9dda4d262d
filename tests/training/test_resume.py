import random
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch

from skinapp.errors import ModelError
from skinapp.training.resume import check_room, count_checkpoint_bytes, find_checkpoint

WEIGHTS = {"network.weight": torch.arange(4000.0).reshape(40, 100)}


def checkpoint(**changes: Any) -> dict[str, Any]:
    """Make what Lightning keeps, as far as it is looked at, after the second epoch."""
    content = {
        "epoch": 1,
        "state_dict": WEIGHTS,
        "curves": [{"epoch": 1.0}, {"epoch": 2.0}],
        "optimizer_states": [],
        "lr_schedulers": [],
        "loops": {},
        "callbacks": {"Clock": {}},
    }
    return content | changes


def test_a_training_starts_where_it_stopped(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path, "last", WEIGHTS, ["Clock"]) is None
    with pytest.raises(ModelError, match=r"no best\.ckpt in"):
        find_checkpoint(tmp_path, "best", WEIGHTS, ["Clock"])
    torch.save(checkpoint(), tmp_path / "last.ckpt")
    assert find_checkpoint(tmp_path, "last", WEIGHTS, ["Clock"]) == (tmp_path / "last.ckpt", 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (checkpoint(epoch="2"), "does not tell its epochs"),
        (checkpoint(curves=[]), "does not tell its epochs"),
        (checkpoint(state_dict={"network.weight": torch.ones(1)}), "is of another network"),
        (checkpoint(callbacks={}), "was written by another version"),
        ({"epoch": 1}, "lacks callbacks, curves, loops"),
        ([1], r"is damaged \(it holds no checkpoint\)"),
    ],
)
def test_a_checkpoint_of_something_else_is_named(tmp_path: Path, content: object, said: str) -> None:
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(ModelError, match=rf"last\.ckpt {said}.*Start anew with --resume none\."):
        find_checkpoint(tmp_path, "last", WEIGHTS, ["Clock"])


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").mkdir()
    torch.save(checkpoint(), tmp_path / "best.ckpt")
    with pytest.raises(ModelError, match=r"last\.ckpt is damaged \(it is a folder\)\. Go on from the best epoch, best"):
        find_checkpoint(tmp_path, "last", WEIGHTS, ["Clock"])


def test_a_damaged_checkpoint_is_never_gone_on_from(tmp_path: Path) -> None:
    """Where torch sees nothing wrong, because a weight alone has changed, the sums in the file do."""
    rng, file = random.Random(30), tmp_path / "last.ckpt"
    torch.save(checkpoint(), file)
    whole = file.read_bytes()
    refused = 0
    for number in range(150):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        file.write_bytes(data[: rng.randrange(len(data))] if number % 5 == 0 else data)
        try:
            find_checkpoint(tmp_path, "last", WEIGHTS, ["Clock"])
        except ModelError:
            refused += 1
            continue
        kept = torch.load(file, weights_only=True)  # what changed is no content
        assert torch.equal(kept["state_dict"]["network.weight"], WEIGHTS["network.weight"])
        assert kept["curves"] == checkpoint()["curves"]
    assert refused > 100


def test_a_folder_that_takes_nothing_is_said_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_room(tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "taken").touch()
    with pytest.raises(ModelError, match=r"Nothing can be written to .*taken"):
        check_room(tmp_path / "taken")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**10, 10**10 - 10**8, 10**8))
    check_room(tmp_path, 10**8)
    with pytest.raises(ModelError, match=r"has 0\.1 GB free, but this training writes 0\.5 GB"):
        check_room(tmp_path, 5 * 10**8)


def test_checkpoints_that_are_there_need_no_new_room(tmp_path: Path) -> None:
    new = count_checkpoint_bytes(tmp_path, WEIGHTS)
    assert new == 3 * 4 * 4000 * 4
    (tmp_path / "last.ckpt").touch()
    assert count_checkpoint_bytes(tmp_path, WEIGHTS) == new * 2 / 3
