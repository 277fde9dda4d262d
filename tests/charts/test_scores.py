import numpy as np
import pandas as pd
import pytest

from skinapp.charts.scores import MIN_LESIONS, draw_per_class_bars

PER_CLASS = pd.DataFrame(
    {
        "class": ["mel", "df", "nv"],
        "support": [171, 23, 1341],
        "lesions": [120, MIN_LESIONS - 1, MIN_LESIONS],
        "f1": [0.6, np.nan, 0.9],
        "precision": [0.5, np.nan, 0.95],
        "recall": [0.75, 0.0, 0.85],
    }
)


def test_bars_are_sorted_by_f1_with_undefined_last() -> None:
    figure = draw_per_class_bars(PER_CLASS)
    assert [bar.name for bar in figure.data] == ["F1", "Precision", "Recall"]
    assert list(figure.data[2].x) == [0.85, 0.75, 0.0]
    assert np.isnan(figure.data[0].x[2])
    assert figure.layout.yaxis.autorange == "reversed"


def test_classes_with_few_lesions_are_marked() -> None:
    names = draw_per_class_bars(PER_CLASS).data[0].y
    assert names == ("Nevus (mole)", "Melanoma", "Dermatofibroma<br>(few)")


def test_without_intervals_there_are_no_whiskers() -> None:
    bar = draw_per_class_bars(PER_CLASS).data[0]
    assert bar.error_x.array is None
    assert bar.customdata[1] == "Melanoma (mel)<br>F1 0.60<br>171 photos of 120 lesions"


def test_intervals_become_whiskers_to_both_sides() -> None:
    bar = draw_per_class_bars(PER_CLASS.assign(recall_low=[0.7, 0.0, 0.8], recall_high=[0.78, 0.1, 0.87])).data[2]
    assert list(bar.error_x.array) == pytest.approx([0.02, 0.03, 0.1])
    assert list(bar.error_x.arrayminus) == pytest.approx([0.05, 0.05, 0.0])
    assert "95% interval 0.70 to 0.78" in bar.customdata[1]


def test_an_undefined_figure_says_so() -> None:
    assert "F1 undefined" in draw_per_class_bars(PER_CLASS).data[0].customdata[2]
