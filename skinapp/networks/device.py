"""The device that networks run on, the training precision and the versions in use."""

import os
import platform
from dataclasses import dataclass

import torch

import skinapp
from skinapp.errors import ModelError


@dataclass(frozen=True)
class Device:
    """A torch device by name, with a label to show."""

    name: str
    label: str

    @property
    def torch(self) -> torch.device:
        """The torch.device."""
        return torch.device(self.name)


def choose_device() -> Device:
    """Choose CUDA, else Apple's MPS, else the CPU; SKINAPP_DEVICE (cuda, mps or cpu) overrides this.

    Predictions are float32 on every device: fast enough at this size, and a photo gets the same scores from the page,
    the command line and an evaluation. Raises ModelError where SKINAPP_DEVICE is anything else or not available.
    """
    offered = {"cpu": "CPU"}
    if torch.cuda.is_available():
        offered["cuda"] = torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        offered["mps"] = "Apple GPU"
    wanted = os.environ.get("SKINAPP_DEVICE") or next(name for name in ("cuda", "mps", "cpu") if name in offered)
    if wanted not in offered:
        raise ModelError(
            f"SKINAPP_DEVICE is {wanted!r}, but this machine has only {', '.join(offered)}. Correct it, or unset it."
        )
    return Device(wanted, offered[wanted])


def choose_precision(device: Device) -> str:
    """Return Lightning's precision setting: bf16 where the hardware supports it, else float32."""
    if device.name == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    # torch has no public check for bf16 on a CPU; its table of capabilities comes nearest.
    has_bf16 = device.name == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)
    return "bf16-mixed" if has_bf16 else "32-true"


def read_versions() -> tuple[str, str, str]:
    """Return the versions of Python, torch and skinapp, for cards and stored runs."""
    return platform.python_version(), str(torch.__version__), skinapp.__version__
