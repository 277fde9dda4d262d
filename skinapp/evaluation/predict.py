"""Model + image table -> stored run: predictions for every photo of one split."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from skinapp.datasets.files import Progress
from skinapp.datasets.splits import OUTSIDE
from skinapp.datasets.table import read_table, truth_labels
from skinapp.errors import DatasetError
from skinapp.evaluation.run import Scaling, StoredRun, Versions, probability_columns
from skinapp.networks.card import Card, Head, Task
from skinapp.networks.classifier import BATCH_PHOTOS, Classifier, in_batches, prefetched
from skinapp.networks.device import versions
from skinapp.networks.preprocess import Preprocessing, network_view, to_tensor
from skinapp.photo import read_photo_file
from skinapp.storage import file_sha256

Ask = Callable[[Tensor], Sequence[np.ndarray]]
"""What takes a batch of photos, float32 (n, 3, s, s), and returns arrays (n, k), one a head."""


def make_runs(
    classifier: Classifier, table_path: Path, split: str, data_root: Path, name: str, progress: Progress
) -> tuple[StoredRun, ...]:
    """Predict every photo of a split by each head of a model, and say where the predictions come from.

    A run of a model with one head is called `name`, those of a pair `name`-malignancy and `name`-lesion-type.

    Raises DatasetError where the table has no photo in that split or a truth that the model does not
    know, PhotoError where a photo cannot be read.
    """
    return runs_of(classifier, read_table(table_path), table_path, split, data_root, name, progress)


def runs_of(
    classifier: Classifier,
    table: pd.DataFrame,
    table_path: Path,
    split: str,
    data_root: Path,
    name: str,
    progress: Progress,
    weights_kept: bool = True,
) -> tuple[StoredRun, ...]:
    """Make runs from a table whose labels or split are not those of the file it came from; else like `make_runs`."""
    card = classifier.card
    photos = table[table["split"] == split].reset_index(drop=True)
    if photos.empty:
        known = ", ".join(sorted(table["split"].dropna().unique())) or "none"
        raise DatasetError(f"{table_path} has no photo in the split {split}; its splits: {known}.")
    truths = [truth_labels(photos, head.name) for head in card.heads]
    for head, truth in zip(card.heads, truths, strict=True):
        _check_truth(truth, head, card, table_path)
    answers = predict(classifier, [data_root / path for path in photos["path"]], progress)
    runs = []
    for head, truth, scores in zip(card.heads, truths, answers, strict=True):
        frame = photos[["image_id", "lesion_id"]].assign(truth=truth)
        frame[probability_columns(head.classes)] = scores
        run = StoredRun(
            name=name if len(card.heads) == 1 else f"{name}-{head.name.replace('_', '-')}",
            model=card.id,
            classes=head.classes,
            table=table_path.stem,
            table_sha256=file_sha256(table_path),
            split=split,
            weights_sha256=card.weights_sha256,
            weights_kept=weights_kept,
            versions=Versions(*versions()),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            note=" ".join(card.data.limits),
            temperature=head.temperature,
            offsets=head.offsets,
            malignancy=_scaling_of(head, card),
            predictions=frame,
        )
        runs.append(run)
    return tuple(runs)


def _scaling_of(head: Head, card: Card) -> Scaling | None:
    """Return the calibration of the malignancy head that a pair's lesion types were made to agree with."""
    if card.role != "both" or head.name != "lesion_type":
        return None
    malignancy = card.head("malignancy")
    return Scaling(malignancy.temperature, malignancy.offsets)


def _check_truth(truth: "pd.Series[str]", head: Head, card: Card, table_path: Path) -> None:
    strange = sorted(set(truth.dropna()) - set(head.classes))
    if strange or truth.isna().any():
        raise DatasetError(f"{card.id} does not know every label of {table_path}: {', '.join(strange) or 'missing'}.")


def is_own_test(run: StoredRun, card: Card, task: Task | None = None) -> bool:
    """Tell whether a run is of these very weights on the test split of the table they were trained on.

    With a task, the run must be that of the head of that name; ModelError where the card has no such head.
    """
    return is_own_run(run, card, "test", task)


def is_own_run(run: StoredRun, card: Card, split: str, task: Task | None = None) -> bool:
    """Tell whether a run is of these very weights on a split of the table they were trained on; else as is_own_test.

    A run from before the model was calibrated anew is not.
    """
    own = (run.split, run.table_sha256) == (split, card.data.table_sha256)
    return own and _made_by(run, card, card.heads if task is None else (card.head(task),))


def is_outside_run(run: StoredRun, card: Card) -> bool:
    """Tell whether a run is of these very weights on photos of another clinic or camera."""
    return run.split == OUTSIDE and _made_by(run, card, card.heads)


def _made_by(run: StoredRun, card: Card, heads: Sequence[Head]) -> bool:
    """Tell whether a run is of these very weights by one of these heads, calibrated as the card says."""
    return run.weights_sha256 == card.weights_sha256 and any(
        run.classes == head.classes and _scaled_as(run, head, card) for head in heads
    )


def _scaled_as(run: StoredRun, head: Head, card: Card) -> bool:
    """Tell whether a run's scores were calibrated as the card says; the run of a past that kept no word is believed."""
    if run.temperature is None:
        return True
    return (run.temperature, run.offsets, run.malignancy) == (head.temperature, head.offsets, _scaling_of(head, card))


def predict(classifier: Classifier, files: list[Path], progress: Progress) -> tuple[np.ndarray, ...]:
    """Return the probabilities of each head of a model for photo files, float64 (n, classes), in their order.

    Raises PhotoError where a photo cannot be read.
    """
    return asked(classifier.probabilities, classifier.card.preprocessing, files, progress)


def asked(ask: Ask, preprocessing: Preprocessing, files: Sequence[Path], progress: Progress) -> tuple[np.ndarray, ...]:
    """Put photo files, in batches, to what answers them, and join its answers: arrays (n, k) in their order.

    Raises PhotoError where a photo cannot be read.
    """
    views = prefetched(lambda file: network_view(read_photo_file(file), preprocessing), files)
    parts: list[Sequence[np.ndarray]] = []
    done = 0
    for batch in in_batches(views, BATCH_PHOTOS):
        parts.append(ask(to_tensor(batch, preprocessing)))
        done += len(batch)
        progress(done, len(files))
    return tuple(np.concatenate(of_head) for of_head in zip(*parts, strict=True))
