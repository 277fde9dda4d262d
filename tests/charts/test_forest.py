import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skinapp.charts.forest import TOO_FEW, compute_symmetric_domain, draw_forest_plot

Read = Callable[..., list[Any]]
ROWS = pd.DataFrame(
    {
        "label": ["Female", "not recorded", "trunk, lateral and posterior", "Female"],
        "value": [0.86, np.nan, 0.9, 0.75],
        "low": [0.82, np.nan, 0.7, np.nan],
        "high": [0.89, np.nan, 0.97, np.nan],
        "note": ["922 lesions", "12 lesions", None, None],
    },
    index=[7, 3, 5, 1],
)


def words(axis: dict[str, Any]) -> list[list[str]]:
    return list(json.loads(axis["labelExpr"].removesuffix("[datum.value]")))


def test_rows_keep_their_order_and_names_need_not_be_unique(layers_of: Read) -> None:
    line, dot, _ = layers_of(draw_forest_plot(ROWS, None, "Accuracy", (0.5, 1)))
    assert dot.rows[["row", "value"]].to_numpy().tolist() == [[0, 0.86], [2, 0.9], [3, 0.75]]
    assert line.encoding["y"]["scale"]["domain"] == [0, 1, 2, 3]
    assert line.encoding["x"]["scale"]["domain"] == [0.5, 1]
    assert line.encoding["x"]["axis"]["title"] == "Accuracy"


def test_names_are_wrapped_with_their_notes_below(layers_of: Read) -> None:
    axis = layers_of(draw_forest_plot(ROWS, None, "Accuracy", (0.5, 1)))[0].encoding["y"]["axis"]
    assert axis["orient"] == "left"
    assert words(axis) == [
        ["Female", "922 lesions"],
        ["not recorded", "12 lesions"],
        ["trunk, lateral", "and posterior"],
        ["Female"],
    ]
    without = layers_of(draw_forest_plot(ROWS.drop(columns="note"), None, "Accuracy", (0.5, 1)))[0].encoding["y"][
        "axis"
    ]
    assert words(without)[0] == ["Female"]


def test_numbers_are_beside_the_rows(layers_of: Read) -> None:
    axis = layers_of(draw_forest_plot(ROWS, None, "Accuracy", (0.5, 1)))[1].encoding["y"]["axis"]
    assert axis["orient"] == "right"
    assert words(axis) == [["0.86", "0.82 to 0.89"], ["–"], ["0.90", "0.70 to 0.97"], ["0.75"]]


def test_differences_have_a_sign_and_three_decimals(layers_of: Read) -> None:
    rows = pd.DataFrame({"label": ["Accuracy"], "value": [-0.0124], "low": [-0.03], "high": [0.005]})
    axis = layers_of(draw_forest_plot(rows, 0.0, "Difference", (-0.1, 0.1)))[2].encoding["y"]["axis"]
    assert words(axis) == [["−0.012", "−0.030 to +0.005"]]


def test_an_undefined_value_says_too_few(layers_of: Read) -> None:
    line, dot, said = layers_of(draw_forest_plot(ROWS, None, "Accuracy", (0.5, 1)))
    assert said.rows["row"].tolist() == [1]
    assert said.encoding["text"]["value"] == TOO_FEW
    assert said.rows["edge"].tolist() == [0.5]
    assert 1 not in [*line.rows["row"], *dot.rows["row"]]


def test_a_reference_is_a_dashed_line(layers_of: Read) -> None:
    reference = layers_of(draw_forest_plot(ROWS, 0.85, "Accuracy", (0.5, 1)))[0]
    assert reference.rows["value"].tolist() == [0.85]
    assert reference.mark["strokeDash"]
    assert len(layers_of(draw_forest_plot(ROWS, None, "Accuracy", (0.5, 1)))) == 3


def test_whiskers_are_cut_off_at_the_ends_of_the_axis(layers_of: Read) -> None:
    line, dot, _ = layers_of(draw_forest_plot(ROWS, None, "Accuracy", (0.5, 1)))
    assert (line.encoding["x"]["field"], line.encoding["x2"]["field"]) == ("low", "high")
    assert line.mark["clip"] is dot.mark["clip"] is True


def test_each_row_adds_height_and_no_rows_are_an_empty_chart() -> None:
    one, all_rows, none = (
        draw_forest_plot(rows, None, "Accuracy", (0, 1)).to_dict()["height"]
        for rows in (ROWS.head(1), ROWS.head(2), ROWS.head(0))
    )
    assert all_rows - one == one - none > 2 * 13


def test_odd_class_names_are_only_text(layers_of: Read) -> None:
    rows = ROWS.head(1).assign(label='a"b\\c</x>')
    assert words(layers_of(draw_forest_plot(rows, None, "F", (0, 1)))[0].encoding["y"]["axis"])[0][0] == 'a"b\\c</x>'


def test_the_domain_of_differences_contains_every_interval() -> None:
    rows = pd.DataFrame({"value": [0.1, -0.02], "low": [0.05, -0.4], "high": [0.2, np.nan]})
    low, high = compute_symmetric_domain(rows)
    assert low < -0.4
    assert high == -low
    assert compute_symmetric_domain(rows.head(0)) == pytest.approx((-0.0525, 0.0525))
