import json
import re

import pandas as pd
import plotly.graph_objects as go
import pytest

from skinapp.charts.confusion import draw_confusion_heatmap
from skinapp.charts.distribution import draw_cap_effect, draw_class_distribution, draw_class_distribution_by_split
from skinapp.charts.donut import draw_lesion_type_donut, draw_malignancy_donut
from skinapp.charts.flow import draw_flow_chart
from skinapp.charts.measures import draw_measure_by_class
from skinapp.charts.metadata import draw_metadata_by_class
from skinapp.charts.scores import draw_per_class_bars
from skinapp.charts.sizes import draw_sizes
from skinapp.charts.style import TRANSPARENT, wrap_text
from skinapp.formatting import format_count_and_share, format_score, format_score_percent
from skinapp.taxonomy import CODES


def every_chart() -> dict[str, go.Figure]:
    counts = pd.DataFrame({"diagnosis": CODES, "photos": range(1, 9), "lesions": 1})
    confusion = pd.DataFrame(1, index=list(CODES), columns=list(CODES))
    scores = pd.DataFrame({"class": CODES, "support": 50, "lesions": 40, "f1": 0.5, "precision": 0.5, "recall": 0.5})
    few = pd.DataFrame({"width": [600], "height": [450], "photos": [9], "source": ["ham10000"]})
    many = pd.DataFrame({"width": range(80, 110), "height": 84, "photos": 2, "source": "bcn20000"})
    quantiles = dict.fromkeys(("q05", "q25", "q50", "q75", "q95", "auroc"), 0.5)
    flow = pd.DataFrame({"kind": ["source"], "step": "HAM10000", "photos": 9, "lesions": 8, "reason": pd.NA})
    return {
        "by split": draw_class_distribution_by_split(counts.assign(split="train")),
        "cap": draw_cap_effect(pd.DataFrame({"diagnosis": CODES, "before": 9, "after": 5, "left_out": 4})),
        "measure": draw_measure_by_class(pd.DataFrame({"label": CODES, "photos": 9, **quantiles}), "Sharpness"),
        "metadata": draw_metadata_by_class(pd.DataFrame({"label": CODES, "value": "male", "photos": 9}), "Sex"),
        "flow": draw_flow_chart(flow),
        "malignancy": draw_malignancy_donut(0.2),
        "lesion type": draw_lesion_type_donut(CODES, [0.125] * 8),
        "distribution": draw_class_distribution(counts),
        "few sizes": draw_sizes(few),
        "many sizes": draw_sizes(many),
        "scores": draw_per_class_bars(scores),
        "confusion": draw_confusion_heatmap(confusion),
    }


@pytest.mark.parametrize(("name", "figure"), every_chart().items())
def test_charts_suit_any_background_and_no_text_is_small(name: str, figure: go.Figure) -> None:
    layout = figure.layout
    assert (layout.paper_bgcolor, layout.plot_bgcolor) == (TRANSPARENT, TRANSPARENT), name
    assert layout.title.text is None
    assert layout.font.color is None
    assert all(annotation.font.color is None for annotation in layout.annotations)
    own = json.loads(figure.to_json())
    own["layout"].pop("template")
    sizes = [int(size) for size in re.findall(r'"size":\s*(\d+)', json.dumps(own))]
    assert sizes
    assert min(sizes) >= 13


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.0, "<1%"), (0.0099, "<1%"), (0.01, "1%"), (0.124, "12%"), (0.99, "99%"), (0.991, ">99%"), (1.0, ">99%")],
)
def test_a_score_never_claims_a_certainty(score: float, text: str) -> None:
    assert format_score_percent(score) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(6705, "6,705 · 67%"), (10015, "10,015 · 100%"), (10014, "10,014 · >99%"), (3, "3 · <1%"), (0, "0 · 0%")],
)
def test_a_count_may_be_all_or_none(count: int, text: str) -> None:
    assert format_count_and_share(count, 10015) == text


def test_a_share_of_nothing_is_none() -> None:
    assert format_count_and_share(0, 0) == "0 · 0%"


def test_long_names_break_between_words() -> None:
    assert wrap_text("Squamous cell carcinoma") == "Squamous cell<br>carcinoma"
    assert wrap_text("Dermatofibromatosis") == "Dermatofibromatosis"


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.0, "<0.001"),
        (0.0009, "<0.001"),
        (0.004, "0.004"),
        (0.0312, "0.031"),
        (0.12, "0.12"),
        (0.99, "0.99"),
        (0.996, "0.996"),
        (0.9991, ">0.999"),
        (1.0, ">0.999"),
    ],
)
def test_a_score_in_decimals_is_never_0_or_1(score: float, text: str) -> None:
    assert format_score(score) == text
