"""The Lightning module of a training: network, loss, optimiser and validation figures."""

import math
from collections.abc import Mapping
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchvision.transforms.v2 import CutMix

from skinapp.metrics import classification
from skinapp.models.card import Task
from skinapp.networks.preprocess import normalise
from skinapp.networks.resnet import HeadedResNet
from skinapp.taxonomy import MALIGNANCY_CLASSES, MALIGNANT, is_malignant
from skinapp.training.batches import UNTYPED
from skinapp.training.distillation import Teachers, share_stored
from skinapp.training.losses import compute_kind_loss
from skinapp.training.recipe import Recipe


class TrainedNetwork(L.LightningModule):
    """Trains a HeadedResNet by a recipe; `curves` holds one row of figures per finished epoch."""

    def __init__(
        self,
        network: HeadedResNet,
        recipe: Recipe,
        steps_per_epoch: int,
        drawn: Mapping[Task, np.ndarray] | None = None,
        teachers: Teachers | None = None,
    ) -> None:
        """Keep the network and the recipe; `steps_per_epoch` sets the length of the schedule.

        `drawn` holds for each head the shares of the classes as they are sampled, float64 (k,), for the logit
        adjustment. `teachers` are the models of the recipe's distillation.
        """
        super().__init__()
        self.network, self.recipe, self.steps_per_epoch = network, recipe, steps_per_epoch
        self.loss = nn.CrossEntropyLoss(
            ignore_index=UNTYPED, label_smoothing=recipe.schedule.label_smoothing, reduction="none"
        )
        self.curves: list[dict[str, float]] = []
        self._adjustments = compute_logit_adjustments(recipe, drawn)
        self._teachers = teachers
        self._training_losses: list[float] = []
        self._validation: list[tuple[dict[Task, Tensor], Tensor]] = []

    def compute_logits(self, photos: Tensor) -> dict[Task, Tensor]:
        """Map uint8 photos (n, 3, s, s) to the logits (n, classes) of each head."""
        output: dict[Task, Tensor] = self.network(normalise(photos, self.recipe.input))
        return output

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seed dropout, mixup and CutMix by seed, epoch and batch alone, so that a resumed run repeats them."""
        torch.manual_seed(_derive_seed(self.recipe.seed, self.current_epoch, batch_idx))

    def training_step(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the loss of one batch: photos, their class indices (n, heads), and stored answers where there are."""
        photos, classes, *answers = batch
        truths = [(1.0, classes)]
        if self.recipe.schedule.mixup:
            photos, truths = self._mix_up(photos, classes)
        if self.recipe.schedule.cutmix:
            photos, truths = self._cut_mix(photos, classes)
        logits = self.compute_logits(photos)
        losses = self._losses(logits, truths)
        if self._teachers:
            right = torch.stack([truth for _, truth in truths], dim=2)
            known = {task: right[:, place] for place, task in enumerate(self.recipe.heads)}
            losses = self._teachers.share_losses(losses, known, photos, logits)
        if answers and self.recipe.distillation:
            losses = share_stored(losses, answers[0], logits, self.recipe.distillation)
        loss = torch.stack([of_photos.mean() for of_photos in losses.values()]).mean()
        self._training_losses.append(loss.item())
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def _losses(self, logits: Mapping[Task, Tensor], truths: list[tuple[float, Tensor]]) -> dict[Task, Tensor]:
        """Return the loss of each photo, (n,) per head; `truths` are pairs of a share and class indices (n, heads)."""
        losses = {}
        for place, task in enumerate(self.recipe.heads):
            adjusted = logits[task] + self._adjustments[task].to(logits[task])
            losses[task] = torch.stack([share * self._loss(adjusted, truth, place) for share, truth in truths]).sum(0)
        return losses

    def _loss(self, logits: Tensor, truth: Tensor, place: int) -> Tensor:
        """Return one head's loss (n,) from its logits (n, k) and all heads' true indices (n, heads)."""
        loss: Tensor = self.loss(logits, truth[:, place])
        untyped = truth[:, place] == UNTYPED
        if not untyped.any():
            return loss
        heads = list(self.recipe.heads)
        malignant = truth[:, heads.index("malignancy")] == MALIGNANCY_CLASSES.index(MALIGNANT)
        types = torch.tensor([is_malignant(code) for code in self.recipe.heads[heads[place]]], device=logits.device)
        return torch.where(untyped, compute_kind_loss(logits, types, malignant), loss)

    def _mix_up(self, photos: Tensor, classes: Tensor) -> tuple[Tensor, list[tuple[float, Tensor]]]:
        """Blend each photo with another of its batch (mixup: Zhang et al. 2018, arXiv 1710.09412).

        Returns the blended photos, and the classes of both, each with its share.
        """
        alpha = self.recipe.schedule.mixup
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        other = torch.randperm(len(photos), device=photos.device)
        blend = (share * photos + (1 - share) * photos[other]).round().to(torch.uint8)
        return blend, [(share, classes), (1 - share, classes[other])]

    def _cut_mix(self, photos: Tensor, classes: Tensor) -> tuple[Tensor, list[tuple[float, Tensor]]]:
        """Paste a rectangle of the previous photo of the batch onto each (CutMix: Yun et al. 2019, arXiv 1905.04899).

        Returns the pasted photos, and the classes of both, each with its share of the area.
        """
        indices = torch.arange(len(photos), device=photos.device)  # as labels, so that CutMix returns the shares
        pasted, shares = CutMix(alpha=self.recipe.schedule.cutmix, num_classes=len(photos))(photos, indices)
        share = float(shares[0, 0])
        return pasted, [(share, classes), (1 - share, classes.roll(1, dims=0))]

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Keep the logits of one batch until the end of the validation epoch."""
        photos, classes = batch
        logits = {task: output.float().cpu() for task, output in self.compute_logits(photos).items()}
        self._validation.append((logits, classes.cpu()))

    def take_validation_logits(self) -> dict[Task, tuple[np.ndarray, np.ndarray]]:
        """Return the validation logits (n, k) and true indices (n,) of each head, and clear them."""
        classes = torch.cat([classes for _, classes in self._validation]).numpy()
        by_head = {
            task: (torch.cat([logits[task] for logits, _ in self._validation]).numpy(), classes[:, place])
            for place, task in enumerate(self.recipe.heads)
        }
        self._validation.clear()
        return by_head

    def on_validation_epoch_end(self) -> None:
        """Compute and log the validation figures, and append them to the curves."""
        figures = compute_head_figures(self.take_validation_logits(), self.recipe.task)
        if self.trainer.sanity_checking:
            return
        self.log_dict({f"validation_{name}": value for name, value in figures.items()}, prog_bar=True)
        row = {"epoch": float(self.current_epoch + 1), "train_loss": float(np.mean(self._training_losses))}
        self.curves.append(row | {f"validation_{name}": value for name, value in figures.items()})
        self._training_losses.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the curves for a resumed run."""
        checkpoint["curves"] = self.curves

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the curves."""
        self.curves = checkpoint["curves"]

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW, without decay on biases and norms, with linear warm-up and a cosine, stepped per batch."""
        schedule = self.recipe.schedule
        decayed = [p for p in self.network.parameters() if p.requires_grad and p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.requires_grad and p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": schedule.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=schedule.learning_rate)
        warmup = schedule.warmup_epochs * self.steps_per_epoch
        factor = make_cosine_schedule(warmup, schedule.epochs * self.steps_per_epoch)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def _derive_seed(*numbers: int) -> int:
    """Return one seed from several numbers, which neighbours do not share."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def compute_logit_adjustments(recipe: Recipe, drawn: Mapping[Task, np.ndarray] | None) -> dict[Task, Tensor]:
    """Return what is added to each head's logits in training, float32 (k,): strength x log(share as sampled).

    The network then learns the classes as if all were equally frequent (Menon et al. 2021, arXiv 2007.07314). All
    zeros where the recipe has no adjustment. ValueError where it has one and `drawn` is None.
    """
    strength = recipe.sampling.logit_adjustment
    if not strength:
        return {task: torch.zeros(len(classes)) for task, classes in recipe.heads.items()}
    if drawn is None:
        raise ValueError("A logit adjustment needs the shares of the classes as they are sampled.")
    return {task: strength * torch.from_numpy(np.log(drawn[task])).float() for task in recipe.heads}


def compute_head_figures(validation: Mapping[Task, tuple[np.ndarray, np.ndarray]], task: Task) -> dict[str, float]:
    """Return the validation figures of a task's head; with two heads also the other's AUROC and the mean of both.

    `validation` holds the logits (n, k) and true indices (n,) of each head.
    """
    figures = compute_validation_figures(*validation[task])
    for other in validation.keys() - {task}:
        auroc = compute_validation_figures(*validation[other])["macro_auroc"]
        figures |= {f"{other}_auroc": auroc, "mean_auroc": (auroc + figures["macro_auroc"]) / 2}
    return figures


def make_cosine_schedule(warmup_steps: float, steps: int) -> Any:
    """Return a function from step to the factor (0 to 1) of the learning rate: linear warm-up, then a half cosine."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        done = (step - warmup_steps) / max(1.0, steps - warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    return factor


def compute_validation_figures(logits: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Return log loss, accuracy, balanced accuracy, macro F1 and macro AUROC of logits (n, k) with true indices (n,).

    They are those of skinapp.metrics, as in every stored run. Macro figures average over the classes that have photos;
    the macro AUROC (one-vs-rest) is NaN where all photos are of one class. All are NaN where a logit is no number.
    """
    if not np.isfinite(logits).all():
        return dict.fromkeys(("loss", "accuracy", "balanced_accuracy", "macro_f1", "macro_auroc"), math.nan)
    scores = torch.from_numpy(logits).softmax(1).numpy().astype(np.float64)
    scores /= scores.sum(axis=1, keepdims=True)
    confusion = classification.confusion_matrix(classes, scores.argmax(axis=1), scores.shape[1])
    aurocs = classification.auroc_per_class(classes, scores)
    return {
        "loss": float(classification.log_loss(classes, scores)),
        "accuracy": float(classification.accuracy(confusion)),
        "balanced_accuracy": float(classification.balanced_accuracy(confusion)),
        "macro_f1": float(classification.macro_f1(confusion)),
        "macro_auroc": float(classification.mean_ignoring_nan(aurocs)),
    }
