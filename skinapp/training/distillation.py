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
from skinapp.training.answers import StoredAnswers, describe_teacher, read_answers
from skinapp.training.losses import compute_distance, soften
from skinapp.training.recipe import Recipe
from skinapp.training.sections import Distillation


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
            distance = compute_distance(answers[task], logits[task], self.temperature)
            shared[task] = torch.lerp(losses[task], distance, self.weight * correct)
        return shared


def share_stored(
    losses: Mapping[Task, Tensor], answers: Tensor, logits: Mapping[Task, Tensor], settings: Distillation
) -> dict[Task, Tensor]:
    """Return each head's losses per photo, (n,), with the distance from a teacher's stored answers mixed in.

    `answers` are probabilities, float32 (n, classes of all heads in the order of `losses`), as from `arrange_answers`;
    a photo with NaN has none and keeps its loss. `logits` (n, k) are the student's.
    """
    shared, parts = {}, torch.split(answers, [logits[task].shape[1] for task in losses], dim=1)
    for (task, loss), answer in zip(losses.items(), parts, strict=True):
        known = answer.isfinite().all(1)
        # Zeros, unlike NaN, have a finite distance, which the weight 0 then takes out.
        softened = soften(answer.nan_to_num(0.0), settings.temperature)
        distance = compute_distance(softened, logits[task], settings.temperature)
        shared[task] = torch.lerp(loss, distance, settings.weight * known)
    return shared


def load_teachers(recipe: Recipe, folder: Path) -> Teachers | None:
    """Load the teachers of a recipe, named as folders relative to its own; None where it names none or stored answers.

    Raises ModelError where one cannot be loaded, RecipeError where its classes differ from the recipe's.
    """
    if recipe.distillation is None or not recipe.distillation.teachers:
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


def load_stored_answers(recipe: Recipe, folder: Path) -> StoredAnswers | None:
    """Read the stored answers that a recipe names, relative to its folder; None where it names none.

    ModelError where the file is missing or holds something else.
    """
    settings = recipe.distillation
    return read_answers(folder / settings.answers) if settings and settings.answers else None


def list_teacher_files(recipe: Recipe, folder: Path) -> list[Path]:
    """List the weight files of a recipe's teachers, for an average those of its members, or the file of answers.

    ModelError where a teacher has no card.
    """
    settings = recipe.distillation
    if settings is None:
        return []
    if settings.answers:
        return [folder / settings.answers]
    return [file for teacher in settings.teachers for file in get_weights_files(folder / teacher)]


def describe_teachers(teachers: Teachers | None, answers: StoredAnswers | None) -> tuple[InitialWeights, ...]:
    """Return the name, hash and licence of each teacher, for a card; of stored answers, those of who gave them."""
    asked = tuple(describe_teacher(model.card) for model in teachers.models) if teachers else ()
    return (*asked, *([answers.teacher] if answers else []))
