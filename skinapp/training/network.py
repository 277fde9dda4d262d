"""The Lightning module: one network, one head or two, its loss, its optimiser and its validation figures."""

import math
from collections.abc import Mapping
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score
from torch import Tensor, nn
from torchvision.transforms.v2 import CutMix

from skinapp.models.card import Task
from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import HeadedResNet
from skinapp.training.distillation import Teachers
from skinapp.training.recipe import Recipe


class TrainedNetwork(L.LightningModule):
    """Trains a HeadedResNet by a recipe; `curves` holds a row of figures for each epoch done."""

    def __init__(
        self,
        network: HeadedResNet,
        recipe: Recipe,
        steps_per_epoch: int,
        drawn: Mapping[Task, np.ndarray] | None = None,
        teachers: Teachers | None = None,
    ) -> None:
        """Keep the network and the recipe; `steps_per_epoch` sets the length of the schedule.

        `drawn` holds, for each head, the share in which each class is drawn, float64 (k,): what a logit adjustment
        needs. `teachers` are those of the recipe's distillation.
        """
        super().__init__()
        self.network, self.recipe, self.steps_per_epoch = network, recipe, steps_per_epoch
        self.loss = nn.CrossEntropyLoss(label_smoothing=recipe.schedule.label_smoothing, reduction="none")
        self.curves: list[dict[str, float]] = []
        self._adjustments = logit_adjustments(recipe, drawn)
        self._teachers = teachers
        self._training_losses: list[float] = []
        self._validation: list[tuple[dict[Task, Tensor], Tensor]] = []

    def logits(self, photos: Tensor) -> dict[Task, Tensor]:
        """Map uint8 photos (n, 3, s, s) to the logits (n, classes) of each head."""
        output: dict[Task, Tensor] = self.network(normalise(photos, self.recipe.input))
        return output

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of one batch: photos, and their class indices (n, heads)."""
        photos, classes = batch
        truths = [(1.0, classes)]
        if self.recipe.schedule.mixup:
            photos, truths = self._mixed(photos, classes)
        if self.recipe.schedule.cutmix:
            photos, truths = self._patched(photos, classes)
        logits = self.logits(photos)
        losses = self._losses(logits, truths)
        if self._teachers:
            right = torch.stack([truth for _, truth in truths], dim=2)
            known = {task: right[:, place] for place, task in enumerate(self.recipe.heads)}
            losses = self._teachers.taught(losses, known, photos, logits)
        loss = torch.stack([of_photos.mean() for of_photos in losses.values()]).mean()
        self._training_losses.append(loss.item())
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def _losses(self, logits: Mapping[Task, Tensor], truths: list[tuple[float, Tensor]]) -> dict[Task, Tensor]:
        """Return each photo's loss by its labels, (n,) of each head; `truths` are class indices with their shares."""
        losses = {}
        for place, task in enumerate(self.recipe.heads):
            adjusted = logits[task] + self._adjustments[task].to(logits[task])
            losses[task] = torch.stack([share * self.loss(adjusted, truth[:, place]) for share, truth in truths]).sum(0)
        return losses

    def _mixed(self, photos: Tensor, classes: Tensor) -> tuple[Tensor, list[tuple[float, Tensor]]]:
        """Blend each photo with another of its batch (mixup: Zhang et al. 2018, arXiv 1710.09412).

        Returns the blends, and the classes of both photos, each with its share.
        """
        alpha = self.recipe.schedule.mixup
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        other = torch.randperm(len(photos), device=photos.device)
        blend = (share * photos + (1 - share) * photos[other]).round().to(torch.uint8)
        return blend, [(share, classes), (1 - share, classes[other])]

    def _patched(self, photos: Tensor, classes: Tensor) -> tuple[Tensor, list[tuple[float, Tensor]]]:
        """Lay a rectangle of the photo before it in the batch over each (CutMix: Yun et al. 2019, arXiv 1905.04899).

        Returns the photos so covered, and the classes of both, each with the share of the area that it shows.
        """
        places = torch.arange(len(photos), device=photos.device)  # in place of labels: they come back as shares
        covered, shares = CutMix(alpha=self.recipe.schedule.cutmix, num_classes=len(photos))(photos, places)
        share = float(shares[0, 0])
        return covered, [(share, classes), (1 - share, classes.roll(1, dims=0))]

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Keep the logits of one batch until the whole split is seen."""
        photos, classes = batch
        logits = {task: output.float().cpu() for task, output in self.logits(photos).items()}
        self._validation.append((logits, classes.cpu()))

    def validation_logits(self) -> dict[Task, tuple[np.ndarray, np.ndarray]]:
        """Return logits (n, k) and true indices (n,) of the validation split for each head, and forget them."""
        classes = torch.cat([classes for _, classes in self._validation]).numpy()
        found = {
            task: (torch.cat([logits[task] for logits, _ in self._validation]).numpy(), classes[:, place])
            for place, task in enumerate(self.recipe.heads)
        }
        self._validation.clear()
        return found

    def on_validation_epoch_end(self) -> None:
        """Compute and log the validation figures, and append them to the curves."""
        figures = figures_of_heads(self.validation_logits(), self.recipe.task)
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


def logit_adjustments(recipe: Recipe, drawn: Mapping[Task, np.ndarray] | None) -> dict[Task, Tensor]:
    """Return what is added to each head's logits while training, float32 (k,): the recipe's times log of the shares.

    The network itself then tells the classes apart as if all were alike in number (Menon et al. 2021, arXiv
    2007.07314). Zero without an adjustment. ValueError where one is asked for and the shares are not known.
    """
    strength = recipe.sampling.logit_adjustment
    if not strength:
        return {task: torch.zeros(len(classes)) for task, classes in recipe.heads.items()}
    if drawn is None:
        raise ValueError("A logit adjustment needs the shares in which classes are drawn.")
    return {task: strength * torch.from_numpy(np.log(drawn[task])).float() for task in recipe.heads}


def figures_of_heads(validation: Mapping[Task, tuple[np.ndarray, np.ndarray]], task: Task) -> dict[str, float]:
    """Return the validation figures of the head of a task and, of a pair, the other's AUROC and the mean of both.

    `validation` holds logits and true indices of each head, as for `validation_figures`.
    """
    figures = validation_figures(*validation[task])
    for other in validation.keys() - {task}:
        auroc = validation_figures(*validation[other])["macro_auroc"]
        figures |= {f"{other}_auroc": auroc, "mean_auroc": (auroc + figures["macro_auroc"]) / 2}
    return figures


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
