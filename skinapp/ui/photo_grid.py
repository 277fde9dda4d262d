"""A grid of thumbnails from which the visitor chooses one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from skinapp.ui import state
from skinapp.ui.component import define_component

_show_grid = define_component("photo_grid")


@dataclass(frozen=True)
class Cell:
    """One thumbnail: the id that is returned, words below it, and a data URL, "" where there is no picture.

    `tone` colours it as a verdict (skinapp.inference.triage.Category). `box` is a frame on the picture: left, top,
    width and height as shares of the picture, 0 to 1.
    """

    id: str | int
    label: str
    url: str = ""
    note: str = ""
    tone: str = ""
    current: bool = False
    box: tuple[float, float, float, float] | None = None


def choose_photo(label: str, cells: Sequence[Cell], name: str) -> str | int | None:
    """Show a grid and return the id of the cell that was just chosen, or None. `name` tells grids of a page apart."""
    answer = _show_grid(
        key=state.build_widget_key(name),
        data={"label": label, "cells": [asdict(cell) for cell in cells]},
        on_open_change=lambda: None,
    )
    chosen = answer.get("open")
    return next((cell.id for cell in cells if cell.id == chosen), None)
