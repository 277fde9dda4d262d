import numpy as np
import pytest

from skinapp.inference.activation import (
    choose_label,
    compute_class_map,
    compute_class_maps,
    draw_evidence,
    draw_overlay,
    draw_scale,
    enlarge_map,
    keep_positive,
    measure_share_inside,
)
from skinapp.inference.assessment import Scores
from skinapp.models.card import Head
from skinapp.taxonomy import CODES, MALIGNANCY_CLASSES

RANDOM = np.random.default_rng(3)
MAPS = RANDOM.random((6, 4, 4)).astype(np.float32)
WEIGHT, BIAS = RANDOM.normal(size=(8, 6)).astype(np.float32), RANDOM.normal(size=8)


def test_the_mean_of_a_map_is_the_logit_but_for_what_all_classes_share() -> None:
    logits = WEIGHT @ MAPS.mean(axis=(1, 2)) + BIAS
    means = np.array([compute_class_map(MAPS, WEIGHT, place).mean() for place in range(8)])
    assert means - means.mean() + (BIAS - BIAS.mean()) == pytest.approx(logits - logits.mean(), abs=1e-5)
    assert means.sum() == pytest.approx(0, abs=1e-5)


def test_what_speaks_for_one_of_two_classes_speaks_against_the_other() -> None:
    malignant, benign = (compute_class_map(MAPS, WEIGHT[:2], place) for place in (0, 1))
    assert malignant == pytest.approx(-benign, abs=1e-6)


def test_a_map_is_enlarged_in_place() -> None:
    class_map = np.zeros((4, 4), np.float32)
    class_map[0, 3] = 2
    large = enlarge_map(class_map, 40)
    assert large.shape == (40, 40)
    assert large[0, 39] == 2
    assert large[20:, :].max() == large[:, :20].max() == 0


def test_positive_evidence_is_a_share_of_its_maximum() -> None:
    assert keep_positive(np.array([[-4.0, 2], [1, 0]])).tolist() == [[0, 1], [0.5, 0]]
    assert keep_positive(np.array([[-4.0, -2]])).tolist() == [[0, 0]]


def test_the_share_inside_counts_only_what_speaks_for_the_class() -> None:
    evidence = np.array([[3.0, 1], [-9, 0]])
    assert measure_share_inside(evidence, np.array([[1.0, 0], [1, 0]])) == pytest.approx(0.75)
    assert measure_share_inside(evidence, np.array([[0.5, 0], [0, 0]])) == pytest.approx(0.375)
    assert np.isnan(measure_share_inside(-np.ones((2, 2)), np.ones((2, 2))))


def test_the_overlay_covers_the_evidence_and_leaves_the_rest_as_it_is() -> None:
    view = np.full((40, 40, 3), 120, np.uint8)
    evidence = np.zeros((40, 40), np.float32)
    evidence[10:20, 10:20] = 1
    drawn = draw_overlay(view, evidence, 1.0)
    assert drawn[15, 15].tolist() == draw_scale(10, 1)[0, -1].tolist()
    assert (drawn[24:] == 120).all()
    assert (drawn[:, 24:] == 120).all()
    outline = drawn[9:12, 9:21].reshape(-1, 3).tolist()
    assert [255, 255, 255] in outline
    half = draw_overlay(view, evidence, 0.5)[15, 15].astype(int)
    assert half == pytest.approx((drawn[15, 15].astype(int) + 120) / 2, abs=1)


def test_no_opacity_and_no_evidence_leave_the_photo() -> None:
    view = np.random.default_rng(0).integers(0, 255, (30, 30, 3), dtype=np.uint8)
    some = np.zeros((30, 30), np.float32)
    assert np.array_equal(draw_overlay(view, some, 0.8), view)
    some[4:9, 4:9] = 1
    assert np.array_equal(draw_overlay(view, some, 0.0), view)


def test_the_scale_gets_lighter_from_left_to_right() -> None:
    light = draw_scale(64, 2).astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(light[0]) > -0.5).all()
    assert light[0, -1] > 4 * light[0, 0]


def test_a_flagged_photo_shows_first_what_speaks_for_its_likeliest_malignant_type() -> None:
    scores = Scores(("mel", "nv", "bcc"), (0.1, 0.7, 0.2))
    labels = ["malignant", "mel", "nv", "bcc"]
    assert choose_label(scores, labels, flagged=True) == "bcc"
    assert choose_label(scores, labels, flagged=False) == "nv"
    assert choose_label(scores, ["malignant"], flagged=False) == "malignant"
    assert choose_label(Scores(("nv", "df"), (0.4, 0.6)), ["nv", "df"], flagged=True) == "df"


def test_heads_without_weights_have_no_maps() -> None:
    heads = (Head(name="malignancy", classes=MALIGNANCY_CLASSES), Head(name="lesion_type", classes=CODES))
    assert set(compute_class_maps(MAPS, heads, {"malignancy": WEIGHT[:2]})) == {"malignant"}
    both = compute_class_maps(MAPS, heads, {"malignancy": WEIGHT[:2], "lesion_type": WEIGHT})
    assert both["nv"] == pytest.approx(compute_class_map(MAPS, WEIGHT, CODES.index("nv")))
    assert set(both) == {"malignant", *CODES}


def test_the_evidence_is_drawn_over_the_enlarged_view() -> None:
    view = np.full((20, 20, 3), 120, np.uint8)
    class_map = np.array([[2.0, -1], [-1, -1]])
    drawn = draw_evidence(view, class_map, 1.0, 60)
    assert drawn.shape == (60, 60, 3)
    assert drawn[2, 2].tolist() == draw_scale(10, 1)[0, -1].tolist()
    assert (drawn[40:, 40:] == 120).all()
