"""Training recipes: TOML files with every setting of a training, checked key by key."""

from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from skinapp.errors import RecipeError
from skinapp.files import read_toml
from skinapp.models.card import Preprocessing, Role, Task, describe_faults
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant
from skinapp.training.sections import (
    Augmentation,
    CalibrationSettings,
    Data,
    Distillation,
    NetworkSettings,
    Sampling,
    Schedule,
    Seed,
    Split,
    StrictModel,
    spell_name,
)

Form = TypeVar("Form", bound=BaseModel)


class Recipe(StrictModel):
    """Every setting of a training; two runs of one recipe on one machine give the same model."""

    role: Annotated[Role, BeforeValidator(spell_name)]
    seed: Seed
    data: Data
    network: NetworkSettings
    input: Preprocessing
    augmentation: Augmentation
    sampling: Sampling
    schedule: Schedule
    split: Split = Split()
    calibration: CalibrationSettings = CalibrationSettings()
    distillation: Distillation | None = None
    evaluate: tuple[str, ...] = Field((), description="for an experiment: the splits to predict and store as runs")

    @model_validator(mode="after")
    def _fits_role(self) -> Self:
        if self.schedule.monitor == "mean_auroc" and self.role != "both":
            raise ValueError(f'monitor "mean_auroc" is the mean of two heads, but role "{self.role}" has one')
        if self.role != "both" and any(extra.untyped for extra in self.data.extra):
            raise ValueError('photos without a type need two heads: set untyped = false or role = "both"')
        if self.distillation and self.distillation.answers and (self.schedule.mixup or self.schedule.cutmix):
            raise ValueError("stored answers are of whole photos: name teachers instead, or set mixup and cutmix to 0")
        known = {is_malignant(code) for code in self.data.classes if code in CODES}
        if self.role == "both" and not (len(known) == 2 and set(self.data.classes) <= set(CODES)):
            raise ValueError('role "both" needs classes from the eight codes, both malignant and benign ones')
        return self

    @property
    def heads(self) -> dict[Task, tuple[str, ...]]:
        """The classes of each trained head, in order."""
        heads: dict[Task, tuple[str, ...]] = {"malignancy": MALIGNANCY_CLASSES, "lesion_type": self.data.classes}
        return heads if self.role == "both" else {self.role: heads[self.role]}

    @property
    def task(self) -> Task:
        """The task whose classes decide the sampling and the split: with two heads, the lesion type."""
        return "malignancy" if self.role == "malignancy" else "lesion_type"

    @property
    def extra_tables(self) -> tuple[Path, ...]:
        """The image tables of `data.extra`."""
        return tuple(dict.fromkeys(Path(extra.table) for extra in self.data.extra))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of that task, in order."""
        return self.heads[self.task]


def read_recipe(path: Path) -> Recipe:
    """Read and check the recipe of a ResNet; RecipeError names each wrong, missing or unknown key."""
    return parse_recipe(Recipe, path, read_toml(path))


def parse_recipe(form: type[Form], path: Path, raw: dict[str, Any]) -> Form:
    """Check the keys of a recipe; RecipeError names the file and each wrong, missing or unknown key."""
    try:
        return form.model_validate(raw)
    except ValidationError as error:
        raise RecipeError(f"{path}: {describe_faults(error, 'recipe')}. Correct these keys.") from error
