import math

import pytest
from plotly.graph_objects import Figure

from skinapp.charts.donut import (
    draw_lesion_type_donut,
    draw_malignancy_donut,
    find_strongest_malignant,
    list_top_and_other,
)
from skinapp.charts.style import GREY
from skinapp.taxonomy import BY_CODE, CODES, MALIGNANCY_COLOURS

SCORES = (0.02, 0.05, 0.03, 0.01, 0.2, 0.6, 0.08, 0.01)


def middle(figure: Figure) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]


def test_malignant_is_orange_and_benign_blue() -> None:
    pie = draw_malignancy_donut(0.25).data[0]
    assert pie.labels == ("Malignant · 25%", "Benign · 75%")
    assert pie.values == (0.25, 0.75)
    assert pie.marker.colors == (MALIGNANCY_COLOURS["malignant"], MALIGNANCY_COLOURS["benign"])
    assert not pie.sort  # plotly's own sorting would put the larger part first


@pytest.mark.parametrize(("score", "text"), [(0.12, "12%"), (0.001, "<1%"), (0.97, "97%"), (0.9999, ">99%")])
def test_the_middle_always_shows_the_malignant_score(score: float, text: str) -> None:
    assert middle(draw_malignancy_donut(score)) == [f"<b>{text}</b>", "malignant"]


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan")])
def test_a_score_outside_0_to_1_is_an_error(score: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        draw_malignancy_donut(score)


def test_three_types_by_name_and_the_others_in_grey() -> None:
    pie = draw_lesion_type_donut(CODES, SCORES).data[0]
    assert pie.labels == (
        "Melanocytic nevus · 60%",
        "Melanoma · 20%",
        "Squamous cell carcinoma · 8%",
        "Other five · 12%",
    )
    assert pie.marker.colors == (*(BY_CODE[code].colour for code in ("nv", "mel", "scc")), GREY)
    assert pie.values == pytest.approx((0.6, 0.2, 0.08, 0.12))
    assert pie.customdata[1] == "Melanoma (mel)"  # the code stands in the hover alone
    assert pie.textinfo == "none"


def test_the_middle_shows_the_first_type() -> None:
    assert middle(draw_lesion_type_donut(CODES, SCORES)) == ["<b>60%</b>", "Nevus (mole)"]


def test_a_flagged_photo_says_so_in_the_middle_and_its_benign_part_is_pale() -> None:
    figure = draw_malignancy_donut(0.08, 0.065, "95% threshold", tone="flagged")
    assert middle(figure)[:2] == ["<b>Flagged</b>", "malignant 8%"]
    malignant, benign = figure.data[0].marker.colors
    assert malignant == MALIGNANCY_COLOURS["malignant"]
    assert benign == "rgba(0,114,178,0.25)"
    assert figure.data[0].values == (0.08, 0.92)


def test_on_a_flagged_photo_the_strongest_malignant_type_is_in_the_middle() -> None:
    figure = draw_lesion_type_donut(CODES, SCORES, "flagged")
    assert middle(figure) == ["<b>20%</b>", "Melanoma"]
    nevus, melanoma, *_ = figure.data[0].marker.colors
    assert melanoma == BY_CODE["mel"].colour
    assert nevus.startswith("rgba(0,114,178,")


def test_on_a_flagged_photo_the_strongest_malignant_type_has_its_own_segment() -> None:
    scores = (0.02, 0.03, 0.2, 0.05, 0.04, 0.6, 0.01, 0.05)  # the first three are benign
    pie = draw_lesion_type_donut(CODES, scores, "flagged").data[0]
    assert [label.split(" · ")[0] for label in pie.labels] == [
        "Melanocytic nevus",
        "Benign keratosis",
        "Dermatofibroma",
        "Melanoma",
        "Other four",
    ]
    assert sum(pie.values) == pytest.approx(1)
    assert "Melanoma" not in " ".join(draw_lesion_type_donut(CODES, scores).data[0].labels)


def test_a_grey_donut_has_no_colour_of_a_class() -> None:
    for figure in (draw_malignancy_donut(0.9, tone="grey"), draw_lesion_type_donut(CODES, SCORES, "grey")):
        red_green_blue = {colour.rsplit(",", 1)[0] for colour in figure.data[0].marker.colors}
        assert red_green_blue == {"rgba(138,141,147"}
        assert len(set(figure.data[0].marker.colors)) == len(figure.data[0].values)


def test_types_without_a_malignant_one_have_no_strongest() -> None:
    assert find_strongest_malignant(("nv", "bkl"), (0.4, 0.6)) is None
    assert find_strongest_malignant(CODES, SCORES) == "mel"


def test_a_tap_on_the_legend_hides_nothing() -> None:
    legend = draw_lesion_type_donut(CODES, SCORES).layout.legend
    assert (legend.itemclick, legend.itemdoubleclick) == (False, False)


def test_top_and_other_sum_to_the_whole() -> None:
    parts = list_top_and_other(CODES, SCORES)
    assert [part.label for part in parts] == ["nv", "mel", "scc", None]
    assert sum(part.share for part in parts) == pytest.approx(1)


def test_equal_scores_keep_the_order_of_the_classes() -> None:
    assert [part.label for part in list_top_and_other(CODES, [0.125] * 8)] == ["akiec", "bcc", "bkl", None]


def test_a_rest_of_one_class_keeps_its_name() -> None:
    parts = list_top_and_other(("mel", "nv", "bkl", "df"), (0.1, 0.2, 0.3, 0.4))
    assert [part.name for part in parts] == [
        "Dermatofibroma",
        "Benign keratosis",
        "Melanocytic nevus",
        "Melanoma",
    ]


def test_few_classes_have_no_other() -> None:
    assert [part.label for part in list_top_and_other(("mel", "nv"), (0.1, 0.9))] == ["nv", "mel"]


def test_many_others_are_counted_in_digits() -> None:
    labels = [f"type {number}" for number in range(15)]
    assert list_top_and_other(labels, [1 / 15] * 15)[-1].name == "Other 12"


def test_scores_must_match_the_classes() -> None:
    with pytest.raises(ValueError, match="zip"):
        list_top_and_other(CODES, (0.5, 0.5))


@pytest.mark.parametrize("threshold", [0.0, 0.031, 0.12, 0.25, 0.5, 0.8])
def test_the_tick_is_where_a_score_of_the_threshold_would_end(threshold: float) -> None:
    figure = draw_malignancy_donut(0.3, threshold, "95% threshold", "What it is.")
    height = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    for line in figure.layout.shapes:
        assert (line.xanchor, line.yanchor, line.xsizemode, line.ysizemode) == (0.5, 0.5, "pixel", "pixel")
        for x, y in ((line.x0, line.y0), (line.x1, line.y1)):
            clockwise_from_the_top = math.atan2(x, y) / (2 * math.pi) % 1
            assert math.isclose(clockwise_from_the_top, threshold, abs_tol=1e-9)
        inner, outer = math.hypot(line.x0, line.y0), math.hypot(line.x1, line.y1)
        ring = (figure.data[0].hole * height / 2, height / 2)
        assert inner < ring[0] < ring[1] < outer
    label = figure.layout.annotations[-1]
    assert label.hovertext == "What it is."
    assert label.text == "95%<br>threshold"
    unnamed = draw_malignancy_donut(0.3, threshold).layout.annotations[-1]
    assert unnamed.text == {0.0: "<0.1%", 0.031: "3.1%"}.get(threshold, f"{threshold:.0%}")


def test_the_ring_has_the_size_that_the_tick_assumes() -> None:
    """The legend must not push the margins, and both donuts of an answer stand at one height."""
    first, second = draw_malignancy_donut(0.3, 0.1), draw_lesion_type_donut(CODES, SCORES)
    for figure in (first, second):
        assert figure.layout.margin.autoexpand is False
        lines = len(figure.data[0].labels)
        assert figure.layout.margin.b >= 24 * lines - figure.layout.legend.y * 230
    assert first.layout.margin.t == second.layout.margin.t
    assert draw_malignancy_donut(0.3).layout.height == first.layout.height


def test_without_a_threshold_there_is_no_tick() -> None:
    figure = draw_malignancy_donut(0.3)
    assert len(figure.layout.shapes) == 0
    assert len(figure.layout.annotations) == 2


@pytest.mark.parametrize("threshold", [-0.01, 1.01, float("nan")])
def test_a_threshold_outside_0_to_1_is_an_error(threshold: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        draw_malignancy_donut(0.5, threshold)
