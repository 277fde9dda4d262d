"""Model + image table -> stored run: predictions for every photo of one split."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from skinapp.datasets.files import Progress
from skinapp.datasets.table import read_table, truth_labels
from skinapp.errors import DatasetError
from skinapp.evaluation.run import StoredRun, Versions, probability_columns
from skinapp.networks.classifier import BATCH_PHOTOS, Classifier, in_batches, prefetched
from skinapp.networks.device import versions
from skinapp.networks.folder import Card
from skinapp.networks.preprocess import network_view, to_tensor
from skinapp.photo import read_photo_file
from skinapp.storage import file_sha256


def make_run(
    classifier: Classifier, table_path: Path, split: str, data_root: Path, name: str, progress: Progress
) -> StoredRun:
    """Predict every photo of a split and say where the predictions come from.

    Raises DatasetError where the table has no photo in that split or a truth that the model does not
    know, PhotoError where a photo cannot be read.
    """
    return run_of(classifier, read_table(table_path), table_path, split, data_root, name, progress)


def run_of(
    classifier: Classifier,
    table: pd.DataFrame,
    table_path: Path,
    split: str,
    data_root: Path,
    name: str,
    progress: Progress,
    weights_kept: bool = True,
) -> StoredRun:
    """Make a run from a table whose labels or split are not those of the file it came from; else like `make_run`."""
    card = classifier.card
    head = card.heads[0]
    photos = table[table["split"] == split].reset_index(drop=True)
    if photos.empty:
        known = ", ".join(sorted(table["split"].dropna().unique())) or "none"
        raise DatasetError(f"{table_path} has no photo in the split {split}; its splits: {known}.")
    truth = truth_labels(photos, head.name)
    strange = sorted(set(truth.dropna()) - set(head.classes))
    if strange or truth.isna().any():
        raise DatasetError(f"{card.id} does not know every label of {table_path}: {', '.join(strange) or 'missing'}.")
    scores = predict(classifier, [data_root / path for path in photos["path"]], progress)
    frame = photos[["image_id", "lesion_id"]].assign(truth=truth)
    frame[probability_columns(head.classes)] = scores
    return StoredRun(
        name=name,
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
        predictions=frame,
    )


def is_own_test(run: StoredRun, card: Card) -> bool:
    """Tell whether a run is of these very weights on the test split of the table they were trained on."""
    made_of = (run.split, run.table_sha256, run.weights_sha256)
    return made_of == ("test", card.data.table_sha256, card.weights_sha256)


def predict(classifier: Classifier, files: list[Path], progress: Progress, head: int = 0) -> np.ndarray:
    """Return the probabilities of one head of a model for photo files, float64 (n, classes), in their order.

    `head` is its place on the card. Raises PhotoError where a photo cannot be read.
    """
    preprocessing = classifier.card.preprocessing
    views = prefetched(lambda file: network_view(read_photo_file(file), preprocessing), files)
    parts: list[np.ndarray] = []
    for batch in in_batches(views, BATCH_PHOTOS):
        parts.append(classifier.probabilities(to_tensor(batch, preprocessing))[head])
        progress(sum(map(len, parts)), len(files))
    return np.concatenate(parts)
