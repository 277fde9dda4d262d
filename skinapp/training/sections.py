"""The sections of a training recipe: what each key means and what it may be."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from skinapp.models.bounds import MAX_INPUT_PX, check_classes, require_none
from skinapp.models.card import RANDOM_WEIGHTS, Architecture
from skinapp.taxonomy import CODES

SplitBy = Literal["table", "photo", "class", "lesion"]
"""How a split is drawn."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed that every source of random numbers takes."""

BatchSize = Annotated[int, Field(ge=2, description="batch normalisation has nothing to compare in a batch of one")]


def _spell_code(text: object) -> object:
    """Return one of the eight codes in small letters, however it was spelt; anything else as it is."""
    small = text.strip().casefold() if isinstance(text, str) else None
    return small if small in CODES else text


def spell_name(text: object) -> object:
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
    untyped: bool = Field(
        False, description="with two heads: use photos too of which only benign or malignant is known, to train on"
    )

    @model_validator(mode="after")
    def _has_types_to_test_on(self) -> Self:
        if self.untyped and self.use != "train":
            raise ValueError('photos without a type can be trained on only: set untyped = false or use = "train"')
        return self


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

    architecture: Annotated[Architecture, BeforeValidator(spell_name)] = "resnet18"
    initial_weights: str = "none"
    initial_licence: str = "none: trained from random weights"
    initial_heads: bool = Field(False, description="take the heads from the initial weights too, not random ones")
    dropout: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _has_heads_to_take(self) -> Self:
        if self.initial_heads and self.initial_weights == RANDOM_WEIGHTS:
            raise ValueError("initial_heads = true needs initial_weights that have these heads")
        return self


class CropStage(StrictModel):
    """The side of the training crops from an epoch on, counted from 1."""

    from_epoch: PositiveInt
    crop_px: PositiveInt = Field(le=MAX_INPUT_PX)


class Augmentation(StrictModel):
    """The augmentation of training photos; with everything 0 and a scale of (1, 1) they stay as they are."""

    crop_px: PositiveInt | None = Field(
        None,
        le=MAX_INPUT_PX,
        description="side of the training crops in px, by default input_px; smaller crops train faster",
    )
    stages: tuple[CropStage, ...] = Field((), description="crops of another size from an epoch on, in their order")
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

    @model_validator(mode="after")
    def _stages_follow_each_other(self) -> Self:
        starts = [1, *(stage.from_epoch for stage in self.stages)]
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("stages must begin after epoch 1, each after the one before it")
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
    """What to learn from besides the labels: trained models, or a model's stored answers on whole photos.

    Trained models are asked about every crop, and heard where they predict the label. Stored answers are always heard.
    """

    teachers: tuple[str, ...] = Field((), description="folders of models, relative to the recipe's folder")
    answers: str | None = Field(None, description="file of `skinapp teach`, relative to the recipe's folder")
    weight: float = Field(
        0.5, gt=0, le=1, description="weight of the teachers in the loss of such a photo; the label has the rest"
    )
    temperature: PositiveFloat = Field(2.0, description="softens the predictions of teachers and student")

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        if bool(self.teachers) == bool(self.answers):
            raise ValueError("name either teachers or answers")
        return self
