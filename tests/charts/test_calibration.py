from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skinapp.charts.calibration import draw_confidence_histogram, draw_reliability

Read = Callable[..., list[Any]]
AFTER = pd.DataFrame(
    {
        "low": [0, 0.25, 0.5, 0.75],
        "high": [0.25, 0.5, 0.75, 1],
        "photos": [0, 10, 30, 60],
        "confidence": [np.nan, 0.4, 0.6, 0.9],
        "accuracy": [np.nan, 0.5, 0.6, 0.8],
    }
)
BEFORE = AFTER.assign(
    photos=[0, 0, 50, 150], confidence=[np.nan, np.nan, 0.7, 0.95], accuracy=[np.nan, np.nan, 0.5, 0.8]
)


def test_empty_bins_have_no_dot_and_full_ones_larger_dots(layers_of: Read) -> None:
    _, line, dots = layers_of(draw_reliability(None, AFTER))
    assert dots.rows["confidence"].tolist() == line.rows["confidence"].tolist() == [0.4, 0.6, 0.9]
    assert dots.rows["accuracy"].tolist() == [0.5, 0.6, 0.8]
    assert dots.encoding["size"]["field"] == "photos"
    low, high = dots.encoding["size"]["scale"]["range"]
    assert low < high


def test_the_diagonal_is_perfect_calibration(layers_of: Read) -> None:
    diagonal = layers_of(draw_reliability(None, AFTER))[0]
    assert diagonal.rows.to_numpy().tolist() == [[0, 0], [1, 1]]
    assert diagonal.mark["strokeDash"]


def test_before_and_after_differ_in_colour_and_one_alone_has_no_legend(layers_of: Read) -> None:
    both, alone = layers_of(draw_reliability(BEFORE, AFTER))[2], layers_of(draw_reliability(None, AFTER))[2]
    assert both.encoding["color"]["scale"]["domain"] == ["Before calibration", "After calibration"]
    assert both.encoding["color"]["legend"]["orient"] == "top"
    assert both.rows.groupby("state")["photos"].sum().to_dict() == {"Before calibration": 200, "After calibration": 100}
    assert alone.encoding["color"]["legend"] is None
    # The same state has the same colour with and without the other.
    assert alone.encoding["color"]["scale"]["range"] == both.encoding["color"]["scale"]["range"][1:]


def test_the_axes_name_the_positive_class(layers_of: Read) -> None:
    def titles(positive: str | None) -> list[str]:
        encoding = layers_of(draw_reliability(None, AFTER, positive))[2].encoding
        return [encoding[axis]["axis"]["title"] for axis in ("x", "y")]

    assert titles(None) == ["Confidence", "Share correct"]
    assert titles("malignant") == ["Malignant score", "Share malignant"]
    assert titles("mel") == ["Melanoma score", "Share melanoma"]


def test_bars_are_shares_of_the_photos_of_their_state(layers_of: Read) -> None:
    bars, lines = layers_of(draw_confidence_histogram(BEFORE, AFTER))
    assert (bars.mark["type"], lines.mark["type"]) == ("bar", "rule")
    assert bars.rows["share"].tolist() == pytest.approx([0, 0.1, 0.3, 0.6])
    assert lines.rows["share"].tolist() == pytest.approx([0, 0, 0.25, 0.75])
    assert (bars.encoding["x"]["field"], bars.encoding["x2"]["field"]) == ("low", "high")
    assert bars.encoding["y"]["axis"]["format"] == "%"


def test_without_a_before_there_are_only_bars(layers_of: Read) -> None:
    (bars,) = layers_of(draw_confidence_histogram(None, AFTER, "malignant"))
    assert bars.encoding["x"]["axis"]["title"] == "Malignant score"
