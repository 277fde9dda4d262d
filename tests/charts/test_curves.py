from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skinapp.charts.curves import draw_precision_recall_curves, draw_roc_curves
from skinapp.taxonomy import get_class_colour

Read = Callable[..., list[Any]]


def roc(points: int = 300) -> pd.DataFrame:
    rate = np.linspace(0, 1, points)
    curves = [
        pd.DataFrame(
            {
                "class": label,
                "area": area,
                "threshold": [np.inf, *np.linspace(1, 0, points - 1)],
                "false_positive_rate": rate,
                "sensitivity": rate**power,
            }
        )
        for label, area, power in (("malignant", 0.917, 0.2), ("mel", 0.9, 0.3), ("bcc", np.nan, 0.1))
    ]
    return pd.concat(curves, ignore_index=True)


def test_every_class_has_a_line_in_its_colour_and_its_area_in_the_legend(layers_of: Read) -> None:
    _, lines, _ = layers_of(draw_roc_curves(roc()))
    colour = lines.encoding["color"]
    assert colour["scale"]["domain"] == ["Malignant 0.92", "Melanoma 0.90", "Basal cell carcinoma undefined"]
    assert colour["scale"]["range"] == [get_class_colour(label) for label in ("malignant", "mel", "bcc")]
    assert colour["legend"]["title"] == "AUROC"
    assert colour["legend"]["orient"] == "top"
    assert set(lines.rows["line"]) == set(colour["scale"]["domain"])


def test_points_keep_their_order_and_none_is_lost(layers_of: Read) -> None:
    given = roc()
    _, lines, _ = layers_of(draw_roc_curves(given))
    assert lines.encoding["order"]["field"] == "step"
    drawn = lines.rows.sort_values("step", ignore_index=True)
    assert list(drawn["false_positive_rate"]) == pytest.approx(list(given["false_positive_rate"]))
    assert list(drawn["sensitivity"]) == pytest.approx(list(given["sensitivity"]))


def test_guessing_is_the_diagonal(layers_of: Read) -> None:
    diagonal = layers_of(draw_roc_curves(roc()))[0]
    assert diagonal.rows.to_numpy().tolist() == [[0, 0], [1, 1]]
    assert diagonal.mark["strokeDash"]
    assert diagonal.encoding["x"]["scale"]["domain"] == [0, 1]


def test_malignant_is_thicker_unless_another_class_is_highlighted(layers_of: Read) -> None:
    def of(chart: Any, column: str) -> dict[str, float]:
        rows = layers_of(chart)[1].rows
        return dict(zip(rows["line"].str.split().str[0], rows[column], strict=True))

    widths, strengths = of(draw_roc_curves(roc()), "width"), of(draw_roc_curves(roc()), "strength")
    assert widths["Malignant"] > widths["Melanoma"] == widths["Basal"]
    assert set(strengths.values()) == {1}
    widths, strengths = of(draw_roc_curves(roc(), "mel"), "width"), of(draw_roc_curves(roc(), "mel"), "strength")
    assert widths["Melanoma"] > widths["Malignant"]
    assert strengths["Melanoma"] == 1 > strengths["Malignant"] == strengths["Basal"]


def test_the_highlighted_line_is_on_top(layers_of: Read) -> None:
    assert layers_of(draw_roc_curves(roc(), "mel"))[1].rows["line"].iloc[-1] == "Melanoma 0.90"


def test_some_points_of_each_line_have_a_tooltip(layers_of: Read) -> None:
    hovers = layers_of(draw_roc_curves(roc(300)))[2]
    assert hovers.rows.groupby("line").size().tolist() == [40, 40, 40]
    ends = hovers.rows.groupby("line")["false_positive_rate"].agg(["min", "max"])
    assert (ends["min"] == 0).all()
    assert (ends["max"] > 0.95).all()
    assert hovers.mark["opacity"] == 0
    assert hovers.rows["threshold"].between(0, 1).all()
    words = [part["title"] for part in hovers.encoding["tooltip"]]
    assert words == ["Class", "False positive rate", "Sensitivity", "Threshold", "AUROC"]
    assert set(hovers.rows["name"]) == {"Malignant", "Melanoma (mel)", "Basal cell carcinoma (bcc)"}
    assert len(layers_of(draw_roc_curves(roc(7)))[2].rows) == 3 * 7


def test_precision_against_recall_leaves_undefined_points_out(layers_of: Read) -> None:
    curves = pd.DataFrame(
        {
            "class": "mel",
            "area": 0.5,
            "threshold": [1.0, 0.6, 0.2],
            "recall": [0, 0.5, 1],
            "precision": [np.nan, 1, 0.3],
        }
    )
    lines, hovers = layers_of(draw_precision_recall_curves(curves))
    assert (lines.encoding["x"]["field"], lines.encoding["y"]["field"]) == ("recall", "precision")
    assert lines.rows["precision"].tolist() == [1, 0.3]
    assert hovers.encoding["tooltip"][-1]["title"] == "Average precision"


def test_more_classes_make_the_chart_higher() -> None:
    few, many = roc()[lambda frame: frame["class"] == "mel"], roc()
    assert draw_roc_curves(many).to_dict()["height"] > draw_roc_curves(few).to_dict()["height"]


def test_odd_class_names_are_only_text(layers_of: Read) -> None:
    strange = """it's "0", \\ {odd}"""
    curves = roc().assign(**{"class": strange}).head(300)
    lines = layers_of(draw_roc_curves(curves, strange))[1]
    assert lines.encoding["color"]["scale"]["domain"] == [f"{strange} 0.92"]
    assert set(lines.rows["strength"]) == {1}
