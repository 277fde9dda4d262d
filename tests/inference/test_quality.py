"""Each flaw is found and told in words, and a good photo has none."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from skinapp.inference.quality import HIDES, WORDS, build_findings, check_quality, measure_cast, measure_quality
from skinapp.inference.what_if import add_ink
from skinapp.models.quality import QualityFacts
from skinapp.training.degrade import FLAWS, add_hair, add_reflections, blur, cut_lesion, shrink_lesion, tint

SIDE = 224
SKIN, LESION = (205, 165, 148), (110, 75, 60)


def draw() -> tuple[np.ndarray, np.ndarray]:
    """Draw a sharp lesion on skin, and its mask."""
    random = np.random.default_rng(0)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, (SIDE // 2, SIDE // 2), 50, 1, -1)
    pixels = np.where(mask[..., None] == 1, LESION, SKIN) + random.normal(0, 6, (SIDE, SIDE, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8), mask.astype(bool)


@pytest.fixture(scope="module")
def facts(make_quality: Callable[..., QualityFacts]) -> QualityFacts:
    return make_quality()


def codes(view: np.ndarray, facts: QualityFacts, side_px: int = SIDE) -> list[str]:
    return [finding.code for finding in check_quality(view, side_px, facts)]


def test_a_good_photo_has_no_finding(facts: QualityFacts) -> None:
    assert codes(draw()[0], facts) == []


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.kind)
def test_each_flaw_is_found_as_what_it_is(flaw: object, facts: QualityFacts) -> None:
    view, mask = draw()
    copy = flaw.make(view, mask, np.random.default_rng(1))
    assert flaw.code in codes(copy, facts)
    assert copy.shape == view.shape
    assert copy.dtype == np.uint8


@pytest.mark.parametrize("view", [np.zeros((SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 255, np.uint8)])
def test_what_cannot_be_judged_is_refused(view: np.ndarray, facts: QualityFacts) -> None:
    assert "refuses" in {finding.severity for finding in check_quality(view, SIDE, facts)}


def test_bare_skin_is_refused_and_its_lack_of_detail_is_not_called_blur(facts: QualityFacts) -> None:
    skin = np.clip(np.array(SKIN) + np.random.default_rng(0).normal(0, 2, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)
    (finding,) = check_quality(cv2.GaussianBlur(skin, (0, 0), 2), SIDE, facts)
    assert (finding.code, finding.severity) == ("no_lesion", "refuses")


def test_a_small_photo_is_told_instead_of_its_blur(facts: QualityFacts) -> None:
    blurred = blur(1 / 125)(*draw(), np.random.default_rng(0))
    assert codes(blurred, facts) == ["blurred"]
    assert codes(blurred, facts, side_px=59) == ["too_small"]


def test_findings_come_in_one_order_with_sentence_and_advice() -> None:
    found = build_findings({"ink": "warns", "blurred": "warns", "bright": "refuses"})
    assert [finding.code for finding in found] == ["blurred", "bright", "ink"]
    assert [finding.severity for finding in found] == ["warns", "refuses", "warns"]
    for sentence, advice in WORDS.values():
        assert sentence.endswith(".")
        assert advice.endswith(".")
    assert set(HIDES) <= set(WORDS)


def test_a_refusal_is_told_unless_another_refusal_explains_it() -> None:
    found = build_findings({"too_small": "warns", "blurred": "refuses"})
    assert [finding.code for finding in found] == ["too_small", "blurred"]
    assert [finding.code for finding in build_findings({"dark": "refuses", "no_lesion": "refuses"})] == ["dark"]


def test_measures_grow_as_the_photo_gets_worse() -> None:
    view, mask = draw()
    good, chance = measure_quality(view), np.random.default_rng(0)
    for code, worse in (
        ("blurred", blur(1 / 125)(view, mask, chance)),
        ("dark", view // 2),
        ("glare", add_reflections(view, mask, chance)),
        ("tiny", shrink_lesion(view, mask, chance)),
        ("cut", cut_lesion(view, mask, chance)),
        ("hair", add_hair(view, mask, chance)),
        ("ink", add_ink(view)),
    ):
        assert measure_quality(worse)[code] > good[code]


def test_a_strong_blur_measures_more_than_a_slight_one() -> None:
    view, mask = draw()
    blurs = [blur(share)(view, mask, np.random.default_rng(0)) for share in (1 / 125, 1 / 60, 1 / 30, 1 / 15)]
    slight, *strong = (measure_quality(blurred)["blurred"] for blurred in blurs)
    assert min(strong) > slight


def test_a_view_of_another_size_is_measured_alike() -> None:
    view, _ = draw()
    large = np.repeat(np.repeat(view, 2, axis=0), 2, axis=1)
    small, double = measure_quality(view), measure_quality(large)
    assert double["dark"] == pytest.approx(small["dark"], abs=1)
    assert double["tiny"] == pytest.approx(small["tiny"], abs=0.02)


def test_the_cast_is_the_distance_from_the_usual_colour(facts: QualityFacts) -> None:
    assert measure_cast([15.0, 25.0], [15.0, 15.0], facts).tolist() == pytest.approx([0.0, 2.0])
    red = measure_quality(tint(1.2, 0.7, 0.7)(*draw(), np.random.default_rng(0)))
    assert measure_cast(red["a"], red["b"], facts) > 3
