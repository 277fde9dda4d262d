"""Small pieces that pages put together: choices, headline rows, tables."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import streamlit as st

from skinapp.errors import DatasetError
from skinapp.evaluation.figures import Headline
from skinapp.evaluation.intervals import Figure, figure

CONFUSION_VIEWS: dict[str, Literal["counts", "row", "column"]] = {
    "Photos": "counts",
    "Share of each truth": "row",
    "Share of each prediction": "column",
}

HEADLINE = {
    "accuracy": (
        "Accuracy",
        "Share of photos whose top answer is right. It flatters where one class is frequent.",
    ),
    "balanced_accuracy": ("Balanced accuracy", "Recall of each class, averaged: every class counts alike."),
    "macro_f1": ("Macro F1", "F1 of each class, averaged."),
    "macro_auroc": (
        "Macro AUROC",
        "How often a photo of a class scores above one of another, averaged by class.",
    ),
    "malignant_auroc": ("Malignant AUROC", "How often a malignant photo scores above a benign one."),
    "ece": ("Calibration error", "How far scores lie from how often they are right, on average."),
}
"""Figures in the order of the headline row: name and what it means."""

CLASS_FIGURES = {"f1": "F1", "precision": "Precision", "recall": "Recall", "auroc": "AUROC"}
"""Figures of a class in the order of the table's columns."""


def stem(path: Path) -> str:
    """Name a table by its file."""
    return path.stem


def run_name(path: Path) -> str:
    """Name a stored run by its model and itself."""
    return f"{path.parents[1].name}: {path.name}"


def choose_path(label: str, paths: Sequence[Path], name: Callable[[Path], str] = stem) -> Path:
    """Let the reader choose one of several files; DatasetError where there is none."""
    if not paths:
        raise DatasetError(f"{label}: nothing is stored yet.")
    chosen: Path = st.selectbox(label, paths, format_func=name)
    return chosen


def run_headline(counts: Headline, intervals: pd.DataFrame) -> None:
    """Show a run's overall figures with their intervals."""
    with st.container(horizontal=True):
        _metric("Photos", f"{counts.photos:,}", f"{counts.lesions:,} lesions")
        for name, (words, meaning) in HEADLINE.items():
            _metric(words, *_written(figure(intervals, name)), meaning)


def _metric(label: str, value: str, below: str, meaning: str | None = None) -> None:
    """Show a figure with a plain line under it; Streamlit calls that line a delta and would colour it."""
    st.metric(label, value, delta=below, delta_color="off", delta_arrow="off", help=meaning, border=True)


def _written(found: Figure) -> tuple[str, str]:
    """Write a figure and its interval; what is undefined is a dash."""
    if math.isnan(found.value):
        return "–", "undefined here"
    return f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}"


def class_table(classes: pd.DataFrame) -> None:
    """Show each class's figures as a table that can be sorted."""
    columns = {"name": "Class", "support": "Photos", "lesions": "Lesions"} | CLASS_FIGURES
    shown = classes[list(columns)].rename(columns=columns)
    figures = {name: st.column_config.NumberColumn(format="%.3f") for name in CLASS_FIGURES.values()}
    st.dataframe(shown, hide_index=True, column_config=figures)


def choose_confusion() -> Literal["counts", "row", "column"]:
    """Let the reader choose what the cells of a confusion matrix show."""
    chosen = st.segmented_control("Cells show", tuple(CONFUSION_VIEWS), default="Photos", required=True)
    return CONFUSION_VIEWS[chosen or "Photos"]
