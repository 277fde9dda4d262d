import itertools

import pandas as pd
import pytest

from skinapp.charts.metadata import MOST_VALUES, draw_metadata_by_class
from skinapp.charts.style import GREY


def counted(table: dict[tuple[str | None, str | None], int]) -> pd.DataFrame:
    names = pd.DataFrame(list(table), columns=["label", "value"], dtype="string")
    return names.assign(photos=list(table.values()))


SEX = counted(
    {
        ("nv", "male"): 30,
        ("nv", "female"): 60,
        ("nv", None): 10,
        ("mel", "male"): 3,
        ("mel", "female"): 1,
        ("mel", None): 0,
        (None, "male"): 2,
        (None, "female"): 0,
        (None, None): 0,
    }
)


def test_bars_are_shares_of_each_class_that_sum_to_one() -> None:
    figure = draw_metadata_by_class(SEX, "Sex")
    shares = {bar.name: list(bar.x) for bar in figure.data}
    assert shares == {"male": [0.3, 0.75, 1], "female": [0.6, 0.25, 0], "not recorded": [0.1, 0, 0]}
    assert figure.data[0].y == ("Nevus (mole)", "Melanoma", "Not labelled")
    assert (figure.layout.barmode, figure.layout.yaxis.autorange) == ("stack", "reversed")


def test_only_wide_segments_show_their_percentage() -> None:
    male, _, missing = draw_metadata_by_class(SEX, "Sex").data
    assert male.text == ("30%", "75%", "100%")
    assert missing.text == ("", "", "")


def test_the_tooltip_counts_photos() -> None:
    assert draw_metadata_by_class(SEX, "Sex").data[0].customdata[0] == (
        "Melanocytic nevus (nv)<br>Sex: male<br>30 · 30% of 100 photos"
    )


def test_counts_are_on_the_right_and_the_legend_is_above() -> None:
    key, *beside = draw_metadata_by_class(SEX, "Sex").layout.annotations
    assert [note.text for note in beside] == ["100", "4", "2", "photos"]
    assert [word in key.text for word in ("male", "female", "not recorded")] == [True] * 3


def test_rare_values_share_a_segment_and_no_photo_is_lost() -> None:
    sites = [f"site {place}" for place in range(MOST_VALUES + 3)]
    photos = {("nv", site): 20 - place for place, site in enumerate(sites)} | {("nv", None): 7}
    figure = draw_metadata_by_class(counted(photos), "Site")
    assert [bar.name for bar in figure.data][-2:] == ["4 others", "not recorded"]
    assert len(figure.data) == MOST_VALUES + 1
    assert sum(bar.x[0] for bar in figure.data) == pytest.approx(1)
    assert figure.data[-2].x[0] == pytest.approx((13 + 12 + 11 + 10) / sum(photos.values()))
    assert figure.data[-2].marker.color == GREY
    assert len({bar.marker.color for bar in figure.data}) == len(figure.data)


def test_ages_have_a_segment_each_and_get_darker() -> None:
    decades = [f"{start}–{start + 9}" for start in range(0, 100, 10)] + ["100+"]
    figure = draw_metadata_by_class(counted({("nv", decade): 1 for decade in decades}), "Age")
    assert [bar.name for bar in figure.data] == decades
    light = [sum(map(int, bar.marker.color[4:-1].split(","))) for bar in figure.data]
    assert light == sorted(light, reverse=True)


def test_classes_without_a_photo_are_left_out() -> None:
    figure = draw_metadata_by_class(counted({("nv", "a"): 1, ("mel", "a"): 0}), "Camera")
    assert figure.data[0].y == ("Nevus (mole)",)


def test_a_long_legend_has_several_lines_and_makes_the_chart_higher() -> None:
    names = [f"a camera of some name {place}" for place in range(4)]
    few, many = ({("nv", name): 1 for name in itertools.islice(names, n)} for n in (1, 4))
    one, four = (draw_metadata_by_class(counted(photos), "Camera") for photos in (few, many))
    assert four.layout.annotations[0].text.count("<br>") == 3
    assert four.layout.height - one.layout.height == four.layout.margin.t - one.layout.margin.t > 0


def test_no_photos_are_an_empty_chart() -> None:
    assert not draw_metadata_by_class(SEX.iloc[:0], "Sex").data
