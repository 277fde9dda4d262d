"""A model's card: everything to know about a model before using it. Its types, and reading and writing it."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, TypeAdapter, ValidationError, model_validator

from skinapp.errors import ModelError
from skinapp.files import finish_replacing, replace_file
from skinapp.models.bounds import (
    MAX_INPUT_PX,
    MAX_OFFSET,
    MAX_RESIZE_PX,
    TEMPERATURES,
    check_classes,
    check_normalisation,
    check_per_class,
    check_shares,
    check_thresholds,
    find_unknown_types,
    require_none,
)
from skinapp.models.evidence import ActivationFacts, SimilarFacts
from skinapp.models.quality import QualityFacts
from skinapp.models.scope import ScopeFacts
from skinapp.models.seal import SEAL, add_seal, compute_seal
from skinapp.models.strict import Strict
from skinapp.models.uncertainty import ConformalFacts, RepeatFacts

Task = Literal["malignancy", "lesion_type"]
Role = Literal["malignancy", "lesion_type", "both"]
Architecture = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of pixels / 255, red, green, blue: what torchvision's ImageNet weights expect."""

CARD, RECIPE = "card.json", "recipe.toml"
TRAINING = "training.json"
"""The card of a training whose weights were not kept. It is not named card.json, because no model can be loaded."""


class Preprocessing(Strict):
    """How a photo becomes input: short side resized to `resize_px`, central `input_px` square, normalised."""

    resize_px: PositiveInt = Field(256, le=MAX_RESIZE_PX)
    input_px: PositiveInt = Field(224, le=MAX_INPUT_PX)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.input_px > self.resize_px:
            raise ValueError("input_px must not exceed resize_px")
        require_none(check_normalisation(self.mean, self.std))
        return self


class Head(Strict):
    """One output of a network: its task and its classes in the order of its logits."""

    name: Task
    classes: tuple[str, ...]
    temperature: float = Field(
        1.0, ge=TEMPERATURES[0], le=TEMPERATURES[1], description="logits are divided by it; fitted on validation"
    )
    offsets: tuple[float, ...] = Field(
        (), description="added to logits / temperature, one per class; they undo the shares in which classes were drawn"
    )
    shares: tuple[float, ...] = Field(
        (), description="of each class among the photos that the scores are meant for: 0 to 1, sum 1; empty if unknown"
    )

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        too_large = [f"an offset is beyond {MAX_OFFSET:g}"] if any(abs(o) > MAX_OFFSET for o in self.offsets) else []
        per_class = check_per_class({"offsets": self.offsets, "shares": self.shares}, len(self.classes))
        require_none([*check_classes(self.name, self.classes), *per_class, *too_large, *check_shares(self.shares)])
        return self

    @property
    def shares_by_class(self) -> dict[str, float]:
        """The shares by class; empty where unknown or where one is 0, because no score can be restated then."""
        return dict(zip(self.classes, self.shares, strict=True)) if min(self.shares, default=0) > 0 else {}


class SplitFacts(Strict):
    """How many photos and lesions a split of the training table holds, and the share of malignant photos, 0 to 1."""

    photos: int
    lesions: int
    malignant_share: float


class TableFacts(Strict):
    """The name of an image table and the sha256 of its file."""

    table: str
    sha256: str


class DataFacts(Strict):
    """Which photos a model was trained on, and the limits that follow."""

    table: str
    table_sha256: str
    others: tuple[TableFacts, ...] = Field((), description="other tables whose photos were used for training")
    sources: tuple[str, ...]
    train: SplitFacts
    validation: SplitFacts
    limits: tuple[str, ...]


RANDOM_WEIGHTS = "none"
"""The name of initial weights that were drawn at random, not read from a file or torchvision."""


class InitialWeights(Strict):
    """Weights that a training started from or learned from, and their licence."""

    name: str
    sha256: str | None
    licence: str


class Provenance(Strict):
    """The recipe, software versions and date of a model; an average of trained networks has no more than that."""

    recipe_sha256: str
    versions: tuple[str, str, str] = Field(description="python, torch, skinapp")
    finished: str


class TrainingFacts(Provenance):
    """How a training went."""

    best_epoch: int = Field(
        description="the epoch of the weights: the best by monitor, or the last, as the recipe says"
    )
    epochs: int
    monitor: str
    best_value: float = Field(description="value of monitor on validation at that epoch")
    elapsed_s: float
    device: str


class NetworkFacts(Strict):
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


class OperatingPoint(Strict):
    """A threshold of the malignancy score, chosen on validation; test results never move it."""

    sensitivity: float = Field(gt=0, le=1, description="reached on validation")
    threshold: float = Field(ge=0, le=1, description="a score of at least this is above it")


Stage = Literal["final", "before calibration", "threshold read from these photos"]
"""What a figure is of: the scores and thresholds that answer, or what they are compared with."""


class CardFigure(Strict):
    """A figure of a stored run with its 95% interval, copied from there by `skinapp card`; None where undefined."""

    task: Task
    run: str
    split: str
    grouped_by: str | None = Field(None, description='what tells its subgroup from others, for example "camera"')
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


class UnseenCameraResult(Strict):
    """The result of a tried recipe, single or average, on photos of a camera or clinic that it was not trained on."""

    recipe: str
    network: str = Field(description='its architecture; of an average those of its members: "resnet18 + resnet50"')
    whose: tuple[str, ...] = Field(description="cameras of these photos, or their source where the camera is unknown")
    figure: CardFigure
    rates: tuple[CardFigure, ...] = Field(
        (), description="sensitivity and specificity there, at the operating point from its own validation run"
    )


class SeedFigures(Strict):
    """Validation figures of a network, or of one trained by the same recipe from another seed."""

    network: str = Field(description="the name of the model's network")
    recipe: str = Field(description="whose figures these are: the network's own folder, or that of a tried recipe")
    seed: int
    figures: dict[str, float] = Field(description='by metric, for example "macro_auroc"; only defined ones')


class Card(Strict):
    """Everything to know about a model before using it; a model without a card does not load."""

    id: str
    role: Role
    architecture: Architecture = Field(description="of its network, or of the first of its members")
    members: tuple[NetworkFacts, ...] = Field(
        (), description="networks whose answers are averaged, each in members/<name>/; empty for a single network"
    )
    evidence_network: str | None = Field(
        None, description="the member whose maps and features are shown and checked; None for a single network"
    )
    heads: tuple[Head, ...]
    preprocessing: Preprocessing
    weights_sha256: str = Field(description="of its weights file; of an average see networks.average.joint_sha256")
    weights_dtype: Literal["float16"]
    rounding: float | None = Field(
        None, description="largest change of a validation probability by rounding the weights to fp16"
    )
    operating_points: tuple[OperatingPoint, ...] = ()
    figures: tuple[CardFigure, ...] = ()
    left_out: tuple[UnseenCameraResult, ...] = Field((), description="recipes tried for this model, on unseen cameras")
    seeds: tuple[SeedFigures, ...] = Field((), description="of networks whose recipe was also trained from other seeds")
    reference_sha256: str | None = Field(
        None, description="of reference.safetensors: features of training photos by the evidence network"
    )
    quality: QualityFacts | None = Field(None, description="checks of what the networks see of a photo")
    conformal: ConformalFacts | None = Field(None, description="of the lesion types, fitted to these scores")
    repeats: RepeatFacts | None = Field(None, description="of several photos of one lesion, fitted to these scores")
    activation: ActivationFacts | None = Field(None, description="where the evidence network's maps lie")
    similar: SimilarFacts | None = Field(None, description="how often the nearest case has the right label")
    scope: ScopeFacts | None = Field(None, description="the gate that tells dermoscopy from other pictures, if fitted")
    reading_exponent: float | None = Field(
        None, ge=0, le=1, description="lesion types are also read with their scores divided by shares to this power"
    )
    data: DataFacts
    initial: InitialWeights | None = Field(description="None for an average: each member has its own")
    teachers: tuple[InitialWeights, ...] = Field(
        (), description="models whose answers it learned from beside the labels"
    )
    training: TrainingFacts | Provenance
    licence: str
    intended_use: str
    not_for: str

    @model_validator(mode="after")
    def _require_training_facts(self) -> Self:
        if not self.members and not (self.initial and isinstance(self.training, TrainingFacts)):
            raise ValueError("a single network needs its initial weights and training facts")
        return self

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        tasks, names = sorted(head.name for head in self.heads), [member.name for member in self.members]
        expected = ["lesion_type", "malignancy"] if self.role == "both" else [self.role]
        problems = check_thresholds([(point.sensitivity, point.threshold) for point in self.operating_points])
        if tasks != expected:
            problems.append(
                f'role "{self.role}" needs the heads {", ".join(expected)}, not {", ".join(tasks) or "none"}'
            )
        if self.evidence_network not in (None, *names):
            problems.append("evidence_network must be one of members")
        if len(set(names)) < len(names) or any(name in ("", "..") or PurePath(name).name != name for name in names):
            problems.append("members must be names of folders, each named once")
        require_none(problems)
        return self

    @property
    def networks(self) -> tuple[NetworkFacts, ...]:
        """The networks of the model: its members, or the single network itself."""
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


NOT_YET_MEASURED: Mapping[str, object] = {
    "operating_points": (),
    "figures": (),
    "conformal": None,
    "repeats": None,
    "reading_exponent": None,
}
"""What a card says of its scores before they were measured: with other scores, all of it must be measured again."""


def find_evidence_network(card: Card) -> str:
    """Return the name of the network whose maps and features are the evidence beside an answer.

    It is the one that the card names, else the first of its networks that answers every task of the model.
    """
    complete = [network.name for network in card.networks if len(network.tasks) == len(card.heads)]
    return card.evidence_network or next(iter(complete), card.networks[0].name)


def write_card(folder: Path, card: Card) -> None:
    """Replace a model's card, whole or not at all; the weights stay as they are."""
    with replace_file(folder / CARD) as aside:
        aside.write_text(format_card(card), encoding="utf-8")


def format_card(card: Card) -> str:
    """Return a card as the text of its file, with its seal."""
    return add_seal(card.model_dump_json(indent=2))


def read_card(folder: Path, sealed: bool = True) -> Card:
    """Read a model's card and check it.

    Raises ModelError where it is missing, a key is wrong or missing, or it was changed since it was written. With
    `sealed` false the last is not checked: only for a command that makes anew what the seal protects.
    """
    path = folder / CARD
    content = _read_content(path)
    seal = content.pop(SEAL, None)
    try:
        card = Card.model_validate(content)
    except ValidationError as error:
        raise ModelError(
            f"{path} is not a model card: {describe_faults(error, 'the whole file')}. "
            "Restore it, or train the model again."
        ) from error
    for head in card.heads:
        if head.name == "lesion_type" and (unknown := find_unknown_types(head.classes)):
            raise ModelError(f"{path} has lesion types that are none of the eight: {', '.join(unknown)}. Restore it.")
    if sealed and seal != compute_seal(content):
        raise ModelError(_describe_broken_seal(path, card, seal))
    return card


def _read_content(path: Path) -> dict[str, Any]:
    """Read the JSON of a card; ModelError where there is none."""
    try:
        finish_replacing(path.parent)
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            f"{path.parent} holds no {CARD}. Name the folder of a model, or another folder of models with --models or "
            f"SKINAPP_MODELS; `skinapp train {path.with_name(RECIPE)}` makes a model."
        ) from error
    except NotADirectoryError as error:
        raise ModelError(
            f"{path.parent} is a file. Name the model's folder, the one that holds {CARD} and its weights."
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}). Restore the file {CARD}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not a model card: the whole file: it is no JSON ({error}). Restore it.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not a model card: the whole file: it is no JSON object. Restore it.")
    return content


def describe_faults(error: ValidationError, whole: str) -> str:
    """List every fault that pydantic found in the form "key: what is wrong"; `whole` names a fault without a key."""
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or whole
        lines.append(f"{key}: {fault['msg']}")
    return "; ".join(lines)


def _describe_broken_seal(path: Path, card: Card, seal: object) -> str:
    if card.members:
        anew = f"`skinapp average {path.with_name(RECIPE)}`"
    else:
        anew = f"`skinapp calibrate {path.parent}`, which reads the recipe beside it"
    happened = (
        "was changed by hand: its seal does not match" if seal else "has no seal, so nobody knows if it was changed"
    )
    return f"{path} {happened}. Restore it, or make it anew with {anew}, then `skinapp evaluate` and `skinapp card`."


def read_training(path: Path) -> TrainingFacts:
    """Read the training facts from a card or from an experiment's training.json; ModelError if damaged."""
    try:
        return TrainingFacts.model_validate(json.loads(path.read_bytes())["training"])
    except (KeyError, TypeError, ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{path} does not say how the training went. Train it again.") from error


def read_members(path: Path) -> tuple[NetworkFacts, ...]:
    """Read the averaged networks from a card or from an experiment's training.json; empty for a single network.

    Raises ModelError if it is damaged.
    """
    try:
        return _MEMBERS.validate_python(json.loads(path.read_bytes()).get("members", ()))
    except (AttributeError, ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{path} does not say which networks are averaged. Average them again.") from error
