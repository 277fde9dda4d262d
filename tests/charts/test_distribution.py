import pandas as pd

from skinapp.charts.distribution import draw_cap_effect, draw_class_distribution, draw_class_distribution_by_split
from skinapp.charts.style import GREY, SPLIT_COLOURS
from skinapp.taxonomy import BY_CODE

COUNTS = pd.DataFrame({"diagnosis": ["df", "mel", "nv"], "photos": [115, 1113, 6705], "lesions": [73, 614, 400]})


def test_bars_are_sorted_by_photos_with_counts_and_shares() -> None:
    figure = draw_class_distribution(COUNTS)
    bars = figure.data[0]
    assert list(bars.x) == [6705, 1113, 115]
    assert bars.y == ("Nevus (mole)", "Melanoma", "Dermatofibroma")
    assert list(bars.text) == ["6,705 · 85%", "1,113 · 14%", "115 · 1%"]
    assert list(bars.marker.color) == [BY_CODE[code].colour for code in ("nv", "mel", "df")]
    assert figure.layout.yaxis.autorange == "reversed"  # plotly draws the first bar at the bottom otherwise


def test_lesions_sort_and_count_by_lesion() -> None:
    bars = draw_class_distribution(COUNTS, "lesions").data[0]
    assert list(bars.x) == [614, 400, 73]
    assert bars.text[0] == "614 · 56%"


def test_the_tooltip_has_both_counts() -> None:
    bars = draw_class_distribution(COUNTS).data[0]
    assert list(bars.customdata[1]) == ["Melanoma (mel)", 1113, 614]
    assert "photos of" in bars.hovertemplate


def test_the_longest_bar_leaves_room_for_its_count() -> None:
    assert draw_class_distribution(COUNTS).layout.xaxis.range[1] > 1.4 * 6705


BY_SPLIT = pd.DataFrame(
    {
        "diagnosis": ["nv", "nv", "nv", "wart", "wart", "wart"],
        "split": ["test", "train", None, "train", "fold 1", "test"],
        "photos": [30, 60, 5, 20, 4, 10],
        "lesions": [15, 30, 5, 5, 4, 5],
    }
).astype({"split": "string"})


def test_equal_shares_have_bars_of_equal_length() -> None:
    bars = {bar.name: bar for bar in draw_class_distribution_by_split(BY_SPLIT).data}
    assert list(bars) == ["Train", "Test", "No split", "Fold 1"]
    assert list(bars["Train"].x) == [0.75, 0.25]
    assert list(bars["Test"].x) == [0.75, 0.25]
    assert bars["Train"].text == ("60 · 75%", "20 · 25%")
    assert bars["No split"].text == ("5 · 100%", "0 · 0%")
    assert bars["Train"].y == ("Nevus (mole)", "wart")
    assert bars["Test"].marker.color == SPLIT_COLOURS["test"]
    assert bars["Fold 1"].marker.color == GREY


def test_lesions_by_split_have_their_own_shares() -> None:
    train = draw_class_distribution_by_split(BY_SPLIT, "lesions").data[0]
    assert train.text == ("30 · 86%", "5 · 14%")
    assert list(train.customdata[0]) == ["Melanocytic nevus (nv)", 60, 30]


def test_the_legend_names_every_split_in_its_colour() -> None:
    key = draw_class_distribution_by_split(BY_SPLIT).layout.annotations[0].text
    assert f"<span style='color:{SPLIT_COLOURS['train']}'>■</span> Train" in key
    assert "No split" in key


def test_a_cap_shows_kept_photos_solid_and_others_pale() -> None:
    counts = pd.DataFrame({"diagnosis": ["nv", "mel"], "before": [6705, 1113], "after": [2000, 1113]})
    figure = draw_cap_effect(counts.assign(left_out=[4705, 0]))
    kept, left_out, texts = figure.data
    assert (list(kept.x), list(left_out.x)) == ([2000, 1113], [4705, 0])
    assert left_out.marker.opacity < kept.marker.opacity == 1
    assert texts.text == (" 2,000 of 6,705", " 1,113")
    assert figure.layout.barmode == "stack"
    assert figure.layout.xaxis.range[1] > 1.6 * 6705


def test_an_empty_table_is_an_empty_chart() -> None:
    assert list(draw_class_distribution(COUNTS.iloc[:0]).data[0].x) == []
    assert not draw_class_distribution_by_split(BY_SPLIT.iloc[:0]).data
    empty = pd.DataFrame({"diagnosis": [], "before": [], "after": [], "left_out": []})
    assert list(draw_cap_effect(empty).data[0].x) == []
