import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.flow import draw_flow_chart
from skinapp.charts.style import SPLIT_COLOURS

TYPES = {"kind": "string", "step": "string", "photos": "Int64", "lesions": "Int64", "reason": "string"}


def steps(*rows: tuple[str, str, int, int | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)


FLOW = steps(
    ("source", "HAM10000", 10015, 7470, None),
    ("source", "own photos", 100, None, None),
    ("kept", "Together", 10115, 7470, None),
    ("out", "Showcase", 52, 32, "Set aside as examples of the app"),
    ("kept", "Split", 10063, 7438, None),
    ("split", "Train", 7000, 5204, None),
    ("split", "Validation", 998, 747, None),
    ("split", "Test", 2065, 1487, None),
)


def boxes(figure: go.Figure) -> list[go.layout.Shape]:
    return [shape for shape in figure.layout.shapes if shape.type == "rect"]


def test_each_step_is_a_box_with_its_photos_and_lesions() -> None:
    figure = draw_flow_chart(FLOW)
    texts = [note.text for note in figure.layout.annotations]
    assert len(texts) == len(boxes(figure)) == len(FLOW)
    assert texts[0] == "<b>HAM10000</b><br>10,015 photos<br>7,470 lesions"
    assert texts[1] == "<b>own photos</b><br>100 photos"
    assert texts[3].startswith("<b>Showcase</b><br>52 photos<br>32 lesions<br>Set aside as")


def test_boxes_go_down_in_order_without_overlap() -> None:
    found = boxes(draw_flow_chart(FLOW))
    for place, box in enumerate(found):
        assert 0 <= box.x0 < box.x1 <= 1
        for other in found[place + 1 :]:
            assert other.y0 >= box.y1 or (other.y0 == box.y0 and (other.x0 >= box.x1 or box.x0 >= other.x1))


def test_texts_are_inside_their_boxes() -> None:
    figure = draw_flow_chart(FLOW)
    for box, note in zip(boxes(figure), figure.layout.annotations, strict=True):
        assert (note.x, note.y) == ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        assert box.y1 - box.y0 >= 17 * (note.text.count("<br>") + 1)


def test_splits_are_side_by_side_in_their_colours() -> None:
    train, validation, test = boxes(draw_flow_chart(FLOW))[-3:]
    assert train.y0 == validation.y0 == test.y0
    assert train.x1 < validation.x0 < validation.x1 < test.x0
    assert [box.line.color for box in (train, validation, test)] == list(SPLIT_COLOURS.values())[:3]


def test_photos_left_out_are_beside_the_line_in_a_dotted_box() -> None:
    found = boxes(draw_flow_chart(FLOW))
    assert [box.line.dash for box in found].count("dot") == 1
    assert found[3].line.dash == "dot"
    assert found[3].x0 > found[2].x1


def test_more_than_three_sources_need_another_row() -> None:
    rows = [("source", f"clinic {place}", 10, None, None) for place in range(5)]
    found = boxes(draw_flow_chart(steps(*rows, ("kept", "Together", 50, None, None))))
    assert len({box.y0 for box in found}) == 3


def test_lines_connect_the_steps_and_stay_inside_the_figure() -> None:
    figure = draw_flow_chart(FLOW)
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    height = figure.layout.yaxis.range[0]
    assert all(0 <= line.y0 <= line.y1 <= height for line in lines)
    found = boxes(figure)
    # Every box is touched by a line: at its top, at its bottom, or at its left where it is left out.
    for box in found:
        middle, centre = (box.y0 + box.y1) / 2, (box.x0 + box.x1) / 2
        assert any(
            (line.x0 == line.x1 == centre and (line.y0 == box.y1 or line.y1 == box.y0))
            or (line.y0 == middle and line.x1 == box.x0)
            for line in lines
        )


def test_a_table_without_photos_left_ends_at_the_last_box() -> None:
    figure = draw_flow_chart(steps(("source", "x", 2, None, None), ("out", "Without a label", 2, None, "Nobody says")))
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    last = boxes(figure)[-1]
    assert max(line.y1 for line in lines) == (last.y0 + last.y1) / 2


def test_an_empty_flow_is_an_empty_chart() -> None:
    assert not draw_flow_chart(steps()).layout.annotations
