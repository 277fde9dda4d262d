"""Average the predictions of several networks; each sees the photo at its own input size."""

import hashlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from skinapp.errors import ModelError
from skinapp.models.card import Card, Preprocessing
from skinapp.networks.resnet import HeadedResNet, Observation


class AveragedNetworks(nn.Module):
    """Averages the log probabilities of its members, head by head, each calibrated by its card.

    This is the geometric mean of the probabilities (a logarithmic pool: Genest and Zidek 1986,
    doi:10.1214/ss/1177013825). A head is averaged over the members that have it.
    """

    def __init__(self, members: Sequence[tuple[nn.Module, Card]], evidence: int = 0) -> None:
        """Keep networks with their cards; ModelError where members differ in crop or normalisation.

        `evidence` is the position of the member whose maps `observe` returns.
        """
        super().__init__()
        self._evidence = evidence
        self.preprocessing = choose_preprocessing([card for _, card in members])
        self.members = nn.ModuleList(network for network, _ in members)
        self._cards = tuple(card for _, card in members)

    def with_evidence(self, evidence: int) -> "AveragedNetworks":
        """Return an average of the same networks with another evidence network, given by its position."""
        again = AveragedNetworks(list(zip(self.members, self._cards, strict=True)), evidence)
        return again.train(self.training)

    @property
    def evidence_network(self) -> HeadedResNet:
        """The member whose maps and features are the evidence beside the average's answer."""
        network = self.members[self._evidence]
        assert isinstance(network, HeadedResNet)
        return network

    def forward(self, photos: Tensor) -> dict[str, Tensor]:
        """Map photos (n, 3, s, s), float32, to the mean log probabilities (n, k) of each head.

        They serve as logits: their softmax is the average. s should be the largest input size of the members. Each
        member gets the photos resized to its own input size, whatever s is.
        """
        return self._average([network(photos_of) for network, photos_of in self._resize_for_members(photos)])

    def observe(self, photos: Tensor) -> Observation:
        """Map photos to the logits that `forward` gives, with the maps and features of the evidence network."""
        answers: list[dict[str, Tensor]] = []
        for place, (network, photos_of) in enumerate(self._resize_for_members(photos)):
            if place == self._evidence:
                observation = self.evidence_network.observe(photos_of)
                answers.append(observation.logits)
            else:
                answers.append(network(photos_of))
        return Observation(self._average(answers), observation.maps, observation.early)

    def observe_alone(self, photos: Tensor) -> Observation:
        """Map photos to what the evidence network sees in them; the logits are its own. It saves the others' time."""
        side = self._cards[self._evidence].preprocessing.input_px
        return self.evidence_network.observe(_resize(photos, side))

    def _resize_for_members(self, photos: Tensor) -> Iterator[tuple[nn.Module, Tensor]]:
        for network, card in zip(self.members, self._cards, strict=True):
            yield network, _resize(photos, card.preprocessing.input_px)

    def _average(self, answers: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Average the members' logits, each calibrated by its card, as log probabilities."""
        log_probabilities: dict[str, list[Tensor]] = {}
        for logits, card in zip(answers, self._cards, strict=True):
            for head in card.heads:
                scores = logits[head.name] / head.temperature
                if head.offsets:
                    scores = scores + torch.tensor(head.offsets).to(scores)
                log_probabilities.setdefault(head.name, []).append(scores.log_softmax(1))
        return {head: torch.stack(parts).mean(0) for head, parts in log_probabilities.items()}


def choose_preprocessing(cards: Sequence[Card]) -> Preprocessing:
    """Return the preprocessing of the member with the largest input; the photos are resized from it for the others.

    ModelError where members differ in crop or normalisation.
    """
    largest = max((card.preprocessing for card in cards), key=lambda preprocessing: preprocessing.input_px)
    for card in cards:
        each = card.preprocessing
        same_crop = each.resize_px * largest.input_px == largest.resize_px * each.input_px
        if not same_crop or (each.mean, each.std) != (largest.mean, largest.std):
            raise ModelError(
                f"{card.id} crops or normalises photos differently from the other members. "
                "Average networks with the same ratio of resize_px to input_px, the same mean and the same std."
            )
    return largest


def check_average(card: Card, members: Sequence[Card]) -> None:
    """Raise ModelError where the card of an average has other classes or preprocessing than its members."""
    problems = []
    if card.preprocessing != choose_preprocessing(members):
        problems.append("preprocessing")
    for head in card.heads:
        classes = {other.classes for member in members for other in member.heads if other.name == head.name}
        if classes != {head.classes}:
            problems.append(f"classes of {head.name}")
    if problems:
        raise ModelError(
            f"The card of {card.id} differs from its members in {' and '.join(problems)}. "
            "Restore it, or average them again with `skinapp average`."
        )


def hash_members(cards: Sequence[Card]) -> str:
    """Return the sha256, in hex, of the members' weight hashes, preprocessing and calibration, in their order.

    An average with the same hash gives the same predictions.
    """
    facts = "\n".join(map(_format_facts, cards))
    return hashlib.sha256(facts.encode()).hexdigest()


def _format_facts(card: Card) -> str:
    heads = (f"{head.name} {head.classes} {head.temperature!r} {head.offsets!r}" for head in card.heads)
    return "\n".join([card.weights_sha256, card.preprocessing.model_dump_json(), *heads])


def _resize(photos: Tensor, side: int) -> Tensor:
    """Resize square photos (n, 3, s, s) to `side` px, with antialiasing as in preprocess.resize_short_side."""
    if photos.shape[-1] == side:
        return photos
    return interpolate(photos, size=(side, side), mode="bilinear", antialias=True).contiguous(
        memory_format=torch.channels_last
    )
