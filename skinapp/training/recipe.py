"""Training recipes: TOML files with every setting of a training, checked key by key."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from skinapp.errors import RecipeError
from skinapp.files import read_toml
from skinapp.models.bounds import MAX_INPUT_PX, check_classes, require_none
from skinapp.models.card import Architecture, Preprocessing, Role, Task, describe_faults
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES, is_malignant

SplitBy = Literal["table", "photo", "class", "lesion"]
"""How a split is drawn."""

Form = TypeVar("Form", bound=BaseModel)

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed that every source of random numbers takes."""

BatchSize = Annotated[int, Field(ge=2, description="batch normalisation has nothing to compare in a batch of one")]


def _spell_code(text: object) -> object:
    """Return one of the eight codes in small letters, however it was spelt; anything else as it is."""
    small = text.strip().casefold() if isinstance(text, str) else None
    return small if small in CODES else text


def _spell_name(text: object) -> object:
    """Spell the name of an architecture or a role as here: "ResNet-18" is resnet18, "Lesion-Type" lesion_type."""
    if not isinstance(text, str):
        return text
    small = text.strip().casefold()
    return small.replace("-", "").replace("_", "") if small.startswith("resnet") else small.replace("-", "_")


Label = Annotated[str, BeforeValidator(_spell_code)]
"""A label of photos; the eight codes may be written in capitals, as ISIC's files do."""


class StrictModel(BaseModel):
    """A section of a recipe; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ExtraTable(StrictModel):
    """Photos of another image table, to train on ("train") or to test on at the end ("outside").

    Photos that are twins of a validation, test or showcase photo of the recipe's own table are left out; see `twins`.
    """

    table: str = Field(description="path of the image table, relative to the working directory")
    cameras: tuple[str, ...] = Field((), description="cameras to take photos of; by default all")
    smallest_px: PositiveInt = Field(1, description="minimum short side, in px, of the stored photos")
    use: Literal["train", "outside"] = "train"


class Data(StrictModel):
    """The image table, and the diagnoses in the order of the classes."""

    table: str = Field(description="path of the image table, relative to the working directory")
    classes: tuple[Label, ...] = CODES
    relabel: dict[Label, Label] = Field({}, description='labels to replace, such as {scc = "akiec"}')
    cap: PositiveInt | None = Field(None, description="maximum number of photos per diagnosis; the others are left out")
    cap_part: Literal["all", "train"] = Field(
        "train", description='the photos to cap: "train", or "all" before they are split'
    )
    extra: tuple[ExtraTable, ...] = ()

    @model_validator(mode="after")
    def _has_each_class_once(self) -> Self:
        require_none(check_classes("lesion_type", self.classes))
        return self


class Split(StrictModel):
    """The split into training and validation photos: the table's, or a new one for an experiment.

    `by` draws validation by photo, by photo within each class, or by lesion; "table" keeps the table's split and draws
    validation from its training photos where it has none. Showcase photos are never used. `twins` are findings with
    pairs of the same picture: a draw by lesion keeps both on one side, and twins of showcase photos are left out.
    """

    by: SplitBy = "table"
    validation_share: float = Field(0.2, gt=0, lt=1)
    seed: Seed = 2026
    twins: str | None = Field(None, description="findings of `skinapp audit`, relative to the working directory")
    outside: str | None = Field(
        None, description='a camera to keep out: its training and validation photos become the split "outside"'
    )


class NetworkSettings(StrictModel):
    """The ResNet and its initial weights: a file (safetensors or PyTorch), a torchvision name, or "none"."""

    architecture: Annotated[Architecture, BeforeValidator(_spell_name)] = "resnet18"
    initial_weights: str = "none"
    initial_licence: str = "none: trained from random weights"
    dropout: float = Field(0.0, ge=0, lt=1)


class Augmentation(StrictModel):
    """The augmentation of training photos; with everything 0 and a scale of (1, 1) they stay as they are."""

    crop_px: PositiveInt | None = Field(
        None,
        le=MAX_INPUT_PX,
        description="side of the training crops in px, by default input_px; smaller crops train faster",
    )
    crop_scale: tuple[PositiveFloat, PositiveFloat] = (0.5, 1.0)
    crop_ratio: tuple[PositiveFloat, PositiveFloat] = (0.8, 1.25)
    flip: bool = True
    quarter_turns: bool = True
    brightness: float = Field(ge=0, le=1)
    contrast: float = Field(ge=0, le=1)
    saturation: float = Field(ge=0, le=1)
    hue: float = Field(ge=0, le=0.5)
    cast: float = Field(0.0, ge=0, le=1, description="maximum change of each colour channel's scale")
    any_turn: bool = Field(False, description="rotate the crop by any angle; outside the photo it is mirrored")
    blur: float = Field(0.0, ge=0, le=1, description="share of photos to blur")
    coarse: float = Field(0.0, ge=0, le=1, description="share to reduce in resolution by a factor of up to 3")
    jpeg: float = Field(0.0, ge=0, le=1, description="share to compress as JPEG, quality 30 to 95")
    dark_corners: float = Field(0.0, ge=0, le=1, description="share to give a dermatoscope's dark corners")
    grey_world: float = Field(0.0, ge=0, le=1, description="share to remove the colour cast of")

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:
        ranges = {"crop_scale": self.crop_scale, "crop_ratio": self.crop_ratio}
        require_none([f"{name} must be the lower bound, then the upper" for name, (a, b) in ranges.items() if a > b])
        return self


class Sampling(StrictModel):
    """How often each class is sampled: exponent 0 as in the data, 1 all classes equally, 0.5 by the root of counts."""

    balance_exponent: float = Field(0.5, ge=0, le=1)
    replacement: bool = Field(
        True, description="false: each photo comes exactly as often as its probability says, up to rounding"
    )
    logit_adjustment: float = Field(
        0.0, ge=0, description="factor of the log share of each class as sampled, added to the logits in training"
    )


class Schedule(StrictModel):
    """AdamW with linear warm-up and a cosine down to zero; stops early when validation no longer improves."""

    epochs: PositiveInt
    batch_size: BatchSize = 64
    learning_rate: PositiveFloat = 3e-4
    weight_decay: float = Field(0.05, ge=0)
    warmup_epochs: float = Field(0.5, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    average_decay: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="decay of the running average of the weights, which is validated and kept; 0 for none",
    )
    patience: PositiveInt = 4
    mixup: float = Field(0.0, ge=0, description="alpha of mixup's Beta(alpha, alpha); 0 for none")
    cutmix: float = Field(0.0, ge=0, description="alpha of CutMix's Beta(alpha, alpha); 0 for none")
    monitor: Literal["loss", "balanced_accuracy", "macro_auroc", "mean_auroc"] = "macro_auroc"
    keep: Literal["best", "last"] = Field(
        "best", description="which epoch's weights to keep: the best by monitor, or the last"
    )

    @model_validator(mode="after")
    def _uses_one_blend(self) -> Self:
        if self.mixup and self.cutmix:
            raise ValueError("mixup and cutmix cannot both be used: set one of them to 0")
        return self


class CalibrationSettings(StrictModel):
    """How much of the sampling's change of class shares is undone before the temperature is fitted."""

    undo_sampling: float = Field(
        0.0, ge=0, le=1, description="0: scores hold for the class shares as sampled; 1: for those in the data"
    )


class Distillation(StrictModel):
    """Trained models to learn from besides the labels, on photos where they predict the label."""

    teachers: tuple[str, ...] = Field(min_length=1, description="their folders, relative to the recipe's folder")
    weight: float = Field(
        0.5, gt=0, le=1, description="weight of the teachers in the loss of such a photo; the label has the rest"
    )
    temperature: PositiveFloat = Field(2.0, description="softens the predictions of teachers and student")


class Recipe(StrictModel):
    """Every setting of a training; two runs of one recipe on one machine give the same model."""

    role: Annotated[Role, BeforeValidator(_spell_name)]
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
