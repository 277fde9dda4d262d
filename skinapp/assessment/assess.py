"""Photo -> Assessment, by both networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skinapp.errors import ModelError
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device, choose_device
from skinapp.networks.folder import Card, find_models, load_model, read_card
from skinapp.networks.preprocess import network_view, to_tensor
from skinapp.photo import Photo
from skinapp.taxonomy import MALIGNANT

NOTICE = "Not a diagnosis and not a medical device. New, changing or bleeding: see a doctor, whatever this shows."
NOT_CHECKED = "The photo was not checked for being dermoscopy: for any other picture the scores mean nothing."


@dataclass(frozen=True)
class Scores:
    """A network's probabilities: classes and values (each 0..1, together 1) in the model's order."""

    classes: tuple[str, ...]
    values: tuple[float, ...]

    def of(self, label: str) -> float:
        """Return the score of one class; ValueError where the model does not know it."""
        return self.values[self.classes.index(label)]

    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Return (class, score) pairs, highest first."""
        return tuple(sorted(zip(self.classes, self.values, strict=True), key=lambda pair: -pair[1]))


@dataclass(frozen=True)
class Assessment:
    """One photo's answers: which photo, both networks' scores, and the hashes of the weights that gave them."""

    sha256: str
    width: int
    height: int
    notes: tuple[str, ...]
    malignancy: Scores
    lesion_type: Scores
    malignancy_weights: str
    lesion_type_weights: str

    @property
    def malignant(self) -> float:
        """The malignancy network's score for malignant, 0..1."""
        return self.malignancy.of(MALIGNANT)


class Assessor:
    """Both networks, loaded once, on one device; safe to call from several threads."""

    def __init__(self, malignancy: Classifier, lesion_type: Classifier) -> None:
        """Keep both networks."""
        self._malignancy, self._lesion_type = malignancy, lesion_type

    @property
    def device(self) -> Device:
        """Where the networks run."""
        return self._malignancy.device

    @property
    def malignancy_card(self) -> Card:
        """The card of the malignancy model."""
        return self._malignancy.card

    @property
    def lesion_type_card(self) -> Card:
        """The card of the lesion-type model."""
        return self._lesion_type.card

    def view(self, photo: Photo) -> np.ndarray:
        """Return what the malignancy network sees of a photo: uint8 (s, s, 3)."""
        return network_view(photo, self.malignancy_card.preprocessing)

    def assess(self, photo: Photo) -> Assessment:
        """Answer one photo."""
        return self.assess_batch([photo])[0]

    def assess_batch(self, photos: Sequence[Photo]) -> list[Assessment]:
        """Answer photos in one pass through each network; the same tensor serves both where they see alike."""
        first, second = self.malignancy_card.preprocessing, self.lesion_type_card.preprocessing
        batch = to_tensor([network_view(photo, first) for photo in photos], first)
        other = batch if first == second else to_tensor([network_view(p, second) for p in photos], second)
        malignancy = self._malignancy.probabilities(batch)[0]
        lesion_type = self._lesion_type.probabilities(other)[0]
        return [
            Assessment(
                sha256=photo.sha256,
                width=photo.width,
                height=photo.height,
                notes=photo.notes,
                malignancy=_scores(self.malignancy_card, malignancy[i]),
                lesion_type=_scores(self.lesion_type_card, lesion_type[i]),
                malignancy_weights=self.malignancy_card.weights_sha256,
                lesion_type_weights=self.lesion_type_card.weights_sha256,
            )
            for i, photo in enumerate(photos)
        ]


def load_assessor(models: Path, device: Device | None = None) -> Assessor:
    """Load the first model of each role below a folder; ModelError where a role has none or one is damaged."""
    chosen = device or choose_device()
    cards = [(read_card(folder), folder) for folder in find_models(models)]
    pair = []
    for role in ("malignancy", "lesion_type"):
        folder = next((folder for card, folder in cards if card.role == role), None)
        if folder is None:
            raise ModelError(f"{models} holds no {role} model. Train one with `skinapp train`, or name another folder.")
        pair.append(Classifier(load_model(folder), chosen))
    return Assessor(*pair)


def _scores(card: Card, values: np.ndarray) -> Scores:
    return Scores(card.heads[0].classes, tuple(float(value) for value in values))
