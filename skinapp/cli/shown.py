"""How the figures of a run are printed, by whichever command: as cells of a table and as objects of JSON."""

from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum

import pandas as pd
from rich.table import Table

from skinapp.metrics.estimate import Estimate
from skinapp.runs.intervals import figure

SHOWN = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "top3": "truth among the top three",
    "log_loss": "log loss",
    "macro_auroc": "macro AUROC",
    "malignant_auroc": "malignant AUROC",
    "ece": "expected calibration error",
}
"""Overall figures in the order they are shown, with their names in words."""


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


def as_object(found: Estimate) -> dict[str, float | None]:
    """Return value, low and high of a figure for JSON, null where undefined."""
    ends = {field.name: getattr(found, field.name) for field in fields(Estimate)}
    return {name: None if pd.isna(end) else end for name, end in ends.items()}


def in_words(found: Estimate) -> str:
    """Write a figure with its interval, alone where no interval was computed, or a dash where it is undefined."""
    alone = pd.isna(found.low) and not pd.isna(found.value)
    return f"{found.value:.3f}" if alone else found.in_words()


def figures_table(intervals: pd.DataFrame, names: Iterable[str], title: str) -> Table:
    """Draw the overall figures of a run, a row each."""
    table = Table("figure", "value (95% interval, by lesion)", title=title, title_justify="left", box=None)
    for name in names:
        table.add_row(SHOWN[name], in_words(figure(intervals, name)))
    return table
