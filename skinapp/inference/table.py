"""Model + image table -> stored run: predictions for every photo of one split."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from skinapp.cards.provenance import malignancy_scaling
from skinapp.datasets.files import Progress
from skinapp.datasets.table import read_table, truth_labels
from skinapp.errors import DatasetError
from skinapp.files import file_sha256
from skinapp.models.card import Card, Head, Preprocessing
from skinapp.networks.classifier import BATCH_PHOTOS, Classifier, in_batches, prefetched
from skinapp.networks.device import versions
from skinapp.networks.preprocess import network_view, to_tensor
from skinapp.photo import read_photo_file
from skinapp.runs.stored import StoredRun, Versions, probability_columns

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
            malignancy=malignancy_scaling(head, card),
            predictions=frame,
        )
        runs.append(run)
    return tuple(runs)


def _check_truth(truth: "pd.Series[str]", head: Head, card: Card, table_path: Path) -> None:
    strange = sorted(set(truth.dropna()) - set(head.classes))
    if strange or truth.isna().any():
        raise DatasetError(f"{card.id} does not know every label of {table_path}: {', '.join(strange) or 'missing'}.")


def predict(classifier: Classifier, files: list[Path], progress: Progress) -> tuple[np.ndarray, ...]:
    """Return the probabilities of each head of a model for photo files, float64 (n, classes), in their order.

    Raises PhotoError where a photo cannot be read.
    """
    return predict_batches(classifier.probabilities, classifier.card.preprocessing, files, progress)


def predict_batches(
    ask: Ask, preprocessing: Preprocessing, files: Sequence[Path], progress: Progress
) -> tuple[np.ndarray, ...]:
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
