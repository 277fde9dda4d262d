"""Read a file of initial weights, whatever wrote it: safetensors, a PyTorch file or a checkpoint of a training.

The file is on the recipe author's own disk. It is still read by torch's weights-only reader, which builds tensors
and plain containers and runs no code; a file that holds more is named, with the command that converts it. Its content
decides, not its suffix.
"""

import pickle
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.networks.resnet import read_safetensors

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar", ".pkl", ".pyt", ".th")
"""Suffixes of files of weights; a name with one of them is a file, not a name of torchvision's."""

_STATES = ("state_dict", "model_state_dict", "model_state", "model", "network", "net", "weights", "params", "module")
"""Keys under which checkpoints keep the state dict, in the order to look for them."""

DAMAGE = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What torch's reader raises for a damaged file: it follows whatever the bytes say."""

_MAX_DEPTH = 5
"""How deep a state dict may lie in a checkpoint."""

_FOREIGN = (
    (b"\x89HDF\r\n\x1a\n", "a Keras or other HDF5 file"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`"),
    (b"<!doctype html", "a web page, so the download failed"),
    (b"<html", "a web page, so the download failed"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"GGUF", "a GGUF file"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the state dict of a file of weights.

    ModelError where there is no file, or it holds something else: says what, and how to convert it.
    """
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read ({error.strerror}). Check the path.") from error
    what = next((what for mark, what in _FOREIGN if start.lstrip().lower().startswith(mark.lower())), None)
    if what := what or _name_container(path, start):
        raise ModelError(f"{path} is {what}. Name a file of PyTorch weights: safetensors or a state dict.")
    # A safetensors file begins with the length of its header, whose first byte may be any, and the header's JSON.
    if start[8:9] != b"{" and start.startswith((b"PK", b"\x80")):
        return _find_state(_load_tensors(path), path)
    return read_safetensors(path)


def _name_container(path: Path, start: bytes) -> str | None:
    """Name a file that holds other files, or nothing; None for what may be weights."""
    if not start:
        return "empty"
    if start[:1] == b"{" and start[8:9] != b"{":  # safetensors begin with eight bytes of another kind
        return "a JSON file, such as the list of several files of weights: name one of those"
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    try:
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, *DAMAGE):  # torch's reader says what is wrong with it
        return None
    if any(name.endswith("data.pkl") for name in names):
        return None
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays (npz)"
    return f"a zip archive ({', '.join(names[:3]) or 'empty'}): unpack it first"


def list_weights(folder: Path) -> str:
    """Say which files of weights a folder holds, to end a sentence: ", as a.pth", or "; it holds none"."""
    found = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    return f", as {', '.join(found[:3])}" if found else "; it holds none"


def _load_tensors(path: Path) -> object:
    """Read a PyTorch file without running code; ModelError where that is not possible."""
    try:
        with path.open("rb") as file:  # given a path, torch goes by its suffix
            return torch.load(file, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        raise ModelError(f"{path} {_explain(path, str(error))}") from error


def _explain(path: Path, reason: str) -> str:
    if "TorchScript" in reason:
        return (
            "is a TorchScript program. Convert it where it was made: "
            f"`torch.save(torch.jit.load({str(path)!r}).state_dict(), 'weights.pth')`, and name that file."
        )
    if match := re.search(r"GLOBAL ([\w.]+)|[Uu]nsupported (?:global|class) ([\w.]+)", reason):
        return (
            f"holds more than weights: a Python object, {match[1] or match[2]}, and reading such objects runs code. If "
            "you trust the file, convert it once: "
            f'`python -c "import torch; x = torch.load({str(path)!r}, weights_only=False); '
            "x = x.get('state_dict', x.get('model', x)) if isinstance(x, dict) else x; "
            "torch.save(x.state_dict() if hasattr(x, 'state_dict') else x, 'weights.pth')\"`, and name weights.pth."
        )
    first = (reason.splitlines() or ["no reason given"])[0].split(". ")[0][:200]
    return f"is not a complete file of PyTorch weights ({first}). Fetch it or make it again."


def _find_state(content: object, path: Path) -> dict[str, Tensor]:
    """Return the state dict in a file's content: the content itself, or what a checkpoint holds under a known key."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(content, Mapping):
            break
        inner = next((content[key] for key in _STATES if isinstance(content.get(key), Mapping)), None)
        tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        if inner is None and tensors:
            return tensors
        if inner is None:
            keys = ", ".join(map(str, list(content)[:8])) or "nothing"
            raise ModelError(f"{path} holds no state dict, but {keys}. Save model.state_dict() alone and name that.")
        content = inner
    what = "a bare tensor" if isinstance(content, Tensor) else f"a {type(content).__name__}"
    raise ModelError(f"{path} holds {what}, not a state dict. Save model.state_dict() and name that file.")
