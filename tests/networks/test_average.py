from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from skinapp.errors import ModelError
from skinapp.models.card import Card, Head, Preprocessing
from skinapp.networks.average import AveragedNetworks, choose_preprocessing, hash_members
from skinapp.networks.preprocess import normalise, resize_short_side
from skinapp.networks.resnet import HeadedResNet
from skinapp.taxonomy import MALIGNANCY_CLASSES

MakeCard = Callable[..., Card]

LOGITS = {"first": [2.0, 0.0], "second": [-1.0, 1.0]}


class Fixed(nn.Module):
    """A network that gives every photo the same logits, and keeps what it was shown."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits, self.seen = torch.tensor([logits]), torch.empty(0)

    def forward(self, photos: Tensor) -> dict[str, Tensor]:
        self.seen = photos
        return {"malignancy": self.logits.repeat(len(photos), 1)}


def make_card_for(
    make_card: MakeCard, side: int = 32, temperature: float = 1.0, offsets: tuple[float, ...] = ()
) -> Card:
    head = Head(name="malignancy", classes=MALIGNANCY_CLASSES, temperature=temperature, offsets=offsets)
    return make_card(heads=(head,), preprocessing=Preprocessing(resize_px=side, input_px=side))


def test_the_average_is_the_geometric_mean_of_calibrated_answers(make_card: MakeCard) -> None:
    cards = [make_card_for(make_card, temperature=2.0), make_card_for(make_card, offsets=(0.5, 0.0))]
    network = AveragedNetworks([(Fixed(each), card) for each, card in zip(LOGITS.values(), cards, strict=True)])
    # By hand: logits 1 and 0 after the temperature; -0.5 and 1 after the offsets.
    first = np.exp([1.0, 0.0]) / np.exp([1.0, 0.0]).sum()
    second = np.exp([-0.5, 1.0]) / np.exp([-0.5, 1.0]).sum()
    pooled = np.sqrt(first * second)
    averaged = network(torch.zeros(3, 3, 32, 32))["malignancy"].softmax(1)
    np.testing.assert_allclose(averaged, [pooled / pooled.sum()] * 3, rtol=1e-6)


def test_a_head_that_one_member_lacks_is_answered_by_the_others(make_card: MakeCard) -> None:
    pair, single = make_card("both"), make_card("malignancy")

    class Both(Fixed):
        def forward(self, photos: Tensor) -> dict[str, Tensor]:
            return super().forward(photos) | {"lesion_type": torch.arange(8.0).repeat(len(photos), 1)}

    averaged = AveragedNetworks([(Both([0.0, 0.0]), pair), (Fixed([0.0, 0.0]), single)])(torch.zeros(2, 3, 32, 32))
    expected = (torch.arange(8.0) / pair.head("lesion_type").temperature).log_softmax(0)
    torch.testing.assert_close(averaged["lesion_type"], expected.repeat(2, 1))


def test_each_member_sees_the_photo_in_its_own_size(make_card: MakeCard) -> None:
    small, large = Fixed(LOGITS["first"]), Fixed(LOGITS["second"])
    cards = [make_card_for(make_card, 24), make_card_for(make_card, 48)]
    network = AveragedNetworks([(small, cards[0]), (large, cards[1])])
    assert network.preprocessing == cards[1].preprocessing
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    photo = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    network(normalise(photo, cards[1].preprocessing))
    torch.testing.assert_close(large.seen, normalise(photo, cards[1].preprocessing))
    alone = torch.tensor(resize_short_side(pixels, 24)).permute(2, 0, 1)[None]
    # Pillow rounds to whole grey levels, twice over; one level is 0.018 here.
    torch.testing.assert_close(small.seen, normalise(alone, cards[0].preprocessing), atol=0.02, rtol=0)


@pytest.mark.parametrize("evidence", [0, 1])
def test_an_average_observes_with_one_member_and_answers_with_all(
    make_card: MakeCard, make_network: Callable[..., HeadedResNet], evidence: int
) -> None:
    cards = [make_card("both", preprocessing=Preprocessing(resize_px=side, input_px=side)) for side in (32, 48)]
    networks = [make_network(card, seed) for seed, card in enumerate(cards)]
    averaged = AveragedNetworks(list(zip(networks, cards, strict=True)), evidence).eval()
    photos = torch.rand(2, 3, 48, 48)
    with torch.inference_mode():
        seen, expected = averaged.observe(photos), averaged(photos)
        shown = photos if evidence else interpolate(photos, size=(32, 32), mode="bilinear", antialias=True)
        alone = networks[evidence].observe(shown)
    assert averaged.evidence_network is networks[evidence]
    for name, logits in expected.items():
        torch.testing.assert_close(seen.logits[name], logits, rtol=0, atol=0)
    torch.testing.assert_close(seen.maps, alone.maps)
    torch.testing.assert_close(seen.early, alone.early)


@pytest.mark.parametrize(
    "other", [{"resize_px": 40, "input_px": 24}, {"resize_px": 24, "input_px": 24, "mean": (0, 0, 0)}]
)
def test_members_with_another_crop_or_normalisation_are_refused(make_card: MakeCard, other: dict[str, object]) -> None:
    strange = make_card(id="strange", preprocessing=Preprocessing(**other))
    with pytest.raises(ModelError, match="strange crops or normalises"):
        choose_preprocessing([strange, make_card_for(make_card)])


def test_members_at_the_same_share_of_a_photo_average(make_card: MakeCard) -> None:
    shares = [Preprocessing(resize_px=40, input_px=32), Preprocessing(resize_px=30, input_px=24)]
    assert choose_preprocessing([make_card(preprocessing=one) for one in shares]) == shares[0]


def test_the_joint_hash_tells_weights_calibration_and_order(make_card: MakeCard) -> None:
    first, second = make_card_for(make_card), make_card_for(make_card, temperature=2.0)
    other_weights = first.model_copy(update={"weights_sha256": "1" * 64})
    hashes = [
        hash_members(cards)
        for cards in (
            [first, second],
            [second, first],
            [first, first],
            [other_weights, second],
            [first, make_card_for(make_card, temperature=2.0, offsets=(0.5, 0.0))],
            [first, make_card_for(make_card, side=24, temperature=2.0)],
        )
    ]
    assert len(set(hashes)) == len(hashes)
    assert hash_members([first, second]) == hashes[0]
