import math

import pandas as pd

from skinapp.charts.measures import LOGARITHMIC, draw_measure_by_class
from skinapp.charts.style import GREY
from skinapp.taxonomy import BY_CODE

QUANTILES = pd.DataFrame(
    {
        "label": pd.array(["mel", "nv", None], dtype="string"),
        "photos": [1113, 6705, 10],
        "q05": [20.0, 40.0, 0.0],
        "q25": [30.0, 50.0, 1.0],
        "q50": [40.0, 60.0, 2.0],
        "q75": [50.0, 70.0, 3.0],
        "q95": [60.0, 80.0, 4.0],
        "auroc": [0.218, 0.79, math.nan],
    }
)


def test_each_class_has_a_line_a_bar_and_its_median() -> None:
    line, bar, median = draw_measure_by_class(QUANTILES, "Brightness").data[:3]
    assert (list(line.x), list(bar.x), list(median.x)) == ([20, 60], [30, 50], [40])
    assert line.y == bar.y == ("Melanoma", "Melanoma")
    assert bar.line.width > line.line.width
    assert line.line.color == median.marker.line.color == BY_CODE["mel"].colour


def test_classes_keep_their_order_from_top_to_bottom() -> None:
    figure = draw_measure_by_class(QUANTILES, "Brightness")
    assert [trace.y[0] for trace in figure.data[2::3]] == ["Melanoma", "Nevus (mole)", "Not labelled"]
    assert figure.data[-1].marker.line.color == GREY
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.title.text == "Brightness"


def test_each_class_has_its_auroc_on_the_right() -> None:
    notes = draw_measure_by_class(QUANTILES, "Brightness").layout.annotations
    assert [(note.y, note.text) for note in notes[:3]] == [
        ("Melanoma", "0.22"),
        ("Nevus (mole)", "0.79"),
        ("Not labelled", "–"),
    ]
    assert notes[3].text == "AUROC"


def test_the_tooltip_has_the_quantiles() -> None:
    hover = draw_measure_by_class(QUANTILES, "Brightness").data[0].customdata[0]
    assert hover == (
        "Melanoma (mel)<br>1,113 photos<br>Median 40<br>Middle 50%: 30 to 50<br>Middle 90%: 20 to 60<br>"
        "AUROC alone 0.22"
    )
    assert draw_measure_by_class(QUANTILES, "Red").data[-1].customdata[0].endswith("AUROC alone undefined")


def test_sharpness_has_a_logarithmic_axis_that_shows_zero() -> None:
    figure = draw_measure_by_class(QUANTILES, LOGARITHMIC)
    axis = figure.layout.xaxis
    assert axis.type == "log"
    assert list(axis.ticktext) == ["0.1", "1", "10"]
    assert min(min(trace.x) for trace in figure.data) == 0.1
    assert list(draw_measure_by_class(QUANTILES.iloc[:2], LOGARITHMIC).layout.xaxis.ticktext) == ["20", "50"]
    assert draw_measure_by_class(QUANTILES, "Brightness").layout.xaxis.type is None


def test_no_measurement_is_an_empty_chart() -> None:
    assert not draw_measure_by_class(QUANTILES.iloc[:0], "Brightness").data
    assert not draw_measure_by_class(QUANTILES.iloc[:0], LOGARITHMIC).data
