import argparse
import random
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from skinapp.errors import ModelError
from skinapp.training.weights_files import read_weights

STATE = {"conv1.weight": torch.arange(6.0).reshape(2, 3), "bn1.bias": torch.ones(2)}


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3, "optimizer_states": [{"lr": 0.1}]},
        {"model": STATE, "args": {"lr": 0.1}},
        {"epoch": 1, "model_state_dict": STATE},
        {"state_dict": {"model": STATE}},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_is_found_in_a_checkpoint(tmp_path: Path, content: object, zipped: bool) -> None:
    torch.save(content, tmp_path / "best.pth", _use_new_zipfile_serialization=zipped)
    state = read_weights(tmp_path / "best.pth")
    assert state.keys() == STATE.keys()
    assert torch.equal(state["conv1.weight"], STATE["conv1.weight"])


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "best.pth")
    torch.save(STATE, tmp_path / "best.safetensors")
    for file in tmp_path.iterdir():
        assert torch.equal(read_weights(file)["bn1.bias"], STATE["bn1.bias"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (nn.Linear(2, 2), r"Python object, .*Linear.*state_dict\(\)"),
        ({"state_dict": STATE, "hyper_parameters": argparse.Namespace(lr=1)}, "Python object, argparse.Namespace"),
        ([STATE], "holds a list, not a state dict"),
        ({"epoch": 3}, "no state dict, but epoch"),
        (torch.ones(2), "a bare tensor"),
    ],
)
def test_what_is_no_state_dict_is_named_with_the_way_to_convert_it(tmp_path: Path, content: object, said: str) -> None:
    torch.save(content, tmp_path / "best.pth")
    with pytest.raises(ModelError, match=said):
        read_weights(tmp_path / "best.pth")


def test_a_torchscript_program_is_named(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "best.pt")
        with pytest.raises(ModelError, match=r"TorchScript.*torch\.jit\.load"):
            read_weights(tmp_path / "best.pt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "a web page, so the download failed"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"\x89HDF\r\n\x1a\n\x00", "Keras"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "best.pth").write_bytes(content)
    with pytest.raises(ModelError, match=said):
        read_weights(tmp_path / "best.pth")


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    rng = random.Random(30)
    torch.save({"state_dict": STATE}, tmp_path / "new.pth")
    torch.save({"state_dict": STATE}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    refused: list[str] = []
    for name in ("new.pth", "old.pth"):
        whole = (tmp_path / name).read_bytes()
        for _ in range(60):
            data = bytearray(whole[: rng.randrange(1, len(whole))] if rng.random() < 0.3 else whole)
            for _ in range(rng.randrange(1, 5)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            (tmp_path / "best.pth").write_bytes(data)
            try:
                read_weights(tmp_path / "best.pth")
            except ModelError as error:
                refused.append(str(error))
    assert len(refused) > 60
    assert all("best.pth" in sentence for sentence in refused)


def test_a_file_that_holds_other_files_or_nothing_is_named(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "best.pth")
    with zipfile.ZipFile(tmp_path / "best.zip", "w") as archive:
        archive.write(tmp_path / "best.pth", "best.pth")
    with tarfile.open(tmp_path / "best.tar", "w") as tar:
        tar.add(tmp_path / "best.pth", "best.pth")
    np.savez(tmp_path / "best.npz", conv1=np.zeros(3))
    (tmp_path / "index.json").write_text('{"weight_map": {}}')
    (tmp_path / "empty.pth").touch()
    for name, said in {
        "best.zip": r"a zip archive \(best.pth\): unpack it first",
        "best.tar": "a tar archive: unpack it first",
        "best.npz": "an archive of NumPy arrays",
        "index.json": "a JSON file",
        "empty.pth": "empty.pth is empty",
    }.items():
        with pytest.raises(ModelError, match=said):
            read_weights(tmp_path / name)
