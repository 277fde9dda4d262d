import pandas as pd

from skinapp.charts.distribution import class_distribution
from skinapp.taxonomy import BY_CODE

COUNTS = pd.DataFrame({"diagnosis": ["df", "mel", "nv"], "photos": [115, 1113, 6705], "lesions": [73, 614, 400]})


def test_bars_are_sorted_by_photos_with_counts_and_shares() -> None:
    figure = class_distribution(COUNTS)
    bars = figure.data[0]
    assert list(bars.x) == [6705, 1113, 115]
    assert bars.y == ("Nevus (mole)", "Melanoma", "Dermatofibroma")
    assert list(bars.text) == ["6,705 · 85%", "1,113 · 14%", "115 · 1%"]
    assert list(bars.marker.color) == [BY_CODE[code].colour for code in ("nv", "mel", "df")]
    assert figure.layout.yaxis.autorange == "reversed"  # plotly draws the first bar at the bottom otherwise


def test_lesions_sort_and_count_by_lesion() -> None:
    bars = class_distribution(COUNTS, "lesions").data[0]
    assert list(bars.x) == [614, 400, 73]
    assert bars.text[0] == "614 · 56%"


def test_the_hover_says_both_counts_in_words() -> None:
    bars = class_distribution(COUNTS).data[0]
    assert list(bars.customdata[1]) == ["Melanoma (mel)", 1113, 614]
    assert "photos of" in bars.hovertemplate


def test_the_longest_bar_leaves_room_for_its_count() -> None:
    assert class_distribution(COUNTS).layout.xaxis.range[1] > 1.4 * 6705
