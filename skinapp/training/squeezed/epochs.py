"""A plain training loop for networks that look at arrays: RMSprop, figures and a checkpoint after every epoch."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skinapp.files import written_aside
from skinapp.networks.device import choose_device
from skinapp.training.network import validation_figures
from skinapp.training.squeezed.recipe import Stage

PHOTOS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Examples:
    """What is learned from or looked at: inputs (n, ...) as the network takes them, classes int64 (n,)."""

    inputs: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Learned:
    """How a stage went: a row of figures for each epoch, and the seconds that it took over all its starts."""

    curves: tuple[dict[str, float], ...]
    elapsed_s: float


def learn(
    network: nn.Module,
    training: Examples,
    watched: Mapping[str, Examples],
    stage: Stage,
    seed: int,
    checkpoint: Path,
    say: Callable[[str], None],
) -> Learned:
    """Train a network in place for a stage's epochs, from where `checkpoint` lies if there is one; keep the last.

    `watched` names what is looked at after each epoch; its figures are named <name>_loss and so on (see
    `validation_figures`). Draws and dropout depend on seed and epoch alone, so that a resumed run repeats them.
    """
    device = choose_device().torch
    network.to(device)
    # As Keras has it by default; what PyTorch calls weight_decay is another thing than Keras' decay.
    optimiser = torch.optim.RMSprop(network.parameters(), lr=stage.learning_rate, alpha=0.9, eps=1e-7)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 / (1 + stage.decay * step))
    curves, elapsed_s = _resume(checkpoint, network, optimiser, rate)
    started = time.monotonic() - elapsed_s
    for epoch in range(len(curves) + 1, stage.epochs + 1):
        row = {"epoch": float(epoch), "train_loss": _epoch(network, training, stage, optimiser, rate, (seed, epoch))}
        for name, examples in watched.items():
            found = validation_figures(logits(network, examples.inputs), examples.classes)
            row |= {f"{name}_{figure}": value for figure, value in found.items()}
        curves.append(row)
        elapsed_s = time.monotonic() - started
        state = {"network": network, "optimiser": optimiser, "rate": rate}
        kept = {name: part.state_dict() for name, part in state.items()}  # type: ignore[attr-defined]
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(checkpoint) as aside:
            torch.save({**kept, "curves": curves, "elapsed_s": elapsed_s}, aside)
        say(", ".join(f"{name} {value:.4g}" for name, value in row.items()))
    return Learned(tuple(curves), elapsed_s)


def logits(network: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """Return a network's answers to inputs (n, ...), in eval mode, as float32 (n, k)."""
    device = choose_device().torch
    network.to(device).eval()
    with torch.inference_mode():
        parts = [network(_tensor(inputs[start : start + PHOTOS_AT_ONCE], device)).cpu() for start in _starts(inputs)]
    return torch.cat(parts).float().numpy()


def _starts(inputs: np.ndarray) -> range:
    return range(0, len(inputs), PHOTOS_AT_ONCE)


def _tensor(batch: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(batch)).to(device)  # a copy: arrays may be mapped read-only


def _epoch(
    network: nn.Module,
    training: Examples,
    stage: Stage,
    optimiser: torch.optim.Optimizer,
    rate: torch.optim.lr_scheduler.LRScheduler,
    drawn_by: tuple[int, int],
) -> float:
    """Go through the examples once in a drawn order, and return their mean loss (categorical cross-entropy)."""
    device = choose_device().torch
    network.train()
    random = np.random.default_rng(drawn_by)
    torch.manual_seed(int(random.integers(2**31)))  # for dropout
    order = random.permutation(len(training.classes))
    lost = 0.0
    for start in range(0, len(order), stage.batch_size):
        batch = order[start : start + stage.batch_size]
        if len(batch) == 1:  # batch normalisation learns nothing from one photo
            continue
        classes = torch.from_numpy(training.classes[batch]).to(device)
        loss = nn.functional.cross_entropy(network(_tensor(training.inputs[batch], device)), classes)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        rate.step()
        lost += loss.item() * len(batch)
    return lost / len(order)


def _resume(checkpoint: Path, network: nn.Module, *parts: Any) -> tuple[list[dict[str, float]], float]:
    """Take up the newest epoch that was kept; nothing and 0 seconds where there is none."""
    if not checkpoint.is_file():
        return [], 0.0
    kept = torch.load(checkpoint, map_location=choose_device().torch, weights_only=True)
    network.load_state_dict(kept["network"])
    for name, part in zip(("optimiser", "rate"), parts, strict=True):
        part.load_state_dict(kept[name])
    return kept["curves"], kept["elapsed_s"]
