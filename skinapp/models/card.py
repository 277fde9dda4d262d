"""A model's card: all that must be known of it before it is used; read and written."""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, TypeAdapter, ValidationError, model_validator

from skinapp.errors import ModelError
from skinapp.files import finish_replacing, replace_file

Task = Literal["malignancy", "lesion_type"]
Role = Literal["malignancy", "lesion_type", "both"]
Architecture = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of pixels / 255, red, green, blue: what torchvision's ImageNet weights expect."""

CARD, RECIPE = "card.json", "recipe.toml"
TRAINING = "training.json"
"""The card of a training whose weights were not kept; not named card.json, because nothing there can be loaded."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preprocessing(_Strict):
    """How a photo becomes input: its short side to `resize_px`, the central `input_px` square, normalised."""

    resize_px: PositiveInt = 256
    input_px: PositiveInt = 224
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.input_px > self.resize_px:
            raise ValueError("input_px must not exceed resize_px")
        return self


class Head(_Strict):
    """One output of a network: its task and its classes in the order of its logits."""

    name: Task
    classes: tuple[str, ...]
    temperature: float = Field(1.0, gt=0, description="logits are divided by it; fitted on validation")
    offsets: tuple[float, ...] = Field(
        (), description="added to logits / temperature, one a class: what undoes the shares in which classes were drawn"
    )
    shares: tuple[float, ...] = Field(
        (), description="of the classes among those the scores are meant for: 0 to 1, together 1; empty if not kept"
    )

    @property
    def shares_by_class(self) -> dict[str, float]:
        """The shares by class; empty where they are not kept or one is 0: from such no score can be restated."""
        return dict(zip(self.classes, self.shares, strict=True)) if min(self.shares, default=0) > 0 else {}


class SplitFacts(_Strict):
    """What one split of the training table held."""

    photos: int
    lesions: int
    malignant_share: float


class TableFacts(_Strict):
    """An image table, by its name and the sha256 of its file."""

    table: str
    sha256: str


class DataFacts(_Strict):
    """Which photos a model learned from, and what limits that sets."""

    table: str
    table_sha256: str
    others: tuple[TableFacts, ...] = Field((), description="tables that photos were borrowed from")
    sources: tuple[str, ...]
    train: SplitFacts
    validation: SplitFacts
    limits: tuple[str, ...]


RANDOM_WEIGHTS = "none"
"""The name of initial weights that are no file and no name of torchvision's: drawn at random."""


class InitialWeights(_Strict):
    """Weights that a training started from or learned from, and on which terms."""

    name: str
    sha256: str | None
    licence: str


class Provenance(_Strict):
    """By which recipe a model was made, with what, and when: all there is to say of an average of trained networks."""

    recipe_sha256: str
    versions: tuple[str, str, str] = Field(description="python, torch, skinapp")
    finished: str


class TrainingFacts(Provenance):
    """How a training went."""

    best_epoch: int = Field(description="whose weights were kept: the best by monitor, or the last, as the recipe says")
    epochs: int
    monitor: str
    best_value: float = Field(description="of monitor, on validation, at that epoch")
    elapsed_s: float
    device: str


class NetworkFacts(_Strict):
    """A network that answers, alone or as one of several that are averaged, and how it came to be."""

    name: str
    architecture: Architecture
    preprocessing: Preprocessing
    tasks: tuple[Task, ...]
    weights_sha256: str
    rounding: float | None
    train: SplitFacts
    initial: InitialWeights
    teachers: tuple[InitialWeights, ...]
    training: TrainingFacts


_MEMBERS = TypeAdapter(tuple[NetworkFacts, ...])


class OperatingPoint(_Strict):
    """A threshold of the malignancy score that was chosen on validation, and is never moved by what test shows."""

    sensitivity: float = Field(gt=0, le=1, description="what the threshold was to reach on validation")
    threshold: float = Field(ge=0, le=1, description="a score of at least this is above it")


Stage = Literal["final", "before calibration", "threshold read from these photos"]
"""What a figure is of: the scores and thresholds that answer, or what they are compared with."""


class CardFigure(_Strict):
    """A figure of a stored run with its 95% interval, copied from there by `skinapp card`; None where undefined."""

    task: Task
    run: str
    split: str
    grouped_by: str | None = Field(None, description='what tells its subgroup from others, as "camera"')
    group: str | None = Field(None, description='as "rosendahl", or "akiec left out"; None: all photos of the run')
    metric: str = Field(description='as "balanced_accuracy"; metrics.labels names them')
    label: str | None = Field(None, description="the class, of a figure that belongs to one")
    sensitivity: float | None = Field(None, description="of the operating point that the figure is at: 0 to 1")
    stage: Stage = "final"
    value: float | None
    low: float | None = None
    high: float | None = None
    photos: int
    lesions: int


class UnseenCameraResult(_Strict):
    """A figure of a tried recipe, an average too, on photos of a camera or a clinic that it did not learn from."""

    recipe: str
    network: str = Field(description='its architecture; of an average those of its members, as "resnet18 + resnet50"')
    whose: tuple[str, ...] = Field(description="cameras of these photos, or their source where no camera is known")
    figure: CardFigure
    rates: tuple[CardFigure, ...] = Field(
        (), description="sensitivity and specificity there, at the operating point that its own validation run gives"
    )


class SeedFigures(_Strict):
    """Figures on validation of a network, or of another that was trained by the same recipe from another seed."""

    network: str = Field(description="which of the networks that answer")
    recipe: str = Field(description="whose figures these are: that network's own folder, or that of a tried recipe")
    seed: int
    figures: dict[str, float] = Field(description='as "macro_auroc", as far as they are defined')


class Card(_Strict):
    """All that must be known of a model before it is used; a model without one does not load."""

    id: str
    role: Role
    architecture: Architecture = Field(description="of its network, or of the first of its members")
    members: tuple[NetworkFacts, ...] = Field(
        (), description="networks whose answers are averaged, each in members/<name>/; none: it is one network"
    )
    heads: tuple[Head, ...]
    preprocessing: Preprocessing
    weights_sha256: str = Field(description="of its weights file; of an average see networks.average.joint_sha256")
    weights_dtype: Literal["float16"]
    rounding: float | None = Field(
        None, description="largest difference of a validation probability from that of the weights before fp16"
    )
    operating_points: tuple[OperatingPoint, ...] = ()
    figures: tuple[CardFigure, ...] = ()
    left_out: tuple[UnseenCameraResult, ...] = Field((), description="of recipes that were tried for this model")
    seeds: tuple[SeedFigures, ...] = Field((), description="of networks whose recipe was tried from other seeds too")
    data: DataFacts
    initial: InitialWeights | None = Field(description="none of an average: each member has its own")
    teachers: tuple[InitialWeights, ...] = Field((), description="models whose answers it learned beside the labels")
    training: TrainingFacts | Provenance
    licence: str
    intended_use: str
    not_for: str

    @model_validator(mode="after")
    def _says_how_it_was_made(self) -> Self:
        if not self.members and not (self.initial and isinstance(self.training, TrainingFacts)):
            raise ValueError("a network that is no average needs its initial weights and how its training went")
        return self

    @property
    def networks(self) -> tuple[NetworkFacts, ...]:
        """The networks that answer: its members, or the one that it is."""
        if self.members:
            return self.members
        assert self.initial
        assert isinstance(self.training, TrainingFacts)
        return (
            NetworkFacts(
                name=self.id,
                architecture=self.architecture,
                preprocessing=self.preprocessing,
                tasks=tuple(head.name for head in self.heads),
                weights_sha256=self.weights_sha256,
                rounding=self.rounding,
                train=self.data.train,
                initial=self.initial,
                teachers=self.teachers,
                training=self.training,
            ),
        )

    def head(self, name: str) -> Head:
        """Return the head of a task; ModelError where the model has none."""
        for head in self.heads:
            if head.name == name:
                return head
        raise ModelError(f"The model {self.id} has no {name} head; it has {', '.join(h.name for h in self.heads)}.")


def write_card(folder: Path, card: Card) -> None:
    """Write a model's card in place of the one that is there, whole or not at all; the weights stay as they are."""
    with replace_file(folder / CARD) as aside:
        aside.write_text(format_card(card), encoding="utf-8")


def format_card(card: Card) -> str:
    """Write a card as the text of its file."""
    return card.model_dump_json(indent=2) + "\n"


def read_card(folder: Path) -> Card:
    """Read a model's card; ModelError where there is none or a key is wrong or missing."""
    finish_replacing(folder)
    try:
        return Card.model_validate_json((folder / CARD).read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} holds no {CARD}. Train the model with `skinapp train {folder / RECIPE}`, or name another folder "
            "of models with --models or SKINAPP_MODELS."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise ModelError(f"{folder / CARD} is not a model card: {where}: {first['msg']}. Train it anew.") from error


def read_training(path: Path) -> TrainingFacts:
    """Read how a training went from a card, or from what an experiment keeps of one; ModelError where it is damaged."""
    try:
        return TrainingFacts.model_validate(json.loads(path.read_bytes())["training"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} does not say how the training went. Train it anew.") from error


def read_members(path: Path) -> tuple[NetworkFacts, ...]:
    """Read the averaged networks from a card, or from an experiment's training record; none where it is no average.

    Raises ModelError where it is damaged.
    """
    try:
        return _MEMBERS.validate_python(json.loads(path.read_bytes()).get("members", ()))
    except (AttributeError, ValueError) as error:
        raise ModelError(f"{path} does not say which networks are averaged. Average them anew.") from error
