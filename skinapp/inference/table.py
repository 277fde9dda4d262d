"""Predict the photos of a split of an image table, and make stored runs of the predictions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from skinapp.cards.provenance import get_malignancy_scaling
from skinapp.datasets.files import Progress
from skinapp.datasets.photo_files import require_photos
from skinapp.datasets.table import get_true_labels
from skinapp.errors import DatasetError, PhotoError
from skinapp.files import compute_sha256
from skinapp.formatting import shorten_list
from skinapp.models.card import Card, Head, Preprocessing
from skinapp.networks.classifier import Classifier, batched, choose_batch_photos, find_assessable, prefetch
from skinapp.networks.device import read_versions
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import Photo, read_photo_file
from skinapp.runs.predictions import probability_columns
from skinapp.runs.stored import StoredRun, Versions

PredictBatch = Callable[[Tensor], Sequence[np.ndarray]]
"""Takes a batch of photos, float32 (n, 3, s, s), and returns one array (n, k) per head."""


def make_runs(
    classifier: Classifier,
    table: pd.DataFrame,
    table_path: Path,
    split: str,
    data_root: Path,
    name: str,
    progress: Progress,
    weights_kept: bool = True,
) -> tuple[StoredRun, ...]:
    """Predict every photo of a split and return one run per head, with where the predictions come from.

    `table` holds the labels and splits to use; it may differ in them from the file `table_path`. A model with one head
    gives a run called `name`; a model with both gives `name`-malignancy and `name`-lesion-type. Raises DatasetError
    where the table has no photo in that split or a label that the model does not have, PhotoError where a photo cannot
    be read.
    """
    card = classifier.card
    photos = table[table["split"] == split].reset_index(drop=True)
    if photos.empty:
        known = ", ".join(sorted(table["split"].dropna().unique())) or "none"
        raise DatasetError(f"{table_path} has no photo in the split {split}; its splits: {known}.")
    truths = [get_true_labels(photos, head.name) for head in card.heads]
    for head, truth in zip(card.heads, truths, strict=True):
        _check_truth(truth, head, card, table_path)
    require_photos(photos, data_root)
    probabilities = predict_files(classifier, [data_root / path for path in photos["path"]], progress)
    runs = []
    for head, truth, scores in zip(card.heads, truths, probabilities, strict=True):
        patients = [column for column in ("patient_id",) if column in photos and photos[column].notna().any()]
        frame = photos[["image_id", "lesion_id", *patients]].assign(truth=truth)
        frame[probability_columns(head.classes)] = scores
        run = StoredRun(
            name=name if len(card.heads) == 1 else f"{name}-{head.name.replace('_', '-')}",
            model=card.id,
            classes=head.classes,
            table=table_path.stem,
            table_sha256=compute_sha256(table_path),
            split=split,
            weights_sha256=card.weights_sha256,
            weights_kept=weights_kept,
            versions=Versions(*read_versions()),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            note=" ".join(card.data.limits),
            temperature=head.temperature,
            offsets=head.offsets,
            malignancy=get_malignancy_scaling(head, card),
            frame=frame,
        )
        runs.append(run)
    return tuple(runs)


def _check_truth(truth: "pd.Series[str]", head: Head, card: Card, table_path: Path) -> None:
    unknown = sorted(set(truth.dropna()) - set(head.classes))
    if unknown or truth.isna().any():
        raise DatasetError(
            f"{table_path} has labels that {card.id} does not have: {', '.join(unknown) or 'missing ones'}."
        )


def predict_files(classifier: Classifier, files: list[Path], progress: Progress) -> tuple[np.ndarray, ...]:
    """Return the probabilities of each head, float64 (n, classes), for photo files in their order.

    Raises PhotoError where a photo cannot be read.
    """
    return predict_batches(classifier.predict, classifier.card.preprocessing, files, progress)


def predict_batches(
    predict: PredictBatch, preprocessing: Preprocessing, files: Sequence[Path], progress: Progress
) -> tuple[np.ndarray, ...]:
    """Predict photo files in batches and return one array (n, k) per head, in the order of the files.

    Raises PhotoError where photos cannot be read or predicted.
    """
    crops = prefetch(lambda file: crop_for_network(_read(file), preprocessing), files)
    parts: list[Sequence[np.ndarray]] = []
    done = 0
    for batch in batched(crops, choose_batch_photos(preprocessing.input_px)):
        parts.append(predict(to_tensor(batch, preprocessing)))
        done += len(batch)
        progress(done, len(files))
    answers = tuple(np.concatenate(of_head) for of_head in zip(*parts, strict=True))
    if unanswered := [str(file) for file, known in zip(files, find_assessable(answers), strict=True) if not known]:
        raise PhotoError(
            f"The network's answer is no number for {shorten_list(unanswered)}. "
            "Take such photos out of the table, or check the model's folder if they are many."
        )
    return answers


def _read(file: Path) -> Photo:
    try:
        return read_photo_file(file)
    except PhotoError as error:
        raise PhotoError(f"{file}: {error}") from error
