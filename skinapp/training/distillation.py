"""Learning from trained models' answers beside the labels: distillation (Hinton et al. 2015, arXiv 1503.02531)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from skinapp.errors import RecipeError
from skinapp.models.card import InitialWeights, Task
from skinapp.models.folder import weights_files
from skinapp.networks.folder import Model, load_model
from skinapp.networks.preprocess import normalise
from skinapp.training.recipe import Distillation, Recipe


class Teachers:
    """Trained models that look at the same crops as the network that is trained; none of their weights changes."""

    def __init__(self, models: Sequence[Model], settings: Distillation) -> None:
        """Keep models, their part of the loss, and the temperature that softens their answers and the student's."""
        self.models, self.weight, self.temperature = tuple(models), settings.weight, settings.temperature

    def answers(self, photos: Tensor) -> dict[Task, Tensor]:
        """Return the mean softened answer, probabilities (n, k), of the teachers that have each head.

        `photos` are uint8 (n, 3, s, s). The logits are those before calibration; of an average those of its members are
        calibrated, and each member sees the photos brought to its own size.
        """
        found: dict[Task, list[Tensor]] = {}
        with torch.no_grad():
            for model in self.models:
                network = model.network.to(photos.device)
                for task, logits in network(normalise(photos, model.card.preprocessing)).items():
                    found.setdefault(task, []).append((logits.float() / self.temperature).softmax(1))
        return {task: torch.stack(answers).mean(0) for task, answers in found.items()}

    def taught(
        self,
        losses: Mapping[Task, Tensor],
        truths: Mapping[Task, Tensor],
        photos: Tensor,
        logits: Mapping[Task, Tensor],
    ) -> dict[Task, Tensor]:
        """Give the teachers their part of each photo's loss, (n,) of each head, and return the losses so shared.

        `truths` are the class indices (n, t) that count as right, `photos` uint8 (n, 3, s, s), `logits` the student's,
        (n, k). A photo of which the teachers' likeliest class is not right is left to its label: another clinic's
        photos teach what the teachers do not know. Heads that no teacher has keep their loss.
        """
        answers, shared = self.answers(photos), dict(losses)
        for task in answers.keys() & losses.keys():
            right = (answers[task].argmax(1, keepdim=True) == truths[task]).any(1)
            shared[task] = torch.lerp(losses[task], self.distance(answers[task], logits[task]), self.weight * right)
        return shared

    def distance(self, answer: Tensor, logits: Tensor) -> Tensor:
        """Return how far a student's logits (n, k) are from softened answers (n, k), for each photo (n,).

        The cross entropy of both softened, less its least, times the temperature squared, so that its gradient is as
        large at any temperature.
        """
        said = (logits.float() / self.temperature).log_softmax(1)
        return torch.nn.functional.kl_div(said, answer, reduction="none").sum(1) * self.temperature**2


def teachers_of(recipe: Recipe, folder: Path) -> Teachers | None:
    """Load the teachers that a recipe names, as folders relative to its own; None where it names none.

    Raises ModelError where one cannot be loaded, RecipeError where its classes are not the recipe's.
    """
    if recipe.distillation is None:
        return None
    models = [load_model(folder / name) for name in recipe.distillation.teachers]
    for model in models:
        for head in model.card.heads:
            if recipe.heads.get(head.name) != head.classes:
                raise RecipeError(
                    f"The teacher {model.card.id} answers {head.name} with other classes than the recipe has. "
                    "Take it out of distillation.teachers."
                )
    return Teachers(models, recipe.distillation)


def teacher_files(recipe: Recipe, folder: Path) -> list[Path]:
    """Name the weights of a recipe's teachers, which decide a training as its table does; of an average its members'.

    ModelError where a teacher has no card.
    """
    teachers = [folder / name for name in (recipe.distillation.teachers if recipe.distillation else ())]
    return [file for teacher in teachers for file in weights_files(teacher)]


def teacher_facts(teachers: Teachers | None) -> tuple[InitialWeights, ...]:
    """Say for a card who was learned from, and on which terms."""
    models = teachers.models if teachers else ()
    return tuple(InitialWeights(name=m.card.id, sha256=m.card.weights_sha256, licence=m.card.licence) for m in models)
