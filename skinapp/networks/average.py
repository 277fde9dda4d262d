"""Several networks that answer as one: each looks at a photo in its own size, and their answers are averaged."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from skinapp.errors import ModelError
from skinapp.models.card import Card, Preprocessing


class AveragedNetworks(nn.Module):
    """Averages the logarithms of what networks answer, each calibrated as its card says, head by head.

    The mean of logarithms is the geometric mean of the answers (a logarithmic pool: Genest and Zidek 1986,
    doi:10.1214/ss/1177013825). Members that lack a head have no part in its answer.
    """

    def __init__(self, members: Sequence[tuple[nn.Module, Card]]) -> None:
        """Keep networks, each with its card; ModelError where they do not look at the same square of a photo."""
        super().__init__()
        self.preprocessing = widest([card for _, card in members])
        self.members = nn.ModuleList(network for network, _ in members)
        self._cards = tuple(card for _, card in members)

    def forward(self, photos: Tensor) -> dict[str, Tensor]:
        """Map photos (n, 3, s, s), float32, to mean log probabilities (n, k) of each head.

        They serve as logits: the softmax of them is the average. Answers are meant for s the widest member's input;
        photos of another size are brought to that of each member all the same.
        """
        found: dict[str, list[Tensor]] = {}
        for network, card in zip(self.members, self._cards, strict=True):
            logits = network(_resized(photos, card.preprocessing.input_px))
            for head in card.heads:
                scores = logits[head.name] / head.temperature
                if head.offsets:
                    scores = scores + torch.tensor(head.offsets).to(scores)
                found.setdefault(head.name, []).append(scores.log_softmax(1))
        return {name: torch.stack(answers).mean(0) for name, answers in found.items()}


def widest(cards: Sequence[Card]) -> Preprocessing:
    """Return the preprocessing of the member with the largest input, which the others see reduced.

    ModelError where a member would see another part of a photo, or other colours.
    """
    largest = max((card.preprocessing for card in cards), key=lambda taken: taken.input_px)
    for card in cards:
        own = card.preprocessing
        same_part = own.resize_px * largest.input_px == largest.resize_px * own.input_px
        if not same_part or (own.mean, own.std) != (largest.mean, largest.std):
            raise ModelError(
                f"{card.id} looks at another part of a photo, or at other colours, than the other members do. "
                "Average networks with the same share of resize_px in input_px, mean and std."
            )
    return largest


def joint_sha256(cards: Sequence[Card]) -> str:
    """Return one fingerprint of all that decides an average's answers, in the members' order.

    It is the sha256 of their weights' hashes, preprocessing and calibration.
    """
    facts = "\n".join(map(_fingerprint, cards))
    return hashlib.sha256(facts.encode()).hexdigest()


def _fingerprint(card: Card) -> str:
    heads = (f"{head.name} {head.classes} {head.temperature!r} {head.offsets!r}" for head in card.heads)
    return "\n".join([card.weights_sha256, card.preprocessing.model_dump_json(), *heads])


def _resized(photos: Tensor, side: int) -> Tensor:
    """Bring square photos (n, 3, s, s) to a side, smoothed against aliasing as preprocess.shrink does."""
    if photos.shape[-1] == side:
        return photos
    return interpolate(photos, size=(side, side), mode="bilinear", antialias=True).contiguous(
        memory_format=torch.channels_last
    )
