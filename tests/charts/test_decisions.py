from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skinapp.charts.decisions import draw_net_benefit, draw_sensitivity_and_specificity
from skinapp.taxonomy import MALIGNANCY_COLOURS

Read = Callable[..., list[Any]]
THRESHOLDS = np.arange(1, 100) / 100
BENEFIT = pd.DataFrame(
    {
        "threshold": THRESHOLDS,
        "model": 0.2 - 0.1 * THRESHOLDS,
        "all": 0.2 - 0.8 * THRESHOLDS / (1 - THRESHOLDS),
        "none": 0.0,
    }
)
ROC = pd.DataFrame(
    {"threshold": [np.inf, 0.9, 0.5, 0.1], "false_positive_rate": [0, 0, 0.25, 1], "sensitivity": [0, 0.5, 0.75, 1]}
)


def test_the_model_is_compared_with_referring_everyone_and_nobody(layers_of: Read) -> None:
    lines = layers_of(draw_net_benefit(BENEFIT, 0.3))[2]
    assert lines.encoding["color"]["scale"]["domain"] == ["By the model", "Refer everyone", "Refer nobody"]
    assert lines.encoding["color"]["scale"]["range"][0] == MALIGNANCY_COLOURS["malignant"]
    drawn = lines.rows.pivot(index="threshold", columns="strategy", values="benefit")
    assert drawn["By the model"].to_numpy() == pytest.approx(BENEFIT["model"].to_numpy())
    assert drawn["Refer everyone"].to_numpy() == pytest.approx(BENEFIT["all"].to_numpy())
    assert (drawn["Refer nobody"] == 0).all()


def test_very_low_benefits_do_not_flatten_the_curves(layers_of: Read) -> None:
    lines = layers_of(draw_net_benefit(BENEFIT, 0.3))[2]
    low, high = lines.encoding["y"]["scale"]["domain"]
    assert BENEFIT["all"].min() < -70
    assert -0.1 < low < 0
    assert 0.199 < high < 0.25
    assert lines.mark["clip"] is True


def test_a_model_without_any_benefit_is_drawn_too(layers_of: Read) -> None:
    low, high = layers_of(draw_net_benefit(BENEFIT.assign(model=-1.0, all=-2.0), 0.3))[2].encoding["y"]["scale"][
        "domain"
    ]
    assert low < 0 < high


@pytest.mark.parametrize(
    "draw", [lambda at: draw_net_benefit(BENEFIT, at), lambda at: draw_sensitivity_and_specificity(ROC, at)]
)
def test_the_chosen_threshold_is_marked(layers_of: Read, draw: Callable[[float], Any]) -> None:
    mark, words, *_ = layers_of(draw(0.22))
    assert mark.mark["type"] == "rule"
    assert mark.rows["threshold"].tolist() == [0.22]
    assert words.encoding["text"]["value"] == "chosen: 0.22"
    assert [layers_of(draw(at))[1].mark["align"] for at in (0.2, 0.9)] == ["left", "right"]


def test_sensitivity_and_specificity_are_those_of_the_roc(layers_of: Read) -> None:
    lines = layers_of(draw_sensitivity_and_specificity(ROC, 0.5))[2]
    drawn = lines.rows.drop_duplicates().pivot(index="threshold", columns="rate", values="share")
    assert drawn.index.tolist() == [0, 0.1, 0.5, 0.9, 1]
    assert drawn["Sensitivity"].tolist() == [1, 1, 0.75, 0.5, 0]
    assert drawn["Specificity"].tolist() == [0, 0, 0.75, 1, 1]


def test_between_two_scores_the_rates_are_those_of_the_higher_one(layers_of: Read) -> None:
    # A score of at least the threshold counts as positive: at 0.3 these are the same photos as at 0.5.
    assert layers_of(draw_sensitivity_and_specificity(ROC, 0.5))[2].mark["interpolate"] == "step-before"
