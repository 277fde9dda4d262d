"""Recipe -> predictions of networks that look at photos squeezed to 75 x 100 px; nothing but checkpoints is written."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from torch import nn

from skinapp.errors import DatasetError
from skinapp.files import file_sha256, written_aside
from skinapp.models.card import DataFacts, InitialWeights, TrainingFacts
from skinapp.networks.device import choose_device, versions
from skinapp.runs.stored import StoredRun, Versions, probability_columns
from skinapp.training.checkpoints import weights_sha256
from skinapp.training.facts import LICENCE, LIMITS, data_facts
from skinapp.training.fit import TrainingContext
from skinapp.training.initial import initial_facts, initial_file, initial_state
from skinapp.training.parts import read_twins, squeezed_split
from skinapp.training.recipe import Strict
from skinapp.training.squeezed.arrays import CLASSES, Arrays, arrays_of
from skinapp.training.squeezed.doubling import appended
from skinapp.training.squeezed.epochs import Examples, Learned, learn, logits
from skinapp.training.squeezed.mobilenet import MobileNetHead, Trunk
from skinapp.training.squeezed.recipe import MobileNetRecipe, SmallCnnRecipe, SqueezedRecipe
from skinapp.training.squeezed.small_cnn import SmallCnn


class TrainingRecord(Strict):
    """What is kept of a training whose weights are not."""

    id: str
    network: str
    classes: tuple[str, ...]
    data: DataFacts
    initial: InitialWeights
    training: TrainingFacts
    licence: str


@dataclass(frozen=True, eq=False)
class Answers:
    """A network at some stage: the first part of its runs' names, its weights' fingerprint, a logit a photo and class.

    `logits` is float32 (n, 7), a row for each photo of the arrays; NaN for those that no run asks for.
    """

    name: str
    weights_sha256: str
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class Squeezed:
    """A finished training: its runs, its curves as CSV and its record."""

    runs: tuple[StoredRun, ...]
    curves: str
    record: TrainingRecord


@dataclass(frozen=True, eq=False)
class SqueezedJob:
    """A recipe laid out to be worked on: its arrays, their photos' split, and what it was called with."""

    path: Path
    arrays: Arrays
    pixels: np.ndarray
    split: np.ndarray
    initial: Path | None
    workshop: TrainingContext

    def examples(self, part: str) -> Examples:
        """Return the photos of a split with their classes."""
        chosen = self.split == part
        return Examples(self.pixels[chosen], self.arrays.classes[chosen])


def train_squeezed(path: Path, recipe: SqueezedRecipe, workshop: TrainingContext) -> Squeezed:
    """Make or find the arrays, train by the recipe, and predict the splits that it names.

    Raises DatasetError, PhotoError or ModelError where something it needs is not right.
    """
    stand = _laid_out(path, recipe, workshop)
    if isinstance(recipe, SmallCnnRecipe):
        answers, stages = _small_cnn(recipe, stand)
    else:
        answers, stages = _mobilenet(recipe, stand)
    curves = _curves(stages)
    runs = tuple(_run(stand, recipe, one, split) for one in answers for split in recipe.evaluate)
    text = curves.to_csv(index=False, float_format="%.5f")
    return Squeezed(runs, text, _record(stand, recipe, stages, curves))


def _laid_out(path: Path, recipe: SqueezedRecipe, workshop: TrainingContext) -> SqueezedJob:
    workshop.say(f"Squeezing the photos of {recipe.data.table}, if that is not done yet")
    initial = initial_file(recipe.network.initial_weights, path.parent, workshop.weights_folder)
    arrays = arrays_of(Path(recipe.data.table), workshop.checkpoints.parent, workshop.data_root, workshop.progress)
    split = squeezed_split(arrays.photos, recipe, read_twins(recipe.split.twins))
    pixels = arrays.grey if recipe.data.grey else arrays.colour
    return SqueezedJob(path, arrays, pixels, split, initial, workshop)


def _small_cnn(recipe: SmallCnnRecipe, stand: SqueezedJob) -> tuple[list[Answers], dict[str, Learned]]:
    training, watched = stand.examples("train"), {"validation": stand.examples("validation")}
    if recipe.doubled:
        share = recipe.split.validation_share
        seen, copies = appended(training.inputs, training.classes, share, recipe.seed)
        training, watched["appended_validation"] = Examples(*seen), Examples(*copies)
    network = SmallCnn(1 if recipe.data.grey else 3, recipe.seed)
    checkpoint = stand.workshop.checkpoints / "small-cnn.pt"
    learned = learn(network, training, watched, recipe.training, recipe.seed, checkpoint, stand.workshop.say)
    return [_answers("", network, recipe, stand, stand.pixels)], {"": learned}


def _mobilenet(recipe: MobileNetRecipe, stand: SqueezedJob) -> tuple[list[Answers], dict[str, Learned]]:
    """Train the head on features that are made once, then trunk and head together."""
    torch.manual_seed(recipe.seed)
    trunk = Trunk(initial_state(recipe.network.initial_weights, stand.initial))
    features = _features(trunk, stand)
    parts = {
        name: Examples(features[stand.split == name], stand.arrays.classes[stand.split == name])
        for name in ("train", "validation")
    }
    head, folder, say = MobileNetHead(recipe.seed), stand.workshop.checkpoints, stand.workshop.say
    watched = {"validation": parts["validation"]}
    frozen = learn(head, parts["train"], watched, recipe.frozen, recipe.seed, folder / "frozen.pt", say)
    answers = [_answers("frozen-", head, recipe, stand, features)]
    whole, watched = nn.Sequential(trunk, head), {"validation": stand.examples("validation")}
    tuned = learn(whole, stand.examples("train"), watched, recipe.tuned, recipe.seed, folder / "tuned.pt", say)
    answers.append(_answers("tuned-", whole, recipe, stand, stand.pixels))
    return answers, {"frozen": frozen, "tuned": tuned}


def _features(trunk: Trunk, stand: SqueezedJob) -> np.ndarray:
    """Return the features of all photos, float32 (n, 1280), kept beside the arrays for other recipes of this trunk."""
    content = weights_sha256(trunk) + str(len(stand.pixels)) + stand.arrays.photos["sha256"].str.cat()
    name = f"features-{hashlib.sha256(content.encode()).hexdigest()[:12]}.npy"
    file = stand.workshop.checkpoints.parent / name
    if not file.is_file():
        stand.workshop.say("Making features of the photos")
        with written_aside(file) as aside, aside.open("wb") as opened:
            np.save(opened, logits(trunk, stand.pixels))
    kept: np.ndarray = np.load(file)
    return kept


def _answers(name: str, network: nn.Module, recipe: SqueezedRecipe, stand: SqueezedJob, inputs: np.ndarray) -> Answers:
    asked = np.isin(stand.split, recipe.evaluate)
    found = np.full((len(asked), len(CLASSES)), np.nan, dtype=np.float32)
    found[asked] = logits(network, inputs[asked])
    return Answers(name, weights_sha256(network), found)


def _run(stand: SqueezedJob, recipe: SqueezedRecipe, answers: Answers, split: str) -> StoredRun:
    chosen = stand.split == split
    if not chosen.any():
        raise DatasetError(f"{recipe.data.table} has no photo in the split {split}. Take it out of evaluate.")
    frame = stand.arrays.photos.loc[chosen, ["image_id", "lesion_id"]].reset_index(drop=True)
    frame["truth"] = stand.arrays.photos["diagnosis"][chosen].to_numpy()
    frame[probability_columns(CLASSES)] = softmax(answers.logits[chosen].astype(np.float64), axis=1)
    table = Path(recipe.data.table)
    return StoredRun(
        name=f"{answers.name}{split}",
        model=stand.path.resolve().parent.name,
        classes=CLASSES,
        table=table.stem,
        table_sha256=file_sha256(table),
        split=split,
        weights_sha256=answers.weights_sha256,
        weights_kept=False,
        versions=Versions(*versions()),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        note=" ".join(LIMITS),
        temperature=1.0,
        predictions=frame,
    )


def _curves(stages: dict[str, Learned]) -> pd.DataFrame:
    """Put the stages' figures below one another, epochs numbered through; a column tells stages apart."""
    frames = [pd.DataFrame(learned.curves).assign(stage=name) for name, learned in stages.items()]
    curves = pd.concat(frames, ignore_index=True)
    curves["epoch"] = np.arange(1, len(curves) + 1)
    return curves if len(stages) > 1 else curves.drop(columns="stage")


def _record(
    stand: SqueezedJob, recipe: SqueezedRecipe, stages: dict[str, Learned], curves: pd.DataFrame
) -> TrainingRecord:
    photos = stand.arrays.photos
    parts = {name: photos[stand.split == name] for name in ("train", "validation")}
    network = recipe.network
    return TrainingRecord(
        id=stand.path.resolve().parent.name,
        network=recipe.kind,
        classes=CLASSES,
        data=data_facts(Path(recipe.data.table), photos, parts),
        initial=initial_facts(network.initial_weights, stand.initial, network.initial_licence),
        training=TrainingFacts(
            recipe_sha256=file_sha256(stand.path),
            best_epoch=len(curves),  # the last is the one that is kept
            epochs=len(curves),
            monitor="loss",
            best_value=float(curves["validation_loss"].iloc[-1]),
            elapsed_s=round(sum(learned.elapsed_s for learned in stages.values()), 1),
            device=choose_device().label,
            versions=versions(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
        licence=LICENCE,
    )
