"""Model folders, models/<id>/: recipe, card and weights; loaded and verified, saved whole or not at all."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import save_file
from torch import Tensor, nn

from skinapp.errors import ModelError
from skinapp.networks.preprocess import Preprocessing
from skinapp.networks.resnet import Architecture, HeadedResNet, half, read_safetensors, single
from skinapp.storage import file_sha256, written_aside

Task = Literal["malignancy", "lesion_type"]
Role = Literal["malignancy", "lesion_type", "both"]

CARD, WEIGHTS, RECIPE, CURVES = "card.json", "model.safetensors", "recipe.toml", "curves.csv"
TRAINING = "training.json"
"""The card of a training whose weights were not kept; not named card.json, because nothing there can be loaded."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class InitialWeights(_Strict):
    """Weights that a training started from or learned from, and on which terms."""

    name: str
    sha256: str | None
    licence: str


class TrainingFacts(_Strict):
    """How a training went."""

    recipe_sha256: str
    best_epoch: int = Field(description="whose weights were kept: the best by monitor, or the last, as the recipe says")
    epochs: int
    monitor: str
    best_value: float = Field(description="of monitor, on validation, at that epoch")
    elapsed_s: float
    device: str
    versions: tuple[str, str, str] = Field(description="python, torch, skinapp")
    finished: str


class OperatingPoint(_Strict):
    """A threshold of the malignancy score that was chosen on validation, and is never moved by what test shows."""

    sensitivity: float = Field(gt=0, le=1, description="what the threshold was to reach on validation")
    threshold: float = Field(ge=0, le=1, description="a score of at least this is above it")


class CardFigure(_Strict):
    """A figure of a stored run with its 95% interval, copied from there by `skinapp card`; None where undefined."""

    task: Task
    run: str
    split: str
    group: str = Field(description='"all", or a subgroup as "camera: rosendahl"')
    figure: str = Field(description='as "balanced_accuracy", or at an operating point "sensitivity at 0.95"')
    label: str | None = Field(None, description="the class, of a figure that belongs to one")
    value: float | None
    low: float | None = None
    high: float | None = None
    photos: int
    lesions: int


class LeftOut(_Strict):
    """A figure of a tried recipe's network on photos of a camera or a clinic that it had not learned from."""

    recipe: str
    network: Architecture
    whose: tuple[str, ...] = Field(description="cameras of these photos, or their source where no camera is known")
    figure: CardFigure


class Card(_Strict):
    """All that must be known of a model before it is used; a model without one does not load."""

    id: str
    role: Role
    architecture: Architecture
    heads: tuple[Head, ...]
    preprocessing: Preprocessing
    weights_sha256: str
    weights_dtype: Literal["float16"]
    rounding: float | None = Field(
        None, description="largest difference of a validation probability from that of the weights before fp16"
    )
    operating_points: tuple[OperatingPoint, ...] = ()
    figures: tuple[CardFigure, ...] = ()
    left_out: tuple[LeftOut, ...] = Field((), description="of recipes that were tried for this model")
    data: DataFacts
    initial: InitialWeights
    teachers: tuple[InitialWeights, ...] = Field((), description="models whose answers it learned beside the labels")
    training: TrainingFacts
    licence: str
    intended_use: str
    not_for: str

    def head(self, name: str) -> Head:
        """Return the head of a task; ModelError where the model has none."""
        for head in self.heads:
            if head.name == name:
                return head
        raise ModelError(f"The model {self.id} has no {name} head; it has {', '.join(h.name for h in self.heads)}.")


@dataclass(frozen=True, eq=False)
class Model:
    """A verified model folder: its card and its network, in eval mode, float32, on the CPU."""

    folder: Path
    card: Card
    network: nn.Module


def save_model(folder: Path, card: Card, state: dict[str, Tensor], curves: str) -> Card:
    """Write weights (fp16), curves (CSV text) and card beside the recipe: complete or not at all.

    Everything is written aside first. Then the old card goes, because a folder without a card does not
    load, and the new one comes last. Returns the card as written: `weights_sha256` is filled from the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = {name: folder / f"{name}.partial" for name in (WEIGHTS, CURVES, CARD)}
    save_file(half(state), aside[WEIGHTS])
    aside[CURVES].write_text(curves, encoding="utf-8")
    whole = card.model_copy(update={"weights_sha256": file_sha256(aside[WEIGHTS])})
    aside[CARD].write_text(_card_text(whole), encoding="utf-8")
    (folder / CARD).unlink(missing_ok=True)
    for name in (WEIGHTS, CURVES, CARD):
        aside[name].replace(folder / name)
    return whole


def write_card(folder: Path, card: Card) -> None:
    """Write a model's card in place of the one that is there, whole or not at all; the weights stay as they are."""
    with written_aside(folder / CARD) as aside:
        aside.write_text(_card_text(card), encoding="utf-8")


def _card_text(card: Card) -> str:
    return card.model_dump_json(indent=2) + "\n"


def read_card(folder: Path) -> Card:
    """Read a model's card; ModelError where there is none or a key is wrong or missing."""
    try:
        return Card.model_validate_json((folder / CARD).read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"{folder} holds no {CARD}: train it with `skinapp train {folder / RECIPE}`.") from error
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


def load_model(folder: Path) -> Model:
    """Load a model folder and verify its weights against its card; ModelError where they do not belong together."""
    card = read_card(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ModelError(f"{folder} holds a card but no {WEIGHTS}. Restore it, or train the model anew.")
    if file_sha256(weights) != card.weights_sha256:
        raise ModelError(f"{weights} is not the file that its card describes (sha256 differs). Restore or retrain it.")
    # On the meta device nothing is drawn at random only to be overwritten: half the memory while loading.
    with torch.device("meta"):
        network = HeadedResNet(card.architecture, {head.name: len(head.classes) for head in card.heads})
    try:
        network.load_state_dict(single(read_safetensors(weights)), strict=True, assign=True)
    except RuntimeError as error:
        raise ModelError(
            f"{weights} does not fit the {card.architecture} of its card. Train the model anew."
        ) from error
    network.requires_grad_(False).eval().to(memory_format=torch.channels_last)
    return Model(folder, card, network)


def find_models(root: Path) -> tuple[Path, ...]:
    """List the folders below `root` that hold a card, sorted by name."""
    return tuple(sorted(card.parent for card in root.glob(f"*/{CARD}")))
