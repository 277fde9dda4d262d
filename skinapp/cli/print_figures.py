"""How the figures of a run are printed, by whichever command: as cells of a table and as objects of JSON."""

from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum

import pandas as pd
from rich.table import Table

from skinapp.formatting import format_estimate
from skinapp.metrics.estimate import Estimate
from skinapp.metrics.labels import get_inline_name
from skinapp.runs.intervals import get_figure


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


def build_json_figure(figure: Estimate) -> dict[str, float | None]:
    """Return value, low and high of a figure for JSON, null where undefined."""
    ends = {field.name: getattr(figure, field.name) for field in fields(Estimate)}
    return {name: None if pd.isna(end) else end for name, end in ends.items()}


def draw_figures_table(intervals: pd.DataFrame, names: Iterable[str], title: str) -> Table:
    """Draw the overall figures of a run, a row each."""
    table = Table("figure", "value (95% interval, by lesion)", title=title, title_justify="left", box=None)
    for name in names:
        table.add_row(get_inline_name(name), format_estimate(get_figure(intervals, name)))
    return table
