"""Which checkpoint a training goes on from, whether it is whole, and whether the disk takes what will be written."""

import shutil
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal

import torch
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.training.weights_files import DAMAGE

Resume = Literal["last", "best"]
"""The checkpoint that an interrupted training goes on from: that of its last epoch or of its best one."""

LAST, BEST = "last.ckpt", "best.ckpt"

_KEYS = {"epoch", "state_dict", "curves", "optimizer_states", "lr_schedulers", "loops", "callbacks"}

_COPIES_WRITTEN = 3
"""The last and the best checkpoint, and one that is being written before it replaces one of them."""

_STATES_HELD = 4
"""Numbers in a checkpoint per weight: itself, its running average, and AdamW's two moments."""


def find_checkpoint(
    folder: Path, resume: Resume, weights: Mapping[str, Tensor], callbacks: Collection[str]
) -> tuple[Path, int] | None:
    """Return the checkpoint to go on from and the number of its epoch, from 0; None to start at the beginning.

    `weights` are the module's, `callbacks` the keys of the callbacks whose state it must hold. ModelError where it is
    damaged or another training's.
    """
    path = folder / {"last": LAST, "best": BEST}[resume]
    if not path.exists():
        if resume == "best":
            raise ModelError(f"There is no {BEST} in {folder}. Run the command without --resume.")
        return None
    content = load_checkpoint(path)
    if problem := _find_problem(content, weights, callbacks):
        raise ModelError(f"The checkpoint {path} {problem}. {_advise(path)}")
    return path, int(content["epoch"])


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of our own, without running code; ModelError where it is damaged.

    Every byte of its tensors is checked against the sums in the file, which torch leaves out.
    """
    reason = "it is a folder" if path.is_dir() else ""
    try:
        if not reason:
            with zipfile.ZipFile(path) as archive:
                reason = f"{broken} in it has changed" if (broken := archive.testzip()) else ""
        content = None if reason else torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, zlib.error, *DAMAGE) as error:
        reason = (str(error).splitlines() or ["it ends too early"])[0].split(". ")[0]
    if not reason and not isinstance(content, dict):
        reason = "it holds no checkpoint"
    if reason:
        raise ModelError(f"The checkpoint {path} is damaged ({reason}). {_advise(path)}")
    assert isinstance(content, dict)
    return content


def _find_problem(content: Mapping[str, Any], weights: Mapping[str, Tensor], callbacks: Collection[str]) -> str:
    if missing := sorted(_KEYS - content.keys()):
        return f"lacks {', '.join(missing)}"
    curves, epoch = content["curves"], content["epoch"]
    if not isinstance(epoch, int) or not isinstance(curves, list) or len(curves) != epoch + 1:
        return "does not tell its epochs"
    state = content["state_dict"]
    if not isinstance(state, dict) or _list_shapes(state) != _list_shapes(weights):
        return "is of another network"
    if lacking := [key for key in callbacks if key not in content["callbacks"]]:
        return f"was written by another version, without {len(lacking)} of its records"
    return ""


def _list_shapes(state: Mapping[str, Any]) -> dict[str, torch.Size | None]:
    return {name: values.shape if isinstance(values, Tensor) else None for name, values in state.items()}


def _advise(path: Path) -> str:
    best = path.with_name(BEST)
    anew = "start anew with --resume none"
    if path.name == LAST and best.is_file():
        return f"Go on from the best epoch, {best.name}, with --resume best, or {anew}."
    return anew[0].upper() + anew[1:] + "."


def discard_checkpoints(folder: Path) -> None:
    """Delete the checkpoints of a recipe, so that its training starts anew; ModelError where one stays."""
    for path in [*folder.glob("*.ckpt"), *folder.glob("*.pt")]:
        try:
            path.unlink()
        except OSError as error:
            raise ModelError(f"{path} cannot be deleted ({error.strerror}). Delete it by hand.") from error


def check_room(folder: Path, needed_bytes: int = 0) -> None:
    """Raise ModelError where a folder does not take files, or too few bytes: before a training, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=".partial") as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        raise ModelError(
            f"Nothing can be written to {folder} ({error.strerror}). Mend the folder, or name other ones, before the "
            "training: it would be lost at the end."
        ) from error
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise ModelError(
            f"{folder} has {free / 1e9:.1f} GB free, but this training writes {needed_bytes / 1e9:.1f} GB there. "
            "Make room, or name another folder with --checkpoints."
        )


def count_checkpoint_bytes(folder: Path, weights: Mapping[str, Tensor]) -> int:
    """Return about how many bytes a training will add to its folder of checkpoints."""
    present = sum((folder / name).is_file() for name in (LAST, BEST))
    each = sum(v.numel() * v.element_size() for v in weights.values()) * _STATES_HELD
    return each * (_COPIES_WRITTEN - present)
