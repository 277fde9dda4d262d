"""Measure the evidence beside answers on photos whose truth is known: activation maps and similar cases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from skinapp.datasets.files import Progress
from skinapp.errors import DatasetError
from skinapp.formatting import shorten_list
from skinapp.inference.activation import compute_class_maps, enlarge_map, measure_share_inside
from skinapp.inference.similar import compute_similarity
from skinapp.metrics.bootstrap import compute_rate_interval
from skinapp.metrics.estimate import REPLICATES, SEED
from skinapp.models.card import Card, Task, find_evidence_network
from skinapp.models.evidence import ActivationShare, NearestRight
from skinapp.models.folder import get_member_folder
from skinapp.models.strict import Measured
from skinapp.networks.classifier import Classifier, Observed, batched, choose_batch_photos, prefetch
from skinapp.networks.device import Device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.networks.reference import ReferenceBank
from skinapp.photo import read_photo_file
from skinapp.taxonomy import MALIGNANT, is_malignant

MASK_NAMES = ("{}.png", "{}_segmentation.png")
"""The names of an outline's file, by the photo's id: short, and as HAM10000 publishes them (Tschandl 2020)."""

Maps = dict[str, npt.NDArray[np.float32]]
"""The class map, (n, h, w), of each class, by its label."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What an evidence network saw in n photos.

    `maps` are its class maps, `likeliest` (n,) the label of its likeliest type, "" without such a head, `features`
    float32 (n, d) what its heads read.
    """

    maps: Maps
    likeliest: npt.NDArray[np.str_]
    features: npt.NDArray[np.float32]


def load_evidence_network(folder: Path, card: Card, device: Device) -> Classifier:
    """Load the network alone whose maps are shown: a model's own, or one member of an average."""
    alone = get_member_folder(folder, find_evidence_network(card)) if card.members else folder
    return Classifier(load_model(alone), device)


def find_masks(photos: pd.DataFrame, folder: Path) -> list[Path]:
    """Return the file of each photo's outline, in their order; DatasetError where one is missing."""
    files = [_find_mask(str(image_id), folder) for image_id in photos["image_id"]]
    missing = [str(image_id) for image_id, file in zip(photos["image_id"], files, strict=True) if file is None]
    if missing:
        raise DatasetError(
            f"{folder} holds no outline of {shorten_list(missing)}. Name the folder of the outlines with --masks."
        )
    return [file for file in files if file]


def _find_mask(image_id: str, folder: Path) -> Path | None:
    paths = (folder / name.format(image_id) for name in MASK_NAMES)
    return next((path for path in paths if path.is_file()), None)


def read_masks(files: Sequence[Path], classifier: Classifier) -> npt.NDArray[np.uint8]:
    """Read outlines as the part of them that the network sees, (n, s, s), 255 inside; PhotoError as for photos."""
    preprocessing = classifier.card.preprocessing
    crops = prefetch(lambda file: crop_for_network(read_photo_file(file), preprocessing)[..., 0], files)
    return np.stack(list(crops))


def look_at(classifier: Classifier, files: Sequence[Path], progress: Progress) -> Seen:
    """Pass photo files through an evidence network; PhotoError where one cannot be read."""
    preprocessing = classifier.card.preprocessing
    weights = {head.name: classifier.evidence_head(head.name)[0] for head in classifier.card.heads}
    crops = prefetch(lambda file: crop_for_network(read_photo_file(file), preprocessing), files)
    parts: list[Seen] = []
    done = 0
    for batch in batched(crops, choose_batch_photos(preprocessing.input_px)):
        parts.append(_summarise(classifier, classifier.observe(to_tensor(batch, preprocessing)), weights))
        done += len(batch)
        progress(done, len(files))
    return Seen(
        {label: np.concatenate([part.maps[label] for part in parts]) for label in parts[0].maps},
        np.concatenate([part.likeliest for part in parts]),
        np.concatenate([part.features for part in parts]),
    )


def _summarise(classifier: Classifier, observed: Observed, weights: Mapping[Task, np.ndarray]) -> Seen:
    """Reduce what was observed to class maps, because the maps of many photos would fill the memory."""
    heads = classifier.card.heads
    of_photos = [compute_class_maps(maps, heads, weights) for maps in observed.maps]
    likeliest = np.full(len(of_photos), "", dtype="<U16")
    for head, probabilities in zip(heads, observed.probabilities, strict=True):
        if head.name == "lesion_type":
            likeliest = np.array(head.classes, dtype="<U16")[probabilities.argmax(axis=1)]
    maps = {label: np.stack([of_photo[label] for of_photo in of_photos]) for label in of_photos[0]}
    return Seen(maps, likeliest, observed.features)


def measure_activation(seen: Seen, masks: npt.NDArray[np.uint8], photos: pd.DataFrame) -> tuple[ActivationShare, ...]:
    """Measure how much of the evidence lies inside the outlines: on all photos, then for each class on its own photos.

    `masks` is (n, s, s); `photos` has n rows with lesion_id and diagnosis. Photos where nothing speaks for the class
    are left out of its row.
    """
    diagnosis = photos["diagnosis"].to_numpy(dtype=str)
    lesion = pd.factorize(photos["lesion_id"])[0]
    areas = masks.mean(axis=(1, 2)) / 255
    rows = []
    for label, which in _list_measured(seen, diagnosis):
        labels = seen.likeliest if label is None else np.full(len(diagnosis), label)
        inside = np.array([_measure_inside(seen.maps[str(labels[place])][place], masks[place]) for place in which])
        used, inside = which[~np.isnan(inside)], inside[~np.isnan(inside)]
        if len(used):
            area = round(float(areas[used].mean()), 4)
            rows.append(ActivationShare(label=label, inside=_measure_mean(inside, lesion[used]), area=area))
    return tuple(rows)


def _measure_inside(class_map: npt.NDArray[np.float32], mask: npt.NDArray[np.uint8]) -> float:
    return measure_share_inside(enlarge_map(class_map, len(mask)), mask / 255)


def _list_measured(seen: Seen, diagnosis: npt.NDArray[np.str_]) -> Iterator[tuple[str | None, npt.NDArray[np.intp]]]:
    """List what is measured: a class, or None for the likeliest type, and the indices of its photos."""
    if (seen.likeliest != "").all():
        yield None, np.arange(len(diagnosis))
    for label in seen.maps:
        of_class = np.array([is_malignant(code) for code in diagnosis]) if label == MALIGNANT else diagnosis == label
        if of_class.any():
            yield label, np.flatnonzero(of_class)


def measure_similar(features: npt.NDArray[np.float32], photos: pd.DataFrame, bank: ReferenceBank) -> NearestRight:
    """Measure how often the case nearest to features (n, d) has the label of its photo.

    `photos` has n rows with lesion_id and diagnosis; cases of the same lesion are left out.
    """
    similarity = compute_similarity(features, bank.features)
    own = photos["lesion_id"].to_numpy()[:, None] == bank.cases["lesion_id"].to_numpy()[None]
    nearest = bank.cases["diagnosis"].to_numpy()[np.where(own, -1, similarity).argmax(axis=1)]
    truth, lesion = photos["diagnosis"].to_numpy(), pd.factorize(photos["lesion_id"])[0]
    of_bank, malignant = bank.cases["diagnosis"].value_counts(normalize=True), np.array(list(map(is_malignant, truth)))
    alike = (np.array(list(map(is_malignant, nearest))) == malignant).astype(np.float64)
    return NearestRight(
        cases=len(bank.cases),
        type_right=_measure_mean((nearest == truth).astype(np.float64), lesion),
        type_by_chance=round(float(of_bank.reindex(truth, fill_value=0.0).mean()), 4),
        of_malignant=_measure_mean(alike[malignant], lesion[malignant]),
        of_benign=_measure_mean(alike[~malignant], lesion[~malignant]),
    )


def _measure_mean(shares: npt.NDArray[np.float64], lesion: npt.NDArray[np.intp]) -> Measured:
    """Return the mean of shares (n,), 0 to 1, with its 95% interval by bootstrap over lesions; None without any."""
    lesions = len(np.unique(lesion))
    if not len(shares):
        return Measured(value=None, photos=0, lesions=0)
    numbered = pd.factorize(lesion)[0]
    low, high = (
        round(end, 4) for end in compute_rate_interval(shares, np.ones(len(shares)), numbered, REPLICATES, SEED)
    )
    return Measured(value=round(float(shares.mean()), 4), low=low, high=high, photos=len(shares), lesions=lesions)
