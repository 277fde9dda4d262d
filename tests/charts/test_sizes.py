import numpy as np
import pandas as pd
import pytest

from skinapp.charts.sizes import draw_sizes

HAM = pd.DataFrame({"width": [600], "height": [450], "photos": [10015], "source": ["ham10000"]})


def many(photos: int = 2, source: str = "bcn20000") -> pd.DataFrame:
    return pd.DataFrame({"width": range(100, 340, 8), "height": 84, "photos": photos, "source": source})


def test_a_single_size_is_a_single_bar_with_its_count() -> None:
    figure = draw_sizes(HAM)
    bar, totals = figure.data
    assert (list(bar.y), list(bar.x)) == (["600 × 450 px"], [10015])
    assert totals.text == (" 10,015 · 100%",)
    assert not figure.layout.annotations


def test_few_sizes_are_listed_most_frequent_first_with_a_colour_per_source() -> None:
    other = pd.DataFrame(
        {
            "width": [600, 1024, None],
            "height": [450, 1024, None],
            "photos": [5, 20000, 7],
            "source": ["msk", "bcn20000", "msk"],
        }
    )
    figure = draw_sizes(pd.concat([HAM, other]))
    assert list(figure.data[-1].y) == ["1024 × 1024 px", "600 × 450 px", "Not stated"]
    assert list(figure.data[-1].x) == [20000, 10020, 7]
    bars = {trace.name: list(trace.x) for trace in figure.data[:-1]}
    assert bars == {"bcn20000": [20000, 0, 0], "ham10000": [0, 10015, 0], "msk": [0, 5, 7]}
    assert len({trace.marker.color for trace in figure.data[:-1]}) == 3
    key = figure.layout.annotations[0].text
    assert all(f"color:{trace.marker.color}'>■</span> {trace.name}" in key for trace in figure.data[:-1])
    assert figure.layout.barmode == "stack"


def test_many_sizes_are_a_heatmap_of_all_photos() -> None:
    figure = draw_sizes(pd.concat([many(), many(3, "msk"), HAM]))
    heatmap = figure.data[0]
    assert heatmap.type == "heatmap"
    counts = 10 ** np.asarray(heatmap.z, dtype=float)
    assert np.nansum(counts) == pytest.approx(30 * 5 + 10015)
    row, column = np.unravel_index(np.nanargmax(counts), counts.shape)
    half = (heatmap.x[1] - heatmap.x[0]) / 2
    assert abs(heatmap.x[column] - 600) <= half
    assert abs(heatmap.y[row] - 450) <= half
    assert heatmap.customdata[row][column] == "10,015 photos (ham10000)"
    assert "(bcn20000, msk)" in heatmap.customdata[0][0]


def test_cells_of_the_heatmap_are_square_and_evenly_spaced() -> None:
    heatmap = draw_sizes(pd.concat([many(), HAM])).data[0]
    assert len(set(np.diff(heatmap.x))) == 1
    assert np.diff(heatmap.x)[0] == np.diff(heatmap.y)[0]


def test_the_heatmap_counts_photos_of_unknown_size() -> None:
    unstated = pd.DataFrame({"width": [None], "height": [None], "photos": [1234], "source": ["msk"]})
    figure = draw_sizes(pd.concat([many(), unstated]))
    assert "1,234 photos without a stated size" in figure.layout.xaxis.title.text
    assert "without" not in draw_sizes(many()).layout.xaxis.title.text


def test_the_colour_bar_counts_photos() -> None:
    bar = draw_sizes(many(2500)).data[0].colorbar
    assert list(bar.ticktext) == ["1", "10", "100", "1,000"]
    assert list(bar.tickvals) == [0, 1, 2, 3]


def test_one_source_can_be_drawn_alone() -> None:
    sizes = pd.concat([many(), many(3, "msk"), HAM])
    assert list(draw_sizes(sizes, "ham10000").data[0].y) == ["600 × 450 px"]
    counts = 10 ** np.asarray(draw_sizes(sizes, "msk").data[0].z, dtype=float)
    assert np.nansum(counts) == pytest.approx(30 * 3)


def test_an_unknown_source_is_an_empty_chart() -> None:
    assert not draw_sizes(HAM, "msk").data


def test_the_edge_bars_count_the_photos_of_each_width_and_height() -> None:
    figure = draw_sizes(pd.concat([many(), HAM]))
    heatmap, widths, heights = figure.data
    counts = np.nan_to_num(10 ** np.asarray(heatmap.z, dtype=float))
    assert list(widths.x) == list(heatmap.x)
    assert list(widths.y) == pytest.approx(counts.sum(axis=0))
    assert list(heights.y) == list(heatmap.y)
    assert list(heights.x) == pytest.approx(counts.sum(axis=1))
    assert (widths.yaxis, heights.xaxis, heights.orientation) == ("y2", "x2", "h")
    assert sum(widths.y) == sum(heights.x) == 30 * 2 + 10015


def test_the_edge_bars_do_not_overlap_the_heatmap() -> None:
    layout = draw_sizes(many()).layout
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert layout.yaxis.domain[1] < layout.yaxis2.domain[0]
    assert not layout.xaxis2.visible
    assert layout.xaxis.fixedrange
    assert layout.xaxis2.fixedrange
