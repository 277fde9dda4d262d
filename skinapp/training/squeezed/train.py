"""Train a network on photos squeezed to 75 x 100 px and predict its splits; only checkpoints are written."""

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
from skinapp.files import compute_sha256, replace_file
from skinapp.models.card import DataFacts, InitialWeights, TrainingFacts
from skinapp.networks.device import choose_device, read_versions
from skinapp.runs.predictions import probability_columns
from skinapp.runs.stored import StoredRun, Versions
from skinapp.training.checkpoints import hash_weights
from skinapp.training.facts import LICENCE, LIMITS, describe_data
from skinapp.training.initial import describe_initial_weights, find_initial_file, read_initial_weights
from skinapp.training.parts import read_twins, split_squeezed
from skinapp.training.sections import StrictModel
from skinapp.training.squeezed.arrays import CLASSES, SqueezedArrays, load_arrays
from skinapp.training.squeezed.doubling import append_copies
from skinapp.training.squeezed.epochs import LabelledInputs, StageResult, compute_outputs, train_stage
from skinapp.training.squeezed.mobilenet import MobileNetHead, MobileNetTrunk
from skinapp.training.squeezed.recipe import MobileNetRecipe, SmallCnnRecipe, SqueezedRecipe
from skinapp.training.squeezed.small_cnn import SmallCnn
from skinapp.training.trainer import TrainingContext


class TrainingRecord(StrictModel):
    """The record of a training without its weights."""

    id: str
    network: str
    classes: tuple[str, ...]
    data: DataFacts
    initial: InitialWeights
    training: TrainingFacts
    licence: str


@dataclass(frozen=True, eq=False)
class StagePredictions:
    """The logits after one stage; `prefix` starts the names of its runs, `weights_sha256` is the hash of its weights.

    `logits` is float32 (n, 7), one row per photo of the arrays; NaN for photos that no run needs.
    """

    prefix: str
    weights_sha256: str
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class SqueezedTraining:
    """A finished training: runs, curves (CSV) and record."""

    runs: tuple[StoredRun, ...]
    curves: str
    record: TrainingRecord


@dataclass(frozen=True, eq=False)
class SqueezedJob:
    """All that a training needs: recipe path, arrays, split of each photo, file of initial weights and context."""

    path: Path
    arrays: SqueezedArrays
    pixels: np.ndarray
    split: np.ndarray
    initial: Path | None
    context: TrainingContext

    def select(self, split: str, inputs: np.ndarray | None = None) -> LabelledInputs:
        """Return the inputs of a split with their classes; `inputs` (n, ...) are by default the pixels."""
        of_split = self.split == split
        return LabelledInputs((self.pixels if inputs is None else inputs)[of_split], self.arrays.classes[of_split])


def train_squeezed(path: Path, recipe: SqueezedRecipe, context: TrainingContext) -> SqueezedTraining:
    """Load the arrays (written on first use), train by the recipe, and predict the splits that it names.

    Raises DatasetError, PhotoError or ModelError where the table, a photo or the initial weights are wrong.
    """
    job = _prepare(path, recipe, context)
    if isinstance(recipe, SmallCnnRecipe):
        predictions, stages = _train_small_cnn(recipe, job)
    else:
        predictions, stages = _train_mobilenet(recipe, job)
    curves = _join_curves(stages)
    runs = tuple(_make_run(job, recipe, stage, split) for stage in predictions for split in recipe.evaluate)
    csv = curves.to_csv(index=False, float_format="%.5f")
    return SqueezedTraining(runs, csv, _make_record(job, recipe, stages, curves))


def _prepare(path: Path, recipe: SqueezedRecipe, context: TrainingContext) -> SqueezedJob:
    context.say(f"Squeezing the photos of {recipe.data.table}, if not done yet")
    initial = find_initial_file(recipe.network.initial_weights, path.parent, context.weights_folder)
    arrays = load_arrays(Path(recipe.data.table), context.checkpoints.parent, context.data_root, context.progress)
    split = split_squeezed(arrays.photos, recipe, read_twins(recipe.split.twins))
    pixels = arrays.grey if recipe.data.grey else arrays.colour
    return SqueezedJob(path, arrays, pixels, split, initial, context)


def _train_small_cnn(recipe: SmallCnnRecipe, job: SqueezedJob) -> tuple[list[StagePredictions], dict[str, StageResult]]:
    training, watched = job.select("train"), {"validation": job.select("validation")}
    if recipe.doubled:
        share = recipe.split.validation_share
        kept, copies = append_copies(training.inputs, training.classes, share, recipe.seed)
        training, watched["appended_validation"] = LabelledInputs(*kept), LabelledInputs(*copies)
    network = SmallCnn(1 if recipe.data.grey else 3, recipe.seed)
    checkpoint = job.context.checkpoints / "small-cnn.pt"
    result = train_stage(network, training, watched, recipe.training, recipe.seed, checkpoint, job.context.say)
    return [_predict("", network, recipe, job, job.pixels)], {"": result}


def _train_mobilenet(
    recipe: MobileNetRecipe, job: SqueezedJob
) -> tuple[list[StagePredictions], dict[str, StageResult]]:
    """Train the head on features that are computed once, then trunk and head together."""
    torch.manual_seed(recipe.seed)
    trunk = MobileNetTrunk(read_initial_weights(recipe.network.initial_weights, job.initial))
    features = _load_features(trunk, job)
    head, folder, say = MobileNetHead(recipe.seed), job.context.checkpoints, job.context.say
    training, watched = job.select("train", features), {"validation": job.select("validation", features)}
    frozen = train_stage(head, training, watched, recipe.frozen, recipe.seed, folder / "frozen.pt", say)
    predictions = [_predict("frozen-", head, recipe, job, features)]
    whole, watched = nn.Sequential(trunk, head), {"validation": job.select("validation")}
    tuned = train_stage(whole, job.select("train"), watched, recipe.tuned, recipe.seed, folder / "tuned.pt", say)
    predictions.append(_predict("tuned-", whole, recipe, job, job.pixels))
    return predictions, {"frozen": frozen, "tuned": tuned}


def _load_features(trunk: MobileNetTrunk, job: SqueezedJob) -> np.ndarray:
    """Return the features of all photos, float32 (n, 1280); stored beside the arrays for other recipes."""
    content = hash_weights(trunk) + str(len(job.pixels)) + job.arrays.photos["sha256"].str.cat()
    name = f"features-{hashlib.sha256(content.encode()).hexdigest()[:12]}.npy"
    file = job.context.checkpoints.parent / name
    if not file.is_file():
        job.context.say("Computing the features of the photos")
        with replace_file(file) as aside, aside.open("wb") as opened:
            np.save(opened, compute_outputs(trunk, job.pixels))
    features: np.ndarray = np.load(file)
    return features


def _predict(
    prefix: str, network: nn.Module, recipe: SqueezedRecipe, job: SqueezedJob, inputs: np.ndarray
) -> StagePredictions:
    needed = np.isin(job.split, recipe.evaluate)
    logits = np.full((len(needed), len(CLASSES)), np.nan, dtype=np.float32)
    logits[needed] = compute_outputs(network, inputs[needed])
    return StagePredictions(prefix, hash_weights(network), logits)


def _make_run(job: SqueezedJob, recipe: SqueezedRecipe, stage: StagePredictions, split: str) -> StoredRun:
    of_split = job.split == split
    if not of_split.any():
        raise DatasetError(f"{recipe.data.table} has no photo in the split {split}. Remove it from evaluate.")
    frame = job.arrays.photos.loc[of_split, ["image_id", "lesion_id"]].reset_index(drop=True)
    frame["truth"] = job.arrays.photos["diagnosis"][of_split].to_numpy()
    frame[probability_columns(CLASSES)] = softmax(stage.logits[of_split].astype(np.float64), axis=1)
    table = Path(recipe.data.table)
    return StoredRun(
        name=f"{stage.prefix}{split}",
        model=job.path.resolve().parent.name,
        classes=CLASSES,
        table=table.stem,
        table_sha256=compute_sha256(table),
        split=split,
        weights_sha256=stage.weights_sha256,
        weights_kept=False,
        versions=Versions(*read_versions()),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        note=" ".join(LIMITS),
        temperature=1.0,
        frame=frame,
    )


def _join_curves(stages: dict[str, StageResult]) -> pd.DataFrame:
    """Join the curves of the stages, with epochs numbered throughout; with several, a column `stage` names them."""
    frames = [pd.DataFrame(result.curves).assign(stage=name) for name, result in stages.items()]
    curves = pd.concat(frames, ignore_index=True)
    curves["epoch"] = np.arange(1, len(curves) + 1)
    return curves if len(stages) > 1 else curves.drop(columns="stage")


def _make_record(
    job: SqueezedJob, recipe: SqueezedRecipe, stages: dict[str, StageResult], curves: pd.DataFrame
) -> TrainingRecord:
    photos = job.arrays.photos
    parts = {name: photos[job.split == name] for name in ("train", "validation")}
    network = recipe.network
    return TrainingRecord(
        id=job.path.resolve().parent.name,
        network=recipe.kind,
        classes=CLASSES,
        data=describe_data(Path(recipe.data.table), photos, parts),
        initial=describe_initial_weights(network.initial_weights, job.initial, network.initial_licence),
        training=TrainingFacts(
            recipe_sha256=compute_sha256(job.path),
            best_epoch=len(curves),  # the last epoch is kept
            epochs=len(curves),
            monitor="loss",
            best_value=float(curves["validation_loss"].iloc[-1]),
            elapsed_s=round(sum(result.elapsed_s for result in stages.values()), 1),
            device=choose_device().label,
            versions=read_versions(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
        licence=LICENCE,
    )
