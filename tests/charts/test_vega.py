import json
import re
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from skinapp.charts.calibration import draw_confidence_histogram, draw_reliability
from skinapp.charts.curves import draw_precision_recall_curves, draw_roc_curves
from skinapp.charts.decisions import draw_net_benefit, draw_sensitivity_and_specificity
from skinapp.charts.forest import draw_forest_plot
from skinapp.charts.learning import draw_learning_curves
from skinapp.charts.repeats import draw_repeats
from skinapp.charts.vega import compute_legend_px, pick_class_colours
from skinapp.taxonomy import CODES, MALIGNANCY_COLOURS, get_class_colour


def every_chart() -> dict[str, alt.LayerChart | alt.VConcatChart]:
    ends = {"class": "mel", "area": 0.5, "threshold": [1.0, 0.0]}
    roc = pd.DataFrame({**ends, "false_positive_rate": [0, 1], "sensitivity": [0, 1]})
    bins = pd.DataFrame({"low": [0.0], "high": [1.0], "photos": [9], "confidence": [0.5], "accuracy": [0.4]})
    benefit = pd.DataFrame({"threshold": [0.1, 0.9], "model": 0.1, "all": [0.1, -9], "none": 0.0})
    rows = pd.DataFrame({"label": ["a", "b"], "value": [0.5, np.nan], "low": [0.4, np.nan], "high": [0.6, np.nan]})
    losses = pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.5], "validation_accuracy": [0.5, 0.6]})
    scores = {"malignant_low": 0.1, "malignant_high": 0.3, "malignant_range": 0.2}
    lesions = pd.DataFrame({"lesion_id": ["L1"], "truth": "nv", "photos": 2, "answers": 1, **scores})
    return {
        "roc": draw_roc_curves(roc),
        "precision-recall": draw_precision_recall_curves(
            pd.DataFrame({**ends, "recall": [0.0, 1.0], "precision": [1.0, 0.2]}), "mel"
        ),
        "reliability": draw_reliability(bins, bins),
        "histogram": draw_confidence_histogram(bins, bins),
        "net benefit": draw_net_benefit(benefit, 0.3),
        "rates": draw_sensitivity_and_specificity(roc, 0.3),
        "forest": draw_forest_plot(rows, 0.5, "Accuracy", (0, 1)),
        "learning": draw_learning_curves(losses),
        "repeats": draw_repeats(lesions),
        "many repeats": draw_repeats(pd.concat([lesions] * 101)),
        "answers": draw_repeats(lesions.assign(malignant_range=np.nan)),
    }


def parts(spec: Any) -> list[dict[str, Any]]:
    """Collect every object of a specification, data left out."""
    if isinstance(spec, list):
        return [found for part in spec for found in parts(part)]
    if not isinstance(spec, dict):
        return []
    return [spec, *(found for name, part in spec.items() if name != "datasets" for found in parts(part))]


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_charts_suit_any_background_and_no_text_is_small(name: str, chart: alt.LayerChart) -> None:
    spec = chart.to_dict()
    config = spec["config"]
    assert config["background"] == "transparent", name
    assert "background" not in spec
    text = json.dumps({part: value for part, value in spec.items() if part != "datasets"})
    assert not re.search(r'"(label|title|subtitle)Color"', text)
    assert "color" not in config["text"]
    for part in parts(spec):
        if part.get("type") == "text":
            assert not {"color", "fill"} & set(part)
        if part.get("mark", {}).get("type") == "text":
            assert "color" not in part["encoding"]
    sizes = [int(size) for size in re.findall(r'"\w*[fF]ontSize": (\d+)', text)]
    assert min(sizes) >= 13
    assert {config["axis"][size] for size in ("labelFontSize", "titleFontSize")} == {13}


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_charts_fill_their_container_and_have_a_fixed_height(name: str, chart: alt.LayerChart) -> None:
    spec = chart.to_dict()
    for panel in spec.get("vconcat", [spec]):
        assert panel["width"] == "container", name
        assert panel["height"] > 100


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_a_finger_that_scrolls_the_page_zooms_no_chart(name: str, chart: alt.LayerChart) -> None:
    assert not any("params" in part or part.get("bind") for part in parts(chart.to_dict())), name


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_every_chart_has_named_tooltips_and_its_legend_on_top(name: str, chart: alt.LayerChart) -> None:
    found = parts(chart.to_dict())
    tooltips = [part["encoding"]["tooltip"] for part in found if "tooltip" in part.get("encoding", {})]
    assert tooltips, name
    assert all(isinstance(line.get("title"), str) for tooltip in tooltips for line in parts(tooltip) if "field" in line)
    assert all(part["legend"]["orient"] == "top" for part in found if part.get("legend") and "field" in part)


def test_classes_have_the_colours_of_the_taxonomy_and_unknown_ones_one_each() -> None:
    assert pick_class_colours(CODES) == [get_class_colour(code) for code in CODES]
    assert pick_class_colours(["malignant", "benign"]) == list(MALIGNANCY_COLOURS.values())
    strange = pick_class_colours(["mel", "wart", "scar", "burn"])
    assert strange[0] == get_class_colour("mel")
    assert len(set(strange)) == 4
    assert pick_class_colours(["wart"]) == strange[1:2]
    assert len(set(pick_class_colours(["df", "wart", "scar", "burn"]))) == 4
    assert len(pick_class_colours([str(place) for place in range(50)])) == 50


def test_a_legend_with_long_words_needs_more_lines() -> None:
    assert compute_legend_px(["short", "words"]) < compute_legend_px(
        ["a long word in a key", "another long word of it"]
    )
    assert compute_legend_px(["short"], title="AUROC") > compute_legend_px(["short"])
