"""What the evidence network sees in groups of pictures, kept in a cache so that an interrupted run goes on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from skinapp.datasets.files import Progress
from skinapp.files import replace_file
from skinapp.models.card import Card, find_evidence_network
from skinapp.networks.classifier import Classifier, batched, choose_batch_photos
from skinapp.networks.preprocess import to_tensor
from skinapp.training.gate.groups import Group


@dataclass(frozen=True, eq=False)
class Seen:
    """A group with the features, float32 (n, d), and the early statistics, float32 (n, m), of its pictures."""

    group: Group
    features: np.ndarray
    early: np.ndarray


def extract_groups(classifier: Classifier, groups: Sequence[Group], cache: Path, progress: Progress) -> list[Seen]:
    """Return what the evidence network sees in each group; PhotoError where a photo cannot be read.

    `cache` is a folder for what was seen already, by the same weights in the same pictures.
    """
    weights, done, total = _hash_evidence(classifier.card), 0, sum(group.pictures for group in groups)
    cache.mkdir(parents=True, exist_ok=True)
    seen = []
    for group in groups:
        file = cache / f"{_hash_group(weights, group)}.safetensors"
        if not file.is_file():
            arrays = _extract(classifier, group, partial(_report, progress, done, total))
            with replace_file(file) as aside:
                save_file(arrays, aside)
        arrays = load_file(file)
        seen.append(Seen(group, arrays["features"], arrays["early"]))
        done += group.pictures
        progress(done, total)
    return seen


def _report(progress: Progress, before: int, total: int, here: int) -> None:
    progress(before + here, total)


def _extract(classifier: Classifier, group: Group, report: Callable[[int], None]) -> dict[str, np.ndarray]:
    preprocessing, parts = classifier.card.preprocessing, []
    for batch in batched(group.views(), choose_batch_photos(preprocessing.input_px)):
        parts.append(classifier.extract(to_tensor(batch, preprocessing)))
        report(sum(len(features) for features, _ in parts))
    features, early = (np.ascontiguousarray(np.concatenate(arrays)) for arrays in zip(*parts, strict=True))
    return {"features": features, "early": early}


def _hash_evidence(card: Card) -> str:
    """Return the sha256, in hex, of all that decides what the evidence network sees in a picture."""
    name = find_evidence_network(card)
    (network,) = (network for network in card.networks if network.name == name)
    facts = [network.weights_sha256, network.preprocessing.model_dump_json(), card.preprocessing.model_dump_json()]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _hash_group(weights: str, group: Group) -> str:
    """Return a sha256, in hex, of the weights and a group's pictures: their number, their ids and the first one."""
    ids = [] if group.photos is None else group.photos["image_id"].tolist()
    facts = [weights, group.kind, str(group.fitted), str(group.pictures), *ids]
    first = next(group.views()).tobytes()
    return hashlib.sha256("\n".join(facts).encode() + first).hexdigest()
