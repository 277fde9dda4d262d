from collections.abc import Callable
from math import exp
from typing import Any

import pandas as pd
import pytest

from skinapp.charts.what_if import draw_what_if
from skinapp.taxonomy import MALIGNANCY_COLOURS, MALIGNANT

Read = Callable[..., list[Any]]
MOVES = pd.DataFrame({"name": ["Blur", "Ink", "Turned"], "score": [0.02, 0.5, 0.065]}, index=[4, 2, 9])


def to_scores(column: "pd.Series[float]") -> list[float]:
    return [1 / (1 + exp(-each)) for each in column]


def test_each_change_has_a_dot_at_its_score_and_a_line_from_the_photos_own(layers_of: Read) -> None:
    *_, line, dot = layers_of(draw_what_if(MOVES, 0.1, 0.065))
    assert to_scores(dot.rows["at"]) == pytest.approx([0.02, 0.5, 0.065])
    assert to_scores(dot.rows["own"]) == pytest.approx([0.1] * 3)
    assert line.encoding["x2"]["field"] == dot.encoding["x"]["field"] == "at"
    assert '["Blur", "Ink", "Turned"]' in dot.encoding["y"]["axis"]["labelExpr"]


def test_scores_at_the_threshold_or_above_have_the_colour_of_malignant(layers_of: Read) -> None:
    flagged = MALIGNANCY_COLOURS[MALIGNANT]
    dot = layers_of(draw_what_if(MOVES, 0.1, 0.065))[-1]
    assert [colour == flagged for colour in dot.rows["colour"]] == [False, True, True]
    assert flagged not in list(layers_of(draw_what_if(MOVES, 0.1, None))[-1].rows["colour"])


def test_the_axis_holds_every_mark_and_the_lines_are_named(layers_of: Read) -> None:
    layers = layers_of(draw_what_if(MOVES, 0.1, 0.001))
    low, high = layers[0].encoding["x"]["scale"]["domain"]
    assert to_scores(pd.Series([low, high])) == pytest.approx([0.0007, 0.586], rel=0.02)
    texts = [layer.encoding["text"]["value"] for layer in layers if "text" in layer.encoding]
    assert texts == ["this photo", "threshold"]
    without = layers_of(draw_what_if(MOVES, 0.1, None))
    assert [layer.encoding["text"]["value"] for layer in without if "text" in layer.encoding] == ["this photo"]


def test_certain_scores_are_drawn_at_the_end_of_the_axis(layers_of: Read) -> None:
    dot = layers_of(draw_what_if(MOVES.assign(score=[0.0, 1.0, 0.5]), 0.5, None))[-1]
    assert to_scores(dot.rows["at"]) == pytest.approx([0.0005, 0.9995, 0.5])


@pytest.mark.parametrize(
    ("scores", "ticks"),
    [
        ([0.07, 0.34, 0.3], [0.1, 0.2, 0.3]),
        ([0.012, 0.34, 0.3], [0.01, 0.02, 0.05, 0.1, 0.2, 0.3]),
        ([0.008, 0.6, 0.3], [0.01, 0.05, 0.2, 0.5]),
        ([0.0, 1.0, 0.5], [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]),
    ],
)
def test_a_few_scores_are_written_on_the_axis(layers_of: Read, scores: list[float], ticks: list[float]) -> None:
    axis = layers_of(draw_what_if(MOVES.assign(score=scores), 0.3, None))[0].encoding["x"]["axis"]
    assert to_scores(axis["values"]) == pytest.approx(ticks)
