"""Distillation: learn from trained models as well as from labels (Hinton et al. 2015, arXiv 1503.02531)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from skinapp.errors import RecipeError
from skinapp.models.card import InitialWeights, Task
from skinapp.models.folder import get_weights_files
from skinapp.networks.folder import Model, load_model
from skinapp.networks.preprocess import normalise
from skinapp.training.recipe import Distillation, Recipe


class Teachers:
    """Trained models that see the same crops as the student network; their weights never change."""

    def __init__(self, models: Sequence[Model], settings: Distillation) -> None:
        """Keep the models, their weight in the loss, and the temperature that softens all predictions."""
        self.models, self.weight, self.temperature = tuple(models), settings.weight, settings.temperature

    def predict(self, photos: Tensor) -> dict[Task, Tensor]:
        """Return for each head the mean softened probabilities (n, k) of the teachers that have it.

        `photos` are uint8 (n, 3, s, s). The teachers' logits are not calibrated; an average calibrates those of its
        members, and resizes the photos for each.
        """
        by_head: dict[Task, list[Tensor]] = {}
        with torch.no_grad():
            for model in self.models:
                network = model.network.to(photos.device)
                for task, logits in network(normalise(photos, model.card.preprocessing)).items():
                    by_head.setdefault(task, []).append((logits.float() / self.temperature).softmax(1))
        return {task: torch.stack(answers).mean(0) for task, answers in by_head.items()}

    def share_losses(
        self,
        losses: Mapping[Task, Tensor],
        truths: Mapping[Task, Tensor],
        photos: Tensor,
        logits: Mapping[Task, Tensor],
    ) -> dict[Task, Tensor]:
        """Return each head's losses per photo, (n,), with the distance from the teachers mixed in.

        `truths` are the class indices (n, t) that count as correct, `photos` uint8 (n, 3, s, s), `logits` (n, k) the
        student's. Where the teachers' top class is wrong, the loss is that of the label alone: photos of another clinic
        show what the teachers do not know. Heads that no teacher has keep their loss.
        """
        answers, shared = self.predict(photos), dict(losses)
        for task in answers.keys() & losses.keys():
            correct = (answers[task].argmax(1, keepdim=True) == truths[task]).any(1)
            distance = self.compute_distance(answers[task], logits[task])
            shared[task] = torch.lerp(losses[task], distance, self.weight * correct)
        return shared

    def compute_distance(self, answer: Tensor, logits: Tensor) -> Tensor:
        """Return the distance (n,) of a student's logits (n, k) from the teachers' softened probabilities (n, k).

        It is their Kullback-Leibler divergence at the temperature, times the temperature squared, so that the gradient
        has the same size at any temperature.
        """
        student = (logits.float() / self.temperature).log_softmax(1)
        return torch.nn.functional.kl_div(student, answer, reduction="none").sum(1) * self.temperature**2


def load_teachers(recipe: Recipe, folder: Path) -> Teachers | None:
    """Load the teachers of a recipe, named as folders relative to its own; None where it names none.

    Raises ModelError where one cannot be loaded, RecipeError where its classes differ from the recipe's.
    """
    if recipe.distillation is None:
        return None
    models = [load_model(folder / name) for name in recipe.distillation.teachers]
    for model in models:
        for head in model.card.heads:
            if recipe.heads.get(head.name) != head.classes:
                raise RecipeError(
                    f"The teacher {model.card.id} has other {head.name} classes than the recipe. "
                    "Remove it from distillation.teachers."
                )
    return Teachers(models, recipe.distillation)


def list_teacher_files(recipe: Recipe, folder: Path) -> list[Path]:
    """List the weight files of a recipe's teachers; for an average, those of its members.

    ModelError where a teacher has no card.
    """
    teachers = [folder / name for name in (recipe.distillation.teachers if recipe.distillation else ())]
    return [file for teacher in teachers for file in get_weights_files(teacher)]


def describe_teachers(teachers: Teachers | None) -> tuple[InitialWeights, ...]:
    """Return the name, hash and licence of each teacher, for a card."""
    models = teachers.models if teachers else ()
    return tuple(InitialWeights(name=m.card.id, sha256=m.card.weights_sha256, licence=m.card.licence) for m in models)
