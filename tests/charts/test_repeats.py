from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from skinapp.charts.repeats import MOST_LESIONS, draw_repeats

Read = Callable[..., list[Any]]


def lesions(ranges: list[float], answers: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lesion_id": [f"L{place}" for place in range(len(ranges))],
            "truth": "nv",
            "photos": 3,
            "answers": answers,
            "malignant_low": 0.0,
            "malignant_high": ranges,
            "malignant_range": ranges,
        }
    )


def test_few_lesions_have_a_line_each_the_smallest_range_first(layers_of: Read) -> None:
    line, low, high = layers_of(draw_repeats(lesions([0.5, 0.1, 0.9], [1, 1, 2])))
    drawn = line.rows.sort_values("position")
    assert drawn["lesion_id"].tolist() == ["L1", "L0", "L2"]
    assert drawn["answer"].tolist() == ["Same answer", "Same answer", "Different answers"]
    assert (line.encoding["x"]["field"], line.encoding["x2"]["field"]) == ("malignant_low", "malignant_high")
    assert (low.encoding["x"]["field"], high.encoding["x"]["field"]) == ("malignant_low", "malignant_high")
    assert "Melanocytic nevus (nv)" in set(line.rows["name"])


def test_many_lesions_are_counted_in_bins_and_none_is_lost(layers_of: Read) -> None:
    ranges = [*np.linspace(0, 0.049, MOST_LESIONS), 0.05, 0.32, 1.0]
    (bars,) = layers_of(draw_repeats(lesions(ranges, [1] * MOST_LESIONS + [2, 1, 2])))
    assert bars.rows[["low", "answer", "lesions"]].to_numpy().tolist() == [
        [0.0, "Same answer", MOST_LESIONS],
        [0.05, "Different answers", 1],
        [0.3, "Same answer", 1],
        [0.95, "Different answers", 1],
    ]
    assert bars.rows["lesions"].sum() == len(ranges)
    assert (bars.encoding["x"]["bin"], bars.encoding["y"]["stack"]) == ("binned", "zero")


def test_without_malignancy_answers_are_counted(layers_of: Read) -> None:
    table = lesions([np.nan] * 4, [1, 1, 2, 3])
    (bars,) = layers_of(draw_repeats(table))
    assert bars.rows[["answers", "lesions"]].to_numpy().tolist() == [[1, 2], [2, 1], [3, 1]]
    assert bars.rows["answer"].tolist() == ["Same answer", "Different answers", "Different answers"]


def test_the_colour_says_whether_the_answer_was_the_same(layers_of: Read) -> None:
    colour = layers_of(draw_repeats(lesions([0.1], [1])))[0].encoding["color"]
    assert colour["scale"]["domain"] == ["Same answer", "Different answers"]
    assert len(set(colour["scale"]["range"])) == 2
