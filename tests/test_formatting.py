import math

import pytest

from skinapp.formatting import (
    DASH,
    PERCENT,
    format_count_and_share,
    format_estimate,
    format_interval,
    format_share,
    format_value,
)
from skinapp.metrics.estimate import Estimate
from skinapp.metrics.labels import LABELS, get_inline_name, get_meaning, get_metric_name, get_short_name
from skinapp.metrics.summary import OVERALL, PER_CLASS

NAN = float("nan")


@pytest.mark.parametrize("undefined", [None, NAN])
def test_undefined_is_a_dash_or_the_word_that_is_given(undefined: float | None) -> None:
    assert format_value(undefined) == DASH
    assert format_value(undefined, PERCENT, "undefined") == "undefined"


def test_a_value_stands_alone_without_an_interval() -> None:
    assert format_estimate(Estimate(0.5, NAN, NAN)) == "0.500"
    assert format_interval(Estimate(0.5, NAN, NAN)) == ""
    assert format_estimate(Estimate(0.5, 0.25, 0.75), PERCENT) == "50.0% (25.0% to 75.0%)"
    assert format_estimate(Estimate(math.nan, 0.25, 0.75)) == format_estimate(None) == DASH


def test_only_none_and_all_are_0_and_100_percent() -> None:
    assert [format_share(part, 1000) for part in (0, 1, 500, 999, 1000)] == ["0%", "<1%", "50%", ">99%", "100%"]
    assert format_share(0, 0) == "0%"
    assert format_count_and_share(6705, 10015) == "6,705 · 67%"


def test_every_metric_that_is_computed_has_a_name() -> None:
    assert {*OVERALL, *PER_CLASS} <= set(LABELS)
    assert all(get_meaning(metric) for metric in OVERALL)


def test_names_for_a_heading_a_tile_and_a_sentence() -> None:
    assert get_metric_name("macro_auroc") == get_short_name("macro_auroc") == "Macro AUROC"
    assert get_inline_name("macro_auroc") == "macro AUROC"
    assert get_inline_name("f1") == "F1"
    assert get_inline_name("auroc") == "AUROC"
    assert get_short_name("top3") == "Top three"
    assert get_metric_name("some_other") == "Some other"
    assert get_meaning("some_other") is None
