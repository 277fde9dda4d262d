import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from skinapp.charts.confusion import confusion_heatmap
from skinapp.taxonomy import CODES

LABELS = ["mel", "nv", "scc"]
CONFUSION = pd.DataFrame([[60, 40, 0], [1, 1999, 0], [0, 0, 0]], index=LABELS, columns=LABELS)


def cells(figure: Figure) -> dict[tuple[str, str], str]:
    """Read what stands in which cell, as (truth, prediction)."""
    texts = (trace for trace in figure.data if trace.type == "scatter")
    return {(y, x): text for trace in texts for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)}


def test_counts_stand_in_the_cells_and_empty_cells_stay_empty() -> None:
    assert cells(confusion_heatmap(CONFUSION)) == {
        ("Melanoma", "Melanoma"): "60",
        ("Melanoma", "Nevus (mole)"): "40",
        ("Nevus (mole)", "Melanoma"): "1",
        ("Nevus (mole)", "Nevus (mole)"): "1999",
    }


def test_rows_show_percent_of_the_truth() -> None:
    shown = cells(confusion_heatmap(CONFUSION, "row"))
    assert shown["Melanoma", "Melanoma"] == "60"
    assert shown["Nevus (mole)", "Melanoma"] == "<1"


def test_columns_show_percent_of_the_prediction() -> None:
    shown = cells(confusion_heatmap(CONFUSION, "column"))
    assert shown["Melanoma", "Melanoma"] == "98"
    assert shown["Melanoma", "Nevus (mole)"] == "2"


@pytest.mark.parametrize(("normalise", "share"), [("counts", 0.6), ("row", 0.6), ("column", 60 / 61)])
def test_colour_is_a_share(normalise: str, share: float) -> None:
    heatmap = confusion_heatmap(CONFUSION, normalise).data[0]
    assert heatmap.z[0][0] == pytest.approx(share)
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)


def test_a_class_without_photos_has_no_colour() -> None:
    assert np.isnan(confusion_heatmap(CONFUSION).data[0].z[2]).all()


def test_text_is_white_on_the_opaque_cells_alone() -> None:
    _, on_pale, on_full = confusion_heatmap(CONFUSION).data
    assert on_pale.textfont.color is None
    assert on_full.textfont.color == "white"
    assert set(on_full.text) == {"60", "1999"}


def test_the_hover_says_it_in_words() -> None:
    hover = confusion_heatmap(CONFUSION).data[0].customdata[0][1]
    assert hover == (
        "Melanoma (mel)<br>taken for Melanocytic nevus (nv):<br>40 photos<br>"
        "40.0% of this truth<br>2.0% of this prediction"
    )
    assert "undefined" in confusion_heatmap(CONFUSION).data[0].customdata[2][0]


def test_truth_runs_downwards_and_many_names_stand_on_end() -> None:
    eight = confusion_heatmap(pd.DataFrame(1, index=list(CODES), columns=list(CODES))).layout
    assert eight.yaxis.autorange == "reversed"
    assert (eight.xaxis.tickangle, confusion_heatmap(CONFUSION).layout.xaxis.tickangle) == (-90, 0)
