import json
import re
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from skinapp.charts.calibration import confidence_histogram, reliability_chart
from skinapp.charts.curves import precision_recall_chart, roc_chart
from skinapp.charts.decisions import net_benefit_chart, rates_chart
from skinapp.charts.forest import forest
from skinapp.charts.learning import learning_curves
from skinapp.charts.repeats import repeat_chart
from skinapp.charts.vega import class_colours, key_px
from skinapp.taxonomy import CODES, MALIGNANCY_COLOURS, class_colour


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
        "roc": roc_chart(roc),
        "precision-recall": precision_recall_chart(
            pd.DataFrame({**ends, "recall": [0.0, 1.0], "precision": [1.0, 0.2]}), "mel"
        ),
        "reliability": reliability_chart(bins, bins),
        "histogram": confidence_histogram(bins, bins),
        "net benefit": net_benefit_chart(benefit, 0.3),
        "rates": rates_chart(roc, 0.3),
        "forest": forest(rows, 0.5, "Accuracy", (0, 1)),
        "learning": learning_curves(losses),
        "repeats": repeat_chart(lesions),
        "many repeats": repeat_chart(pd.concat([lesions] * 101)),
        "answers": repeat_chart(lesions.assign(malignant_range=np.nan)),
    }


def parts(spec: Any) -> list[dict[str, Any]]:
    """Collect every object of a specification, data left out."""
    if isinstance(spec, list):
        return [found for part in spec for found in parts(part)]
    if not isinstance(spec, dict):
        return []
    return [spec, *(found for name, part in spec.items() if name != "datasets" for found in parts(part))]


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_charts_lie_on_any_ground_and_no_text_is_small(name: str, chart: alt.LayerChart) -> None:
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
def test_charts_are_as_wide_as_their_place_and_of_one_height(name: str, chart: alt.LayerChart) -> None:
    spec = chart.to_dict()
    for panel in spec.get("vconcat", [spec]):
        assert panel["width"] == "container", name
        assert panel["height"] > 100


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_a_finger_that_scrolls_the_page_zooms_no_chart(name: str, chart: alt.LayerChart) -> None:
    assert not any("params" in part or part.get("bind") for part in parts(chart.to_dict())), name


@pytest.mark.parametrize(("name", "chart"), every_chart().items())
def test_every_chart_answers_in_words_and_keys_stand_on_top(name: str, chart: alt.LayerChart) -> None:
    found = parts(chart.to_dict())
    tooltips = [part["encoding"]["tooltip"] for part in found if "tooltip" in part.get("encoding", {})]
    assert tooltips, name
    assert all(isinstance(line.get("title"), str) for tooltip in tooltips for line in parts(tooltip) if "field" in line)
    assert all(part["legend"]["orient"] == "top" for part in found if part.get("legend") and "field" in part)


def test_classes_have_the_colours_of_taxonomy_and_strange_ones_one_each() -> None:
    assert class_colours(CODES) == [class_colour(code) for code in CODES]
    assert class_colours(["malignant", "benign"]) == list(MALIGNANCY_COLOURS.values())
    strange = class_colours(["mel", "wart", "scar", "burn"])
    assert strange[0] == class_colour("mel")
    assert len(set(strange)) == 4
    assert class_colours(["wart"]) == strange[1:2]
    assert len(set(class_colours(["df", "wart", "scar", "burn"]))) == 4
    assert len(class_colours([str(place) for place in range(50)])) == 50


def test_a_key_takes_a_line_for_words_too_long_to_share_one() -> None:
    assert key_px(["short", "words"]) < key_px(["a long word in a key", "another long word of it"])
    assert key_px(["short"], title="AUROC") > key_px(["short"])
