"""Where to run, and in which precision."""

import os
import platform
from dataclasses import dataclass

import torch

import skinapp
from skinapp.errors import ModelError


@dataclass(frozen=True)
class Device:
    """A device of torch, and a sentence for the reader."""

    name: str
    label: str

    @property
    def torch(self) -> torch.device:
        """The device in torch's own form."""
        return torch.device(self.name)


def choose_device() -> Device:
    """Choose CUDA, then Apple's MPS, then the CPU; SKINAPP_DEVICE overrides (cuda, mps or cpu).

    Answers are float32 everywhere: at this size the time is well under a second, and the same photo
    then gets the same answer from page, command line and evaluation. Raises ModelError where SKINAPP_DEVICE
    names something else, or a device that this machine does not offer.
    """
    offered = {"cpu": "CPU"}
    if torch.cuda.is_available():
        offered["cuda"] = torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        offered["mps"] = "Apple GPU"
    wanted = os.environ.get("SKINAPP_DEVICE") or next(name for name in ("cuda", "mps", "cpu") if name in offered)
    if wanted not in offered:
        raise ModelError(
            f"SKINAPP_DEVICE asks for {wanted!r}; this machine offers {', '.join(offered)}. Correct it, or unset it."
        )
    return Device(wanted, offered[wanted])


def training_precision(device: Device) -> str:
    """Choose Lightning's precision: bf16 where the hardware multiplies it, else float32."""
    if device.name == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    # torch offers no public question for a CPU's bf16 units; its capability table is the nearest.
    has_bf16 = device.name == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)
    return "bf16-mixed" if has_bf16 else "32-true"


def versions() -> tuple[str, str, str]:
    """Return the versions of Python, torch and skinapp: what a training or a stored run depends on."""
    return platform.python_version(), str(torch.__version__), skinapp.__version__
