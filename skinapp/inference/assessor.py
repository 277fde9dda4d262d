"""Assess photos: malignant or benign, and which lesion type, by one model with both heads or by two models."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from skinapp.errors import ModelError
from skinapp.inference.activation import compute_class_maps
from skinapp.inference.assessment import Assessment, Scores
from skinapp.inference.conformal import build_set
from skinapp.inference.findings import Finding
from skinapp.inference.quality import check_quality
from skinapp.inference.scope import ScopeAnswer, ScopeGate
from skinapp.inference.scope_file import load_gate
from skinapp.models.card import Card, Task, find_evidence_network, read_card
from skinapp.models.folder import describe_no_model, find_models
from skinapp.networks.classifier import Classifier, Observed, choose_batch_photos
from skinapp.networks.device import Device, choose_device
from skinapp.networks.folder import load_model
from skinapp.networks.preprocess import crop_for_network, to_tensor
from skinapp.photo import Photo
from skinapp.taxonomy import MALIGNANT


class Assessor:
    """Scores photos for malignancy and lesion type; loaded once, on one device; safe to call from several threads."""

    def __init__(self, malignancy: Classifier, lesion_type: Classifier, gate: ScopeGate | None = None) -> None:
        """Keep two classifiers (for a model with both heads, the same one twice) and the malignancy model's gate."""
        self._malignancy, self._lesion_type, self._gate = malignancy, lesion_type, gate

    @property
    def device(self) -> Device:
        """The device that the networks run on."""
        return self._malignancy.device

    @property
    def malignancy_card(self) -> Card:
        """The card of the model with the malignancy head."""
        return self._malignancy.card

    @property
    def lesion_type_card(self) -> Card:
        """The card of the model with the lesion-type head; the same card for a model with both heads."""
        return self._lesion_type.card

    @property
    def batch_photos(self) -> int:
        """How many photos to assess at once, so that memory stays bounded."""
        return min(
            choose_batch_photos(card.preprocessing.input_px) for card in (self.malignancy_card, self.lesion_type_card)
        )

    def crop_for_network(self, photo: Photo) -> np.ndarray:
        """Return the part of a photo that the malignancy model sees: uint8 (s, s, 3)."""
        return crop_for_network(photo, self.malignancy_card.preprocessing)

    def assess(self, photo: Photo) -> Assessment:
        """Assess one photo; PhotoError where the network's answer to it is no number."""
        return self.assess_batch([photo])[0]

    def assess_batch(self, photos: Sequence[Photo]) -> list[Assessment]:
        """Assess photos in one pass through each network; PhotoError where the answer to one of them is no number."""
        views = [self.crop_for_network(photo) for photo in photos]
        probabilities, observed = self._observe(photos, views)
        scopes = self._gate.check(observed.early) if self._gate else [None] * len(photos)
        types = [_make_scores(self.lesion_type_card, "lesion_type", probabilities, i) for i in range(len(photos))]
        return [
            Assessment(
                sha256=photo.sha256,
                width=photo.width,
                height=photo.height,
                notes=photo.notes,
                malignancy=_make_scores(self.malignancy_card, "malignancy", probabilities, i),
                lesion_type=types[i],
                malignancy_weights=self.malignancy_card.weights_sha256,
                lesion_type_weights=self.lesion_type_card.weights_sha256,
                operating_points=self.malignancy_card.operating_points,
                in_scope=scope.in_scope if scope else None,
                findings=self._find(photo, views[i], scope),
                conformal=build_set(types[i], self.lesion_type_card.conformal),
                maps=np.array(observed.maps[i]),  # a copy: else one kept answer would hold the maps of its whole batch
            )
            for i, (photo, scope) in enumerate(zip(photos, scopes, strict=True))
        ]

    def score_views(self, views: Sequence[np.ndarray]) -> np.ndarray:
        """Return the malignancy scores, float64 (n,) in 0 to 1, of views as `crop_for_network` gives them; or NaN."""
        card = self.malignancy_card
        answers = self._malignancy.predict(to_tensor(list(views), card.preprocessing))
        scores = _name_heads(self._malignancy, answers)["malignancy"]
        malignant: np.ndarray = scores[:, card.head("malignancy").classes.index(MALIGNANT)]
        return malignant

    def compute_class_maps(self, maps: np.ndarray) -> dict[str, np.ndarray]:
        """Return the class maps (h, w) behind an assessment, by label, from its maps (d, h, w).

        They are of the malignancy model's evidence network: a lesion-type model of its own has none.
        """
        card = self.malignancy_card
        (network,) = (network for network in card.networks if network.name == find_evidence_network(card))
        weights = {task: self._malignancy.evidence_head(task)[0] for task in network.tasks}
        return compute_class_maps(maps, card.heads, weights)

    def _find(self, photo: Photo, view: np.ndarray, scope: ScopeAnswer | None) -> tuple[Finding, ...]:
        """Return what the checks found; of a picture out of scope, nobody asks for the quality."""
        facts = self.malignancy_card.quality
        if scope and scope.finding:
            return (scope.finding,)
        return check_quality(view, min(photo.pixels.shape[:2]), facts) if facts else ()

    def _observe(self, photos: Sequence[Photo], views: Sequence[np.ndarray]) -> tuple[dict[str, np.ndarray], Observed]:
        """Return the probabilities (n, k) of each head, and what the malignancy model saw."""
        first, second = self.malignancy_card.preprocessing, self.lesion_type_card.preprocessing
        batch = to_tensor(list(views), first)
        observed = self._malignancy.observe(batch)
        probabilities = _name_heads(self._malignancy, observed.probabilities)
        if self._lesion_type is not self._malignancy:
            # Models with the same preprocessing share the tensor.
            other = batch if first == second else to_tensor([crop_for_network(p, second) for p in photos], second)
            probabilities |= _name_heads(self._lesion_type, self._lesion_type.predict(other))
        return probabilities, observed


def load_assessor(models: Path, device: Device | None = None) -> Assessor:
    """Load the first model below a folder that has both heads, else the first of each role.

    Raises ModelError where a role has no model or a model is damaged.
    """
    device = device or choose_device()
    first: dict[str, Path] = {}
    for folder in find_models(models):
        first.setdefault(read_card(folder).role, folder)
    if not first:
        raise ModelError(describe_no_model(models))
    if "both" in first:
        classifier = Classifier(load_model(first["both"]), device)
        return Assessor(classifier, classifier, load_gate(first["both"], classifier.card))
    classifiers = []
    for role in ("malignancy", "lesion_type"):
        if role not in first:
            raise ModelError(
                f"{models} holds no {role} model; it has {', '.join(folder.name for folder in first.values())}. "
                "Add one, or name another folder with --models or SKINAPP_MODELS."
            )
        classifiers.append(Classifier(load_model(first[role]), device))
    malignancy, lesion_type = classifiers
    return Assessor(malignancy, lesion_type, load_gate(first["malignancy"], malignancy.card))


def _name_heads(classifier: Classifier, probabilities: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return dict(zip((head.name for head in classifier.card.heads), probabilities, strict=True))


def _make_scores(card: Card, head: Task, probabilities: Mapping[str, np.ndarray], photo: int) -> Scores:
    return Scores(card.head(head).classes, tuple(float(value) for value in probabilities[head][photo]))
