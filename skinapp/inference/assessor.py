"""Photo -> Assessment: malignant or benign, and which lesion type, by a pair of heads or by two networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from skinapp.errors import ModelError
from skinapp.inference.assessment import Assessment, Scores
from skinapp.models.card import Card, Task, read_card
from skinapp.models.folder import find_models
from skinapp.networks.classifier import Classifier
from skinapp.networks.device import Device, choose_device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import network_view, to_tensor
from skinapp.photo import Photo
from skinapp.runs.views.operating_points import shown_point


class Assessor:
    """What gives both answers, loaded once, on one device; safe to call from several threads."""

    def __init__(self, malignancy: Classifier, lesion_type: Classifier) -> None:
        """Keep two networks, or one with both heads: the same classifier twice."""
        self._malignancy, self._lesion_type = malignancy, lesion_type

    @property
    def device(self) -> Device:
        """Where the networks run."""
        return self._malignancy.device

    @property
    def malignancy_card(self) -> Card:
        """The card of the model with the malignancy head."""
        return self._malignancy.card

    @property
    def lesion_type_card(self) -> Card:
        """The card of the model with the lesion-type head; of a pair the malignancy card."""
        return self._lesion_type.card

    def view(self, photo: Photo) -> np.ndarray:
        """Return what the network with the malignancy head sees of a photo: uint8 (s, s, 3)."""
        return network_view(photo, self.malignancy_card.preprocessing)

    def assess(self, photo: Photo) -> Assessment:
        """Answer one photo."""
        return self.assess_batch([photo])[0]

    def assess_batch(self, photos: Sequence[Photo]) -> list[Assessment]:
        """Answer photos in one pass through each network; the same tensor serves both where they see alike."""
        answers, threshold = self._probabilities(photos), threshold_of(self.malignancy_card)
        return [
            Assessment(
                sha256=photo.sha256,
                width=photo.width,
                height=photo.height,
                notes=photo.notes,
                malignancy=_scores(self.malignancy_card, "malignancy", answers, i),
                lesion_type=_scores(self.lesion_type_card, "lesion_type", answers, i),
                malignancy_weights=self.malignancy_card.weights_sha256,
                lesion_type_weights=self.lesion_type_card.weights_sha256,
                threshold=threshold,
            )
            for i, photo in enumerate(photos)
        ]

    def _probabilities(self, photos: Sequence[Photo]) -> dict[str, np.ndarray]:
        first, second = self.malignancy_card.preprocessing, self.lesion_type_card.preprocessing
        batch = to_tensor([network_view(photo, first) for photo in photos], first)
        answers = _by_head(self._malignancy, batch)
        if self._lesion_type is self._malignancy:
            return answers
        other = batch if first == second else to_tensor([network_view(p, second) for p in photos], second)
        return answers | _by_head(self._lesion_type, other)


def threshold_of(card: Card) -> float | None:
    """Return the malignancy score of a card's operating point at SHOWN_SENSITIVITY; None where it has none."""
    point = shown_point(card.operating_points)
    return point.threshold if point else None


def load_assessor(models: Path, device: Device | None = None) -> Assessor:
    """Load the first model with both heads below a folder, or else the first of each role.

    Raises ModelError where a role has none or a model is damaged.
    """
    chosen = device or choose_device()
    first: dict[str, Path] = {}
    for folder in find_models(models):
        first.setdefault(read_card(folder).role, folder)
    if "both" in first:
        pair = Classifier(load_model(first["both"]), chosen)
        return Assessor(pair, pair)
    single = []
    for role in ("malignancy", "lesion_type"):
        if role not in first:
            raise ModelError(f"{models} holds no {role} model. Train one with `skinapp train`, or name another folder.")
        single.append(Classifier(load_model(first[role]), chosen))
    return Assessor(*single)


def _by_head(classifier: Classifier, batch: Tensor) -> dict[str, np.ndarray]:
    heads = (head.name for head in classifier.card.heads)
    return dict(zip(heads, classifier.probabilities(batch), strict=True))


def _scores(card: Card, head: Task, answers: Mapping[str, np.ndarray], photo: int) -> Scores:
    return Scores(card.head(head).classes, tuple(float(value) for value in answers[head][photo]))
