"""Photos of an image table -> shuffled, augmented batches for training and plain ones for validation."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from skinapp.datasets.files import Progress
from skinapp.datasets.table import truth_labels
from skinapp.errors import PhotoError
from skinapp.models.card import Preprocessing, Task
from skinapp.networks.preprocess import network_view, shrink
from skinapp.photo import Photo, read_photo_file
from skinapp.training.augment import augmentation
from skinapp.training.recipe import Recipe


def targets(table: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """Return each photo's class index for each head, int64 (n, heads), in the order of recipe.heads."""
    columns = [
        pd.Categorical(truth_labels(table, task), categories=classes).codes for task, classes in recipe.heads.items()
    ]
    return np.stack(columns, axis=1).astype(np.int64)


def decode(
    table: pd.DataFrame, data_root: Path, view: Callable[[Photo], np.ndarray], progress: Progress
) -> list[np.ndarray]:
    """Read every photo of a table once and keep what `view` makes of it, uint8 (h, w, 3), in memory.

    Raises PhotoError, naming the file, where a photo cannot be read.
    """
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


class Photos(Dataset[tuple[Tensor, Tensor]]):
    """Decoded photos with their class index for each head; each is transformed anew whenever it is asked for."""

    def __init__(self, pixels: Sequence[np.ndarray], classes: np.ndarray, transform: v2.Transform | None) -> None:
        """Keep pixels, each uint8 (h, w, 3), and class indices, int64 (n, heads)."""
        self.pixels, self.classes, self.transform = pixels, torch.from_numpy(classes), transform

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one photo, uint8 (3, s, s), and its class indices, int64 (heads,)."""
        photo = torch.tensor(self.pixels[index]).permute(2, 0, 1)
        return (self.transform(photo) if self.transform else photo), self.classes[index]


class EpochSampler(Sampler[int]):
    """Draws photos by weight; seed and epoch alone decide, so that a resumed run repeats it."""

    def __init__(self, weights: np.ndarray, seed: int, replacement: bool = True) -> None:
        """Keep the chance of each photo, float64 (n,), summing to 1.

        With `replacement`, draws know nothing of each other, and of n photos alike about 37% are missed in an epoch.
        Without it, a photo comes n times its chance often, rounded up or down by lot: photos alike, once each.
        """
        self.weights, self.seed, self.replacement, self.epoch = weights, seed, replacement, 0

    def set_epoch(self, epoch: int) -> None:
        """Name the epoch to draw for; Lightning calls this as each begins."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the number of draws in an epoch: as many as there are photos."""
        return len(self.weights)

    def __iter__(self) -> Iterator[int]:
        """Draw the photos of one epoch."""
        generator = np.random.default_rng((self.seed, self.epoch))
        if self.replacement:
            yield from generator.choice(len(self.weights), len(self.weights), p=self.weights).tolist()
        else:
            yield from _systematic(self.weights, generator).tolist()


def _systematic(weights: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw n of n photos by systematic sampling (Madow 1949): evenly spaced points on their weights, laid in a row."""
    order = generator.permutation(len(weights))
    ends = np.cumsum(weights[order]) * len(weights)
    points = np.arange(len(weights)) + generator.random()
    places = np.minimum(np.searchsorted(ends, points, side="right"), len(weights) - 1)
    return generator.permutation(order[places])


def sampling_weights(classes: np.ndarray, balance_exponent: float) -> np.ndarray:
    """Return each photo's chance of being drawn: its class's count to the power of minus the exponent, scaled to 1."""
    weights: np.ndarray = np.bincount(classes)[classes].astype(np.float64) ** -balance_exponent
    weights /= weights.sum()
    return weights


def photo_weights(table: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """Return the chance of each training photo to be drawn, float64 (n,), by the class of the recipe's task."""
    classes = targets(table, recipe)[:, list(recipe.heads).index(recipe.task)]
    return sampling_weights(classes, recipe.sampling.balance_exponent)


def class_shares(table: pd.DataFrame, recipe: Recipe, weights: np.ndarray | None = None) -> dict[Task, np.ndarray]:
    """Return for each head the share of its classes, float64 (k,), summing to 1; `weights` (n,) count the photos."""
    classes = targets(table, recipe)
    shares = {}
    for place, (task, names) in enumerate(recipe.heads.items()):
        counts = np.bincount(classes[:, place], weights, minlength=len(names)).astype(np.float64)
        shares[task] = counts / counts.sum()
    return shares


def training_batches(
    table: pd.DataFrame, data_root: Path, recipe: Recipe, workers: int, progress: Progress
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Load the photos of a training split, draw them by the recipe's weights and augment them.

    They are kept at a short side of resize_px; crops are cut from that.
    """
    pixels = decode(table, data_root, lambda photo: shrink(photo.pixels, recipe.input.resize_px), progress)
    return DataLoader(
        Photos(pixels, targets(table, recipe), augmentation(recipe.augmentation, recipe.input.input_px)),
        batch_size=recipe.schedule.batch_size,
        sampler=EpochSampler(photo_weights(table, recipe), recipe.seed, recipe.sampling.replacement),
        num_workers=workers,
        drop_last=len(table) > recipe.schedule.batch_size,
    )


def validation_batches(
    table: pd.DataFrame, data_root: Path, recipe: Recipe, progress: Progress
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Load the photos of a validation split as the network will see them in the app."""
    preprocessing: Preprocessing = recipe.input
    pixels = decode(table, data_root, lambda photo: network_view(photo, preprocessing), progress)
    return DataLoader(Photos(pixels, targets(table, recipe), None), batch_size=recipe.schedule.batch_size)
