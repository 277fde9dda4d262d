"""Batches of photos: shuffled and augmented for training, plain for validation."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from skinapp.datasets.files import Progress
from skinapp.datasets.photo_files import require_photos
from skinapp.datasets.table import get_true_labels
from skinapp.errors import PhotoError
from skinapp.models.card import Preprocessing, Task
from skinapp.networks.preprocess import crop_for_network, resize_short_side
from skinapp.photo import Photo, read_photo_file
from skinapp.taxonomy import CODES, is_malignant
from skinapp.training.augment import build_stages
from skinapp.training.recipe import Recipe

UNTYPED = -1
"""The class index of a lesion type that is not known."""


def encode_classes(table: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """Return each photo's class index for each head, int64 (n, heads), in the order of recipe.heads.

    It is UNTYPED for the lesion type of a photo of which only benign or malignant is known.
    """
    columns = [
        pd.Categorical(get_true_labels(table, task), categories=classes).codes for task, classes in recipe.heads.items()
    ]
    return np.stack(columns, axis=1).astype(np.int64)


def decode_photos(
    table: pd.DataFrame, data_root: Path, view: Callable[[Photo], np.ndarray], progress: Progress
) -> list[np.ndarray]:
    """Read every photo of a table once and return what `view` makes of each, uint8 (h, w, 3).

    Raises DatasetError, before any is read, where photos are missing; PhotoError, naming the file, where one cannot be
    read.
    """
    require_photos(table, data_root)
    paths = [data_root / path for path in table["path"]]
    views = []
    with ThreadPoolExecutor() as pool:
        for done, pixels in enumerate(pool.map(lambda path: view(_read(path)), paths), start=1):
            views.append(pixels)
            progress(done, len(paths))
    return views


def _read(path: Path) -> Photo:
    try:
        return read_photo_file(path)
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error


class Draw(NamedTuple):
    """A photo that is drawn for training, by its row, with the seed and the stage of its augmentation."""

    photo: int
    seed: int
    stage: int = 0


class PhotoDataset(Dataset[tuple[Tensor, ...]]):
    """Decoded photos with their class index for each head; a photo is transformed anew at every draw.

    The seed of the draw alone decides the transform, not the process that makes it, nor what it made before.
    """

    def __init__(
        self,
        pixels: Sequence[np.ndarray],
        classes: np.ndarray,
        transforms: Sequence[v2.Transform] = (),
        answers: np.ndarray | None = None,
    ) -> None:
        """Keep pixels, each uint8 (h, w, 3), class indices, int64 (n, heads), and the transform of each stage.

        `answers` are a teacher's, float32 (n, classes of all heads).
        """
        self.pixels, self.transforms = pixels, tuple(transforms)
        self.targets = tuple(torch.from_numpy(values) for values in (classes, answers) if values is not None)

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.pixels)

    def __getitem__(self, draw: int | Draw) -> tuple[Tensor, ...]:
        """Return one photo, uint8 (3, s, s), its class indices, int64 (heads,), and the answers on it where there are.

        A bare row is not transformed.
        """
        if not isinstance(draw, Draw):
            return self._read(draw), *(of_all[draw] for of_all in self.targets)
        photo = self._read(draw.photo)
        if self.transforms:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(draw.seed)
                photo = self.transforms[draw.stage](photo)
        return photo, *(of_all[draw.photo] for of_all in self.targets)

    def _read(self, row: int) -> Tensor:
        return torch.tensor(self.pixels[row]).permute(2, 0, 1)


class EpochSampler(Sampler[Draw]):
    """Draws photos by weight, each with a seed; all depends on seed and epoch alone, so a resumed run repeats it."""

    def __init__(self, weights: np.ndarray, seed: int, replacement: bool = True, stages: Sequence[int] = ()) -> None:
        """Keep the probability of each photo, float64 (n,), summing to 1, and the first epoch of each later stage.

        With `replacement`, draws are independent: of n equally likely photos an epoch misses about 37%. Without it, a
        photo comes n times its probability, rounded up or down at random: equally likely photos come once each.
        """
        self.weights, self.seed, self.replacement, self.stages, self.epoch = weights, seed, replacement, stages, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch to draw for; Lightning calls this at the start of each."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of draws per epoch, which is the number of photos."""
        return len(self.weights)

    def __iter__(self) -> Iterator[Draw]:
        """Yield the draws of one epoch."""
        generator = np.random.default_rng((self.seed, self.epoch))
        if self.replacement:
            photos = generator.choice(len(self.weights), len(self.weights), p=self.weights)
        else:
            photos = _draw_systematic(self.weights, generator)
        seeds = generator.integers(2**63, size=len(photos))
        stage = sum(self.epoch + 1 >= begin for begin in self.stages)
        yield from (Draw(photo, seed, stage) for photo, seed in zip(photos.tolist(), seeds.tolist(), strict=True))


def _draw_systematic(weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw n of n photos by systematic sampling (Madow 1949): evenly spaced points on their cumulated weights."""
    order = generator.permutation(len(weights))
    ends = np.cumsum(weights[order]) * len(weights)
    points = np.arange(len(weights)) + generator.random()
    places = np.minimum(np.searchsorted(ends, points, side="right"), len(weights) - 1)
    return generator.permutation(order[places])


def compute_sampling_weights(classes: np.ndarray, balance_exponent: float) -> np.ndarray:
    """Return each photo's sampling probability, (n,): class count ** -balance_exponent, scaled to a sum of 1.

    Photos without a type count as a class of their own.
    """
    _, places, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weights: np.ndarray = counts[places].astype(np.float64) ** -balance_exponent
    weights /= weights.sum()
    return weights


def compute_photo_weights(table: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """Return the sampling probability of each training photo, float64 (n,), by its class in the recipe's task."""
    classes = encode_classes(table, recipe)[:, list(recipe.heads).index(recipe.task)]
    return compute_sampling_weights(classes, recipe.sampling.balance_exponent)


def compute_class_shares(
    table: pd.DataFrame, recipe: Recipe, weights: np.ndarray | None = None
) -> dict[Task, np.ndarray]:
    """Return the class shares of each head, float64 (k,), summing to 1; `weights` (n,) weight the photos.

    Photos without a type count for the benign or the malignant types, each as it is frequent among those with one.
    """
    classes = encode_classes(table, recipe)
    of_photos = np.ones(len(table)) if weights is None else weights
    shares = {}
    for (task, names), of_head in zip(recipe.heads.items(), classes.T, strict=True):
        typed = of_head != UNTYPED
        counts = np.bincount(of_head[typed], of_photos[typed], minlength=len(names))
        for malignant, group in _list_groups(names):
            total, more = counts[group].sum(), of_photos[~typed & (table["malignant"] == malignant)].sum()
            counts[group] *= 1 + more / total if total else 1
        shares[task] = counts / counts.sum()
    return shares


def _list_groups(types: Sequence[str]) -> list[tuple[bool, np.ndarray]]:
    """List malignant and benign with the places, bool (k,), of those of the types that are; none for other classes."""
    if not set(types) <= set(CODES):
        return []
    malignant = np.array([is_malignant(code) for code in types])
    return [(True, malignant), (False, ~malignant)]


def load_training_batches(
    table: pd.DataFrame,
    data_root: Path,
    recipe: Recipe,
    workers: int,
    progress: Progress,
    answers: np.ndarray | None = None,
) -> DataLoader[tuple[Tensor, ...]]:
    """Load the photos of a training split, sampled by the recipe's weights and augmented.

    They are kept in memory at a short side of resize_px; crops are cut from that. `answers` are a teacher's, as from
    `arrange_answers`, and make the third tensor of a batch.
    """
    resize_px, input_px = recipe.input.resize_px, recipe.input.input_px
    pixels = decode_photos(table, data_root, lambda photo: resize_short_side(photo.pixels, resize_px), progress)
    return DataLoader(
        PhotoDataset(pixels, encode_classes(table, recipe), build_stages(recipe.augmentation, input_px), answers),
        batch_size=recipe.schedule.batch_size,
        sampler=EpochSampler(
            compute_photo_weights(table, recipe),
            recipe.seed,
            recipe.sampling.replacement,
            [stage.from_epoch for stage in recipe.augmentation.stages],
        ),
        num_workers=workers,
        drop_last=len(table) > recipe.schedule.batch_size,
    )


def load_validation_batches(
    table: pd.DataFrame, data_root: Path, recipe: Recipe, progress: Progress
) -> DataLoader[tuple[Tensor, ...]]:
    """Load the photos of a validation split, cropped as for prediction."""
    preprocessing: Preprocessing = recipe.input
    pixels = decode_photos(table, data_root, lambda photo: crop_for_network(photo, preprocessing), progress)
    return DataLoader(PhotoDataset(pixels, encode_classes(table, recipe)), batch_size=recipe.schedule.batch_size)
