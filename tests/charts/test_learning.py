from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from skinapp.charts.learning import draw_learning_curves
from skinapp.charts.vega import DASHED, SOLID

CURVES = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [0.9, 0.7, 0.5],
        "validation_loss": [0.8, 0.7, 0.75],
        "validation_accuracy": [0.5, 0.6, 0.62],
        "validation_balanced_accuracy": [0.41, 0.45, 0.5],
        "validation_macro_f1": [0.4, np.nan, 0.5],
        "validation_macro_auroc": [0.8, 0.85, 0.9],
        "elapsed_s": [10.0, 20.0, 30.0],
    }
)


def panels(chart: alt.VConcatChart) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    spec = chart.to_dict()
    read = []
    for panel in spec["vconcat"]:
        layer = panel["layer"][0]
        name = layer.get("data", panel.get("data", spec.get("data")))["name"]
        read.append((layer["encoding"], pd.DataFrame(spec["datasets"][name])))
    return read


def test_losses_and_metrics_have_a_panel_each() -> None:
    (losses, loss_rows), (figures, figure_rows) = panels(draw_learning_curves(CURVES))
    assert losses["color"]["scale"]["domain"] == ["Training", "Validation"]
    assert loss_rows[loss_rows["line"] == "Training"]["value"].tolist() == [0.9, 0.7, 0.5]
    assert figures["color"]["scale"]["domain"] == ["Accuracy", "Balanced accuracy", "Macro F1", "Macro AUROC"]
    assert figure_rows[figure_rows["line"] == "Balanced accuracy"]["value"].tolist() == [0.41, 0.45, 0.5]


def test_undefined_values_are_left_out() -> None:
    rows = panels(draw_learning_curves(CURVES))[1][1]
    assert rows[rows["line"] == "Macro F1"]["epoch"].tolist() == [1, 3]


def test_other_columns_are_ignored_and_missing_ones_not_drawn() -> None:
    old = CURVES[["epoch", "train_loss", "validation_loss", "validation_macro_auroc", "elapsed_s"]]
    assert [encoding["color"]["scale"]["domain"] for encoding, _ in panels(draw_learning_curves(old))] == [
        ["Training", "Validation"],
        ["Macro AUROC"],
    ]
    assert len(panels(draw_learning_curves(CURVES[["epoch", "train_loss"]]))) == 1


def test_metrics_of_other_photos_than_validation_are_dashed() -> None:
    more = CURVES.assign(appended_validation_accuracy=0.9, appended_validation_loss=0.2)
    (losses, _), (figures, rows) = panels(draw_learning_curves(more))
    assert losses["color"]["scale"]["domain"] == ["Training", "Validation", "Appended validation"]
    assert len(set(losses["color"]["scale"]["range"])) == 3
    dashes = dict(zip(figures["strokeDash"]["scale"]["domain"], figures["strokeDash"]["scale"]["range"], strict=True))
    assert dashes["Accuracy, appended validation"] == DASHED
    assert dashes["Accuracy"] == SOLID
    assert rows[rows["line"] == "Accuracy, appended validation"]["value"].tolist() == [0.9] * 3


def test_losses_start_at_zero_and_metrics_at_a_tenth_below_the_lowest() -> None:
    (losses, _), (figures, _) = panels(draw_learning_curves(CURVES))
    assert losses["y"]["scale"]["zero"] is True
    assert figures["y"]["scale"]["domain"] == [0.4, 0.9]


def test_constant_metrics_have_an_axis_too() -> None:
    low, high = panels(draw_learning_curves(CURVES.assign(validation_accuracy=1.0)[["epoch", "validation_accuracy"]]))[
        0
    ][0]["y"]["scale"]["domain"]
    assert low < high


def test_epochs_are_whole() -> None:
    axis = panels(draw_learning_curves(CURVES))[0][0]["x"]["axis"]
    assert (axis["format"], axis["tickMinStep"]) == ("d", 1)
