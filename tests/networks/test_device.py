import platform

import pytest
import torch

import skinapp
from skinapp.errors import ModelError
from skinapp.networks.device import Device, choose_device, choose_precision, read_versions


def test_the_cpu_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_DEVICE", "cpu")
    assert choose_device() == Device("cpu", "CPU")


def test_without_a_wish_the_choice_is_a_device_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_DEVICE", "")
    assert torch.ones(2, device=choose_device().torch).sum().item() == 2


def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINAPP_DEVICE", "abacus")
    with pytest.raises(ModelError, match=r"'abacus'.* has only cpu"):
        choose_device()


def test_training_precision_is_one_of_lightnings() -> None:
    assert choose_precision(Device("cpu", "CPU")) in ("bf16-mixed", "32-true")
    assert choose_precision(Device("mps", "Apple GPU")) == "32-true"


def test_versions() -> None:
    assert read_versions() == (platform.python_version(), torch.__version__, skinapp.__version__)
