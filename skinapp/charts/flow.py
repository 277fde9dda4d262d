"""The flow chart of a table: sources, photos left out and why, and splits."""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from skinapp.charts.style import FONT_SIZE, GREY, SPLIT_COLOURS, TRANSPARENT, apply_style, wrap_text

_LINE_PX, _PAD_PX, _GAP_PX = 18, 14, 26
_BOXES_PER_ROW = 3
"""Boxes side by side: the words of a fourth would not fit on a phone."""

_MAIN, _ASIDE, _SPACE = (0.0, 0.46), (0.53, 1.0), 0.03
"""Left and right end of the boxes of photos kept and of photos left out; space between boxes. Shares of the width."""

_TRUNK = sum(_MAIN) / 2
_LETTERS = 44
"""Letters on a line of a phone."""


@dataclass(frozen=True)
class _Box:
    left: float
    right: float
    lines: tuple[str, ...]
    colour: str

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class _Row:
    """Boxes of one kind side by side, from `top` to `bottom` in pixels."""

    kind: str
    boxes: tuple[_Box, ...]
    top: int
    bottom: int

    @property
    def anchors(self) -> list[float]:
        """The x positions of lines from above and to below; they pass by a box of photos left out."""
        return [_TRUNK] if self.kind == "out" else [box.centre for box in self.boxes]


def draw_flow_chart(flow: pd.DataFrame) -> go.Figure:
    """Draw the steps of a table from top to bottom, and beside them the photos left out, with the reason.

    `flow` has the columns kind ("source", "kept", "out" or "split"), step, photos, lesions (NA if unknown) and reason
    (only for "out", else NA), as `datasets.description` returns it. Up to three sources or splits are side by side.
    """
    figure = go.Figure(go.Scatter(x=[], y=[]))  # without a trace Plotly draws no axes and no shapes on them
    rows = _build_rows(flow)
    for row in rows:
        for box in row.boxes:
            _draw_box(figure, box, row)
    for above, below in pairwise(rows):
        if not above.kind == below.kind != "out":
            _draw_link(figure, above, below)
    for row in rows:
        if row.kind == "out":
            _draw_branch(figure, row, last=row is rows[-1])
    height = rows[-1].bottom if rows else 1
    apply_style(figure, height + 16)
    figure.update_xaxes(visible=False, range=[0, 1])
    return figure.update_yaxes(visible=False, range=[height, 0])


def _build_rows(flow: pd.DataFrame) -> list[_Row]:
    rows: list[_Row] = []
    for kind, group in groupby(flow.to_dict("records"), key=lambda step: str(step["kind"])):
        steps = list(group)
        per_row = _BOXES_PER_ROW if kind in {"source", "split"} else 1
        for first in range(0, len(steps), per_row):
            in_row = steps[first : first + per_row]
            boxes = tuple(
                _build_box(step, *ends) for step, ends in zip(in_row, _compute_ends(kind, len(in_row)), strict=True)
            )
            top = rows[-1].bottom + _GAP_PX if rows else 0
            rows.append(_Row(kind, boxes, top, top + _PAD_PX + _LINE_PX * max(len(box.lines) for box in boxes)))
    return rows


def _compute_ends(kind: str, boxes: int) -> list[tuple[float, float]]:
    if boxes == 1:
        return [_ASIDE if kind == "out" else _MAIN]
    width = (1 - _SPACE * (boxes - 1)) / boxes
    return [(index * (width + _SPACE), index * (width + _SPACE) + width) for index in range(boxes)]


def _build_box(step: dict[Hashable, Any], left: float, right: float) -> _Box:
    letters = int(_LETTERS * (right - left))
    lesions = "" if pd.isna(step["lesions"]) else f"{step['lesions']:,} lesions"
    reason = "" if pd.isna(step["reason"]) else str(step["reason"])
    parts = [(f"<b>{line}</b>") for line in wrap_text(str(step["step"]), letters).split("<br>")]
    parts += [f"{step['photos']:,} photos", lesions, *wrap_text(reason, letters).split("<br>")]
    colour = SPLIT_COLOURS.get(str(step["step"]).lower(), GREY) if step["kind"] == "split" else GREY
    return _Box(left, right, tuple(part for part in parts if part), colour)


def _draw_box(figure: go.Figure, box: _Box, row: _Row) -> None:
    line = {"color": box.colour, "width": 2, "dash": "dot" if row.kind == "out" else "solid"}
    corners = {"x0": box.left, "x1": box.right, "y0": row.top, "y1": row.bottom}
    figure.add_shape(type="rect", line=line, fillcolor=TRANSPARENT, **corners)
    figure.add_annotation(
        x=box.centre,
        y=(row.top + row.bottom) / 2,
        text="<br>".join(box.lines),
        showarrow=False,
        font={"size": FONT_SIZE},
    )


def _draw_link(figure: go.Figure, above: _Row, below: _Row) -> None:
    """Draw the lines from one row to the next: down, across, down."""
    half = (above.bottom + below.top) / 2
    for x in above.anchors:
        _draw_line(figure, x, x, above.bottom, half)
    for x in below.anchors:
        _draw_line(figure, x, x, half, below.top)
    ends = above.anchors + below.anchors
    if min(ends) < max(ends):
        _draw_line(figure, min(ends), max(ends), half, half)


def _draw_branch(figure: go.Figure, row: _Row, last: bool) -> None:
    """Draw the line past a box of photos left out and the branch to that box; in the last row the line ends there."""
    middle = (row.top + row.bottom) / 2
    _draw_line(figure, _TRUNK, _TRUNK, row.top, middle if last else row.bottom)
    _draw_line(figure, _TRUNK, row.boxes[0].left, middle, middle)


def _draw_line(figure: go.Figure, x0: float, x1: float, y0: float, y1: float) -> None:
    figure.add_shape(type="line", x0=x0, x1=x1, y0=y0, y1=y1, line={"color": GREY, "width": 2})
