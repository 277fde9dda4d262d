import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure, Scatter

from skinapp.charts.confusion import draw_confusion_heatmap
from skinapp.taxonomy import CODES

LABELS = ["mel", "nv", "scc"]
CONFUSION = pd.DataFrame([[60, 40, 0], [1, 1999, 0], [0, 0, 0]], index=LABELS, columns=LABELS)


def cells(figure: Figure) -> dict[tuple[str, str], str]:
    """Return the text of each cell by (truth, prediction)."""
    texts = (trace for trace in figure.data if trace.type == "scatter" and trace.mode == "text")
    return {(y, x): text for trace in texts for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)}


def points(confusion: pd.DataFrame) -> Scatter:
    return next(trace for trace in draw_confusion_heatmap(confusion).data[1:] if trace.mode == "markers")


def test_cells_show_counts_and_empty_cells_no_text() -> None:
    shown = cells(draw_confusion_heatmap(CONFUSION))
    assert {place: text for place, text in shown.items() if "Total" not in place} == {
        ("Melanoma", "Melanoma"): "60",
        ("Melanoma", "Nevus (mole)"): "40",
        ("Nevus (mole)", "Melanoma"): "1",
        ("Nevus (mole)", "Nevus (mole)"): "1999",
    }


def test_rows_show_percent_of_the_truth() -> None:
    shown = cells(draw_confusion_heatmap(CONFUSION, "row"))
    assert shown["Melanoma", "Melanoma"] == "60"
    assert shown["Nevus (mole)", "Melanoma"] == "<1"


def test_columns_show_percent_of_the_prediction() -> None:
    shown = cells(draw_confusion_heatmap(CONFUSION, "column"))
    assert shown["Melanoma", "Melanoma"] == "98"
    assert shown["Melanoma", "Nevus (mole)"] == "2"


@pytest.mark.parametrize(("normalise", "share"), [("counts", 0.6), ("row", 0.6), ("column", 60 / 61)])
def test_colour_is_a_share(normalise: str, share: float) -> None:
    heatmap = draw_confusion_heatmap(CONFUSION, normalise).data[0]
    assert heatmap.z[0][0] == pytest.approx(share)
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)


def test_a_class_without_photos_has_no_colour() -> None:
    assert np.isnan(draw_confusion_heatmap(CONFUSION).data[0].z[2]).all()


def test_text_is_white_only_on_opaque_cells() -> None:
    _, on_pale, on_full, *_ = draw_confusion_heatmap(CONFUSION).data
    assert on_pale.textfont.color is None
    assert on_full.textfont.color == "white"
    assert set(on_full.text) == {"60", "1999"}


def test_the_tooltip_names_truth_and_prediction() -> None:
    found = points(CONFUSION)
    hovers = dict(zip(map(tuple, found.customdata), found.hovertext, strict=True))
    assert hovers["mel", "nv"] == (
        "Melanoma (mel)<br>predicted as Melanocytic nevus (nv):<br>40 photos<br>"
        "40.0% of the true class<br>2.0% of the predicted class"
    )
    assert "undefined" in hovers["scc", "mel"]


def test_truth_is_in_rows_and_many_names_are_turned() -> None:
    eight = draw_confusion_heatmap(pd.DataFrame(1, index=list(CODES), columns=list(CODES))).layout
    assert eight.yaxis.range[0] > eight.yaxis.range[1]
    assert (eight.xaxis.tickangle, draw_confusion_heatmap(CONFUSION).layout.xaxis.tickangle) == (-90, 0)


def test_counts_have_row_and_column_totals() -> None:
    shown = cells(draw_confusion_heatmap(CONFUSION))
    assert [shown[truth, "Total"] for truth in ("Melanoma", "Nevus (mole)", "Squamous cell<br>carcinoma")] == [
        "100",
        "2000",
        "0",
    ]
    assert [shown["Total", name] for name in ("Melanoma", "Nevus (mole)", "Squamous cell carcinoma")] == [
        "61",
        "2039",
        "0",
    ]
    assert shown["Total", "Total"] == "2100"
    assert (
        draw_confusion_heatmap(CONFUSION).data[-1].hovertext[4]
        == "Predicted as Melanocytic nevus (nv):<br>2,039 photos"
    )


@pytest.mark.parametrize("normalise", ["row", "column"])
def test_shares_have_no_totals(normalise: str) -> None:
    assert not any("Total" in place for place in cells(draw_confusion_heatmap(CONFUSION, normalise)))


def test_large_counts_are_written_in_thousands() -> None:
    shown = cells(draw_confusion_heatmap(CONFUSION * 100))
    assert shown["Nevus (mole)", "Nevus (mole)"] == "200k"
    assert shown["Melanoma", "Melanoma"] == "6000"


def test_every_cell_has_a_point_that_knows_its_truth_and_prediction() -> None:
    found = points(CONFUSION)
    assert list(map(tuple, found.customdata)) == [(truth, prediction) for truth in LABELS for prediction in LABELS]
    place = list(map(tuple, found.customdata)).index(("mel", "nv"))
    assert (found.y[place], found.x[place]) == ("Melanoma", "Nevus (mole)")
    assert (found.marker.opacity, found.selected.marker.opacity, found.unselected.marker.opacity) == (0, 1, 0)


def test_selecting_a_cell_does_not_fade_the_numbers() -> None:
    # Plotly fades unselected texts unless selected texts have a colour.
    texts = [trace for trace in draw_confusion_heatmap(CONFUSION).data[1:] if trace.mode == "text"]
    assert len(texts) == 3
    assert all(trace.selected.textfont.color for trace in texts)


def test_tooltips_are_those_of_the_points_and_not_the_heatmap() -> None:
    figure = draw_confusion_heatmap(CONFUSION)
    assert figure.data[0].hoverinfo == "skip"
    assert figure.layout.hoverdistance == -1
