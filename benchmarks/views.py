"""What mirrored views of a photo, averaged, would gain on validation, and what time they would cost.

Run as `python -m benchmarks.views MODEL --data DIR`. The app answers from one view.
"""

from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.timing import repeated
from skinapp.cli.console import DataOption, ModelsOption, data_root, model_folder, progress_bar
from skinapp.datasets.table import TABLES
from skinapp.inference.table import make_runs
from skinapp.networks.classifier import BATCH_PHOTOS, Classifier
from skinapp.networks.device import Device, choose_device
from skinapp.networks.folder import Model, load_model
from skinapp.runs.views.compare import paired_differences

HEIGHT, WIDTH = 2, 3
MIRRORED: tuple[tuple[int, ...], ...] = ((), (WIDTH,), (HEIGHT,), (HEIGHT, WIDTH))
"""The axes along which each view is mirrored: dermoscopy has no up."""


class MirroredClassifier(Classifier):
    """Averages the probabilities of a photo's mirrored views."""

    def __init__(self, model: Model, device: Device, views: int) -> None:
        """Answer from the first `views` of MIRRORED."""
        self.views = MIRRORED[:views]
        super().__init__(model, device)

    def probabilities(self, batch: Tensor) -> list[np.ndarray]:
        """Return what Classifier does, averaged over the views."""
        answers = [super(MirroredClassifier, self).probabilities(batch.flip(axes)) for axes in self.views]
        return [np.mean(of_head, axis=0) for of_head in zip(*answers, strict=True)]


def time_taken(classifier: Classifier, photos: int, repeats: int) -> str:
    """Time the networks alone on a batch that is ready."""
    side = classifier.card.preprocessing.input_px
    batch = torch.zeros(photos, 3, side, side)
    return str(repeated(lambda: classifier.probabilities(batch), repeats))


def main(
    model: Annotated[str, typer.Argument(help="A model's id, or its folder.")],
    data: DataOption = None,
    models: ModelsOption = None,
    repeats: Annotated[int, typer.Option(help="How often each time is taken.")] = 21,
) -> None:
    """Compare the answers of one view with those of two and of four, on the validation photos of a model's table."""
    folder, device, root = model_folder(model, models), choose_device(), data_root(data)
    gains = Table("views", "run", "figure", "value", "less one view's (95% interval)")
    times = Table("views", "one photo", f"a batch of {BATCH_PHOTOS}")
    single = None
    for views in (1, 2, 4):
        classifier = MirroredClassifier(load_model(folder), device, views)
        table = TABLES / f"{classifier.card.data.table}.parquet"
        with progress_bar(f"{views} views") as progress:
            runs = make_runs(classifier, table, "validation", root, "validation", progress)
        single = single or runs
        for run, one in zip(runs, single, strict=True):
            for name, value, _, gain, low, high in paired_differences(run, one).itertuples(index=False):
                gained = f"{gain:+.4f} ({low:+.4f} to {high:+.4f})" if views > 1 else ""
                gains.add_row(str(views), run.name, name, f"{value:.4f}", gained)
        times.add_row(str(views), *(time_taken(classifier, photos, repeats) for photos in (1, BATCH_PHOTOS)))
    console = Console(width=max(120, Console().width))
    console.print(gains)
    console.print(times)


if __name__ == "__main__":
    typer.run(main)
