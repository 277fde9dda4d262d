"""A plain training loop on arrays: RMSprop, with validation figures and a checkpoint after every epoch."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.files import replace_file
from skinapp.networks.device import choose_device
from skinapp.training.network import compute_validation_figures
from skinapp.training.resume import load_checkpoint
from skinapp.training.squeezed.recipe import Stage
from skinapp.training.weights_files import DAMAGE

PHOTOS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class LabelledInputs:
    """Inputs (n, ...) of a network and their true class indices, int64 (n,)."""

    inputs: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class StageResult:
    """The curves of a stage, one row of figures per epoch, and its seconds over all starts."""

    curves: tuple[dict[str, float], ...]
    elapsed_s: float


def train_stage(
    network: nn.Module,
    training: LabelledInputs,
    watched: Mapping[str, LabelledInputs],
    stage: Stage,
    seed: int,
    checkpoint: Path,
    say: Callable[[str], None],
) -> StageResult:
    """Train a network in place for the epochs of a stage; resume from `checkpoint` if it exists. The last epoch stays.

    `watched` holds inputs to evaluate after each epoch; their figures are named <name>_loss and so on (see
    `compute_validation_figures`). Sampling and dropout depend on seed and epoch alone, so a resumed run repeats them.
    """
    device = choose_device().torch
    network.to(device)
    # Keras' defaults. Keras' decay lowers the learning rate; it is not PyTorch's weight_decay.
    optimiser = torch.optim.RMSprop(network.parameters(), lr=stage.learning_rate, alpha=0.9, eps=1e-7)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 / (1 + stage.decay * step))
    curves, elapsed_s = _resume(checkpoint, network, optimiser, rate)
    started = time.monotonic() - elapsed_s
    for epoch in range(len(curves) + 1, stage.epochs + 1):
        row = {
            "epoch": float(epoch),
            "train_loss": _train_epoch(network, training, stage, optimiser, rate, (seed, epoch)),
        }
        for name, examples in watched.items():
            figures = compute_validation_figures(compute_outputs(network, examples.inputs), examples.classes)
            row |= {f"{name}_{figure}": value for figure, value in figures.items()}
        curves.append(row)
        elapsed_s = time.monotonic() - started
        state = {"network": network, "optimiser": optimiser, "rate": rate}
        kept = {name: part.state_dict() for name, part in state.items()}  # type: ignore[attr-defined]
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(checkpoint) as aside:
            torch.save({**kept, "curves": curves, "elapsed_s": elapsed_s}, aside)
        say(", ".join(f"{name} {value:.4g}" for name, value in row.items()))
    return StageResult(tuple(curves), elapsed_s)


def compute_outputs(network: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """Return a network's outputs for inputs (n, ...), in eval mode, as float32 (n, k)."""
    device = choose_device().torch
    network.to(device).eval()
    with torch.inference_mode():
        parts = [
            network(_to_tensor(inputs[start : start + PHOTOS_AT_ONCE], device)).cpu() for start in _batch_starts(inputs)
        ]
    return torch.cat(parts).float().numpy()


def _batch_starts(inputs: np.ndarray) -> range:
    return range(0, len(inputs), PHOTOS_AT_ONCE)


def _to_tensor(batch: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(batch)).to(device)  # a copy, because arrays may be memory-mapped read-only


def _train_epoch(
    network: nn.Module,
    training: LabelledInputs,
    stage: Stage,
    optimiser: torch.optim.Optimizer,
    rate: torch.optim.lr_scheduler.LRScheduler,
    seeds: tuple[int, int],
) -> float:
    """Train on all photos once, in random order, and return their mean loss (categorical cross-entropy)."""
    device = choose_device().torch
    network.train()
    random = np.random.default_rng(seeds)
    torch.manual_seed(int(random.integers(2**31)))  # for dropout
    order = random.permutation(len(training.classes))
    total = 0.0
    for start in range(0, len(order), stage.batch_size):
        batch = order[start : start + stage.batch_size]
        if len(batch) == 1:  # batch normalisation fails on a single photo
            continue
        classes = torch.from_numpy(training.classes[batch]).to(device)
        loss = nn.functional.cross_entropy(network(_to_tensor(training.inputs[batch], device)), classes)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        rate.step()
        total += loss.item() * len(batch)
    return total / len(order)


def _resume(checkpoint: Path, network: nn.Module, *parts: Any) -> tuple[list[dict[str, float]], float]:
    """Load a checkpoint and return its curves and elapsed seconds; no curves and 0 seconds where there is none.

    ModelError where it is damaged or of another training.
    """
    if not checkpoint.exists():
        return [], 0.0
    kept = load_checkpoint(checkpoint)
    try:
        network.load_state_dict(kept["network"])
        for name, part in zip(("optimiser", "rate"), parts, strict=True):
            part.load_state_dict(kept[name])
        return kept["curves"], kept["elapsed_s"]
    except DAMAGE as error:
        raise ModelError(
            f"The checkpoint {checkpoint} is of another training. Start anew with --resume none."
        ) from error
