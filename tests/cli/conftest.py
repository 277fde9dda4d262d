import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from skinapp.cli.main import main

TINY = """
role = "malignancy"
seed = 7

[data]
table = "{table}"

[network]

[input]
resize_px = 36
input_px = 32

[augmentation]
brightness = 0
contrast = 0
saturation = 0
hue = 0

[sampling]

[schedule]
epochs = 1
batch_size = 8
monitor = "loss"
"""
"""A recipe that trains for a second; what is left to fill in is its image table."""


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: its exit code, its stdout and its stderr."""

    code: object
    out: str
    err: str


RunCommand = Callable[..., Outcome]


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run `skinapp` with arguments through its real entry point, with no setting from outside."""
    for name in ("SKINAPP_DATA", "SKINAPP_MODELS", "SKINAPP_EXPERIMENTS", "SKINAPP_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["skinapp", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return Outcome(left.value.code or 0, *capsys.readouterr())

    return run
