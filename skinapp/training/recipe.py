"""Recipes: all that decides a training, as TOML, checked key by key."""

from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from skinapp.errors import RecipeError
from skinapp.files import read_toml
from skinapp.models.card import Architecture, Preprocessing, Role, Task
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant

By = Literal["table", "photo", "class", "lesion"]
"""What a split is drawn by."""

Form = TypeVar("Form", bound=BaseModel)


class Strict(BaseModel):
    """A part of a recipe: a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Extra(Strict):
    """Photos of another table: to learn from too, or only to be asked about in the end, as another clinic's.

    Photos that show one picture with a validation, test or showcase photo of the recipe's own table, by the recipe's
    `twins`, are left out.
    """

    table: str = Field(description="path of the image table, relative to the folder the command runs in")
    cameras: tuple[str, ...] = Field((), description="whose photos; none named: all")
    smallest_px: PositiveInt = Field(1, description="photos stored with a shorter short side are left out")
    use: Literal["train", "outside"] = "train"


class Data(Strict):
    """Which image table, and which diagnoses in which order."""

    table: str = Field(description="path of the image table, relative to the folder the command runs in")
    classes: tuple[str, ...] = CODES
    relabel: dict[str, str] = Field({}, description='labels that count as others, as {scc = "akiec"}')
    cap: PositiveInt | None = Field(None, description="most photos of each diagnosis; the others are left out")
    cap_part: Literal["all", "train"] = Field(
        "train", description='whom the cap is for: "train" alone, or "all" photos before they are split'
    )
    extra: tuple[Extra, ...] = ()


class Split(Strict):
    """Which photos are trained on: as the table says, or drawn anew, as an experiment may want it.

    `by` draws validation by photo, by photo within each class, or by lesion; "table" keeps the table's split and
    draws validation from its training photos where it has none. Showcase photos always stay aside. The pairs of one
    picture that the findings `twins` name are kept on one side by a draw by lesion, and whatever is a twin of a
    showcase photo is used nowhere.
    """

    by: By = "table"
    validation_share: float = Field(0.2, gt=0, lt=1)
    seed: int = 2026
    twins: str | None = Field(None, description="findings of `skinapp audit`, relative to the folder of the command")
    outside: str | None = Field(
        None, description='a camera whose training and validation photos are neither, but the split "outside"'
    )


class NetworkSettings(Strict):
    """Which ResNet, and what it starts from: a safetensors file, torchvision's name of weights, or "none"."""

    architecture: Architecture = "resnet18"
    initial_weights: str = "none"
    initial_licence: str = "none: trained from random weights"
    dropout: float = Field(0.0, ge=0, lt=1)


class Augmentation(Strict):
    """How far training photos are changed; everything 0 and scale (1, 1) leaves them as they are."""

    crop_px: PositiveInt | None = Field(
        None, description="side of the training crops, by default input_px; smaller ones train faster"
    )
    crop_scale: tuple[PositiveFloat, PositiveFloat] = (0.5, 1.0)
    crop_ratio: tuple[PositiveFloat, PositiveFloat] = (0.8, 1.25)
    flip: bool = True
    quarter_turns: bool = True
    brightness: float = Field(ge=0, le=1)
    contrast: float = Field(ge=0, le=1)
    saturation: float = Field(ge=0, le=1)
    hue: float = Field(ge=0, le=0.5)
    cast: float = Field(0.0, ge=0, le=1, description="how far each of red, green and blue is scaled by itself")
    any_turn: bool = Field(False, description="turn the crop by any angle; what lies outside the photo is mirrored in")
    blur: float = Field(0.0, ge=0, le=1, description="the share of photos that are blurred")
    coarse: float = Field(0.0, ge=0, le=1, description="the share that is shrunk by up to three and enlarged again")
    jpeg: float = Field(0.0, ge=0, le=1, description="the share that is compressed as JPEG, quality 30 to 95")
    dark_corners: float = Field(0.0, ge=0, le=1, description="the share that gets a tube's dark corners")
    grey_world: float = Field(0.0, ge=0, le=1, description="the share whose colour cast is taken off")


class Sampling(Strict):
    """How often each class is drawn: exponent 0 as it comes, 1 all classes alike, 0.5 by the root of their counts."""

    balance_exponent: float = Field(0.5, ge=0, le=1)
    replacement: bool = Field(True, description="false: each photo comes as often as its class asks, not by chance")
    logit_adjustment: float = Field(
        0.0, ge=0, description="times the log share of each class as drawn, added to the logits while training"
    )


class Schedule(Strict):
    """AdamW with linear warm-up and a cosine down to zero; stops early when validation no longer gains."""

    epochs: PositiveInt
    batch_size: PositiveInt = 64
    learning_rate: PositiveFloat = 3e-4
    weight_decay: float = Field(0.05, ge=0)
    warmup_epochs: float = Field(0.5, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    average_decay: float = Field(
        0.0, ge=0, lt=1, description="of the running average of the weights that is validated and kept; 0 for none"
    )
    patience: PositiveInt = 4
    mixup: float = Field(0.0, ge=0, description="alpha of mixup's Beta(alpha, alpha); 0 for none")
    cutmix: float = Field(0.0, ge=0, description="alpha of CutMix's Beta(alpha, alpha); 0 for none")
    monitor: Literal["loss", "balanced_accuracy", "macro_auroc", "mean_auroc"] = "macro_auroc"
    keep: Literal["best", "last"] = Field("best", description="which epoch's weights: the best by monitor, or the last")

    @model_validator(mode="after")
    def _blends_one_way(self) -> Self:
        if self.mixup and self.cutmix:
            raise ValueError("mixup and cutmix are two ways to blend a batch: choose one, leave the other at 0")
        return self


class CalibrationSettings(Strict):
    """How logits become probabilities: how much of the sampling's shares is undone before the temperature is fitted."""

    undo_sampling: float = Field(0.0, ge=0, le=1, description="0: scores hold for classes as drawn; 1: as in the data")


class Distillation(Strict):
    """Trained models whose answers are learned beside the labels, of photos where they know the label."""

    teachers: tuple[str, ...] = Field(min_length=1, description="their folders, relative to the recipe's")
    weight: float = Field(
        0.5, gt=0, le=1, description="the teachers' part of such a photo's loss; its label has the rest"
    )
    temperature: PositiveFloat = Field(2.0, description="softens what teachers and student say, to be compared")


class Recipe(Strict):
    """All that decides a training; two runs of one recipe on one machine give the same model."""

    role: Role
    seed: int
    data: Data
    network: NetworkSettings
    input: Preprocessing
    augmentation: Augmentation
    sampling: Sampling
    schedule: Schedule
    split: Split = Split()
    calibration: CalibrationSettings = CalibrationSettings()
    distillation: Distillation | None = None
    evaluate: tuple[str, ...] = Field((), description="of an experiment: the splits to predict and store as runs")

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        if self.schedule.monitor == "mean_auroc" and self.role != "both":
            raise ValueError(f'monitor "mean_auroc" is the mean of two heads, and role "{self.role}" has one')
        known = {is_malignant(code) for code in self.data.classes if code in CODES}
        if self.role == "both" and not (len(known) == 2 and set(self.data.classes) <= set(CODES)):
            raise ValueError('role "both" needs classes of the eight codes, malignant and benign ones')
        return self

    @property
    def heads(self) -> dict[Task, tuple[str, ...]]:
        """The classes of each trained head, in order."""
        heads: dict[Task, tuple[str, ...]] = {"malignancy": MALIGNANCY_CLASSES, "lesion_type": self.data.classes}
        return heads if self.role == "both" else {self.role: heads[self.role]}

    @property
    def task(self) -> Task:
        """The task whose classes decide who is drawn how often, and who is split how: the finer of two."""
        return "malignancy" if self.role == "malignancy" else "lesion_type"

    @property
    def borrowed_tables(self) -> tuple[Path, ...]:
        """The image tables, but for its own, that photos come from."""
        return tuple(dict.fromkeys(Path(extra.table) for extra in self.data.extra))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of that task, in order."""
        return self.heads[self.task]


def read_recipe(path: Path) -> Recipe:
    """Read and check the recipe of a ResNet; RecipeError names the key that is wrong, missing or unknown."""
    return checked(Recipe, path, read_toml(path))


def checked(form: type[Form], path: Path, raw: dict[str, Any]) -> Form:
    """Give a recipe's keys their form; RecipeError names the file and the key that is wrong, missing or unknown."""
    try:
        return form.model_validate(raw)
    except ValidationError as error:
        raise RecipeError(f"{path}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "recipe"
        lines.append(f"{key}: {fault['msg']}")
    return "; ".join(lines) + ". Correct these keys."
