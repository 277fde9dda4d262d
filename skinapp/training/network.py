"""The Lightning module: one network, one head, its loss, its optimiser and its validation figures."""

import math
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score
from torch import Tensor, nn

from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import HeadedResNet
from skinapp.training.recipe import Recipe


class TrainedNetwork(L.LightningModule):
    """Trains a HeadedResNet by a recipe; `curves` holds a row of figures for each epoch done."""

    def __init__(self, network: HeadedResNet, recipe: Recipe, steps_per_epoch: int) -> None:
        """Keep the network and the recipe; `steps_per_epoch` sets the length of the schedule."""
        super().__init__()
        self.network, self.recipe, self.steps_per_epoch = network, recipe, steps_per_epoch
        self.loss = nn.CrossEntropyLoss(label_smoothing=recipe.schedule.label_smoothing)
        self.curves: list[dict[str, float]] = []
        self._training_losses: list[float] = []
        self._validation: list[tuple[Tensor, Tensor]] = []

    def logits(self, photos: Tensor) -> Tensor:
        """Map uint8 photos (n, 3, s, s) to logits (n, classes)."""
        output: Tensor = self.network(normalise(photos, self.recipe.input))[self.recipe.role]
        return output

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of one batch."""
        photos, classes = batch
        loss: Tensor = self.loss(self.logits(photos), classes)
        self._training_losses.append(loss.item())
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Keep the logits of one batch until the whole split is seen."""
        photos, classes = batch
        self._validation.append((self.logits(photos).float().cpu(), classes.cpu()))

    def validation_logits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return logits (n, k) and true indices (n,) of the validation split, and forget them."""
        logits, classes = (torch.cat(side).numpy() for side in zip(*self._validation, strict=True))
        self._validation.clear()
        return logits, classes

    def on_validation_epoch_end(self) -> None:
        """Compute and log the validation figures, and append them to the curves."""
        figures = validation_figures(*self.validation_logits())
        if self.trainer.sanity_checking:
            return
        self.log_dict({f"validation_{name}": value for name, value in figures.items()}, prog_bar=True)
        row = {"epoch": float(self.current_epoch + 1), "train_loss": float(np.mean(self._training_losses))}
        self.curves.append(row | {f"validation_{name}": value for name, value in figures.items()})
        self._training_losses.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the curves, so that a resumed run has them whole."""
        checkpoint["curves"] = self.curves

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the curves up again."""
        self.curves = checkpoint["curves"]

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW (no decay on biases and norms) with a linear warm-up and a cosine, stepped by batch."""
        schedule = self.recipe.schedule
        decayed = [p for p in self.network.parameters() if p.requires_grad and p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.requires_grad and p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": schedule.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=schedule.learning_rate)
        warmup = schedule.warmup_epochs * self.steps_per_epoch
        factor = cosine_with_warmup(warmup, schedule.epochs * self.steps_per_epoch)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def cosine_with_warmup(warmup_steps: float, steps: int) -> Any:
    """Return a function from step to the share (0..1) of the learning rate: up linearly, then down a half cosine."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        done = (step - warmup_steps) / max(1.0, steps - warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    return factor


def validation_figures(logits: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Return log loss, accuracy, balanced accuracy, macro F1 and macro AUROC of logits (n, k), given the truth (n,).

    F1 averages the classes that are present or predicted. The AUROC, one class against all others, averages those
    that are present and not alone; NaN where there is none.
    """
    scores = torch.from_numpy(logits).softmax(1).numpy().astype(np.float64)
    scores /= scores.sum(axis=1, keepdims=True)
    predicted = scores.argmax(axis=1)
    present = [k for k in range(scores.shape[1]) if 0 < (classes == k).sum() < len(classes)]
    aurocs = [roc_auc_score(classes == k, scores[:, k]) for k in present]
    return {
        "loss": float(log_loss(classes, scores, labels=list(range(scores.shape[1])))),
        "accuracy": float(accuracy_score(classes, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(classes, predicted)),
        "macro_f1": float(f1_score(classes, predicted, average="macro")),
        "macro_auroc": float(np.mean(aurocs)) if aurocs else math.nan,
    }
