"""Step 4: all data sets merged, with ten labels; two of them overlap with the other eight."""

import numpy as np
import pandas as pd

from skinapp.datasets.summary import compute_imbalance, count_classes
from skinapp.metrics.estimate import Estimate
from skinapp.runs.intervals import add_intervals
from skinapp.runs.measured import MeasuredRun
from skinapp.runs.stored import StoredRun
from skinapp.runs.summary import compute_per_class
from skinapp.runs.views.curves import mark_malignant
from skinapp.story.experiments import StoredExperiments, list_missing
from skinapp.story.parts import (
    NOT_YET,
    ClaimAnswer,
    ForestPlot,
    KeyFigure,
    RunId,
    Step,
    build_key_figure,
    build_rows,
    format_percent,
)
from skinapp.story.skew import BY_PHOTO
from skinapp.taxonomy import MALIGNANCY_CLASSES, get_class_name

MERGED = RunId("merged-ten-labels", "validation")
TITLE = "Merge everything"
TWO_CLASS = "malignant-vs-benign"


def build_step(stored: StoredExperiments) -> Step:
    """Compare loss and F1 of a network trained on all sources and their labels with those of step 1."""
    runs = stored.find_runs([MERGED, BY_PHOTO])
    table = stored.read_table("merged")
    differences = (
        f"{_describe_classes(table)} {_describe_sizes(table)} Ours: {stored.describe_training(MERGED.experiment)}. "
        "Losses over ten and over seven labels cannot be compared directly."
    )
    if not runs.has(MERGED):
        return Step(
            TITLE,
            (ClaimAnswer("A6", NOT_YET, "", differences),),
            _build_data_figures(table),
            missing=list_missing(runs),
        )
    measured = runs.measured[MERGED]
    loss, f1 = measured.get_figure("log_loss"), measured.get_figure("macro_f1")
    agreement = _compute_malignancy_agreement(measured.run)
    step_1 = runs.measured.get(BY_PHOTO)
    return Step(
        TITLE,
        (
            ClaimAnswer(
                "A6",
                f"loss {loss.format()}, macro F1 {format_percent(f1)}{_describe_step_1(step_1)}; {agreement:.0%} of "
                "the errors that swap the two kinds of label are right about malignant or benign",
                f"drawn by photo: {measured.describe_photos()}",
                differences,
            ),
        ),
        (*_build_data_figures(table), build_key_figure("Loss", loss, 3), build_key_figure("Macro F1", f1)),
        ForestPlot(_build_label_rows(measured), "F1 of each of the ten labels"),
        _write_lesson(measured, step_1, _compute_duplicate_share(stored, table)),
        differences,
        list_missing(runs),
    )


def _build_data_figures(table: pd.DataFrame) -> tuple[KeyFigure, ...]:
    counts = count_classes(table)
    first = counts.iloc[0]
    return (
        KeyFigure(get_class_name(first["diagnosis"]), f"{first['share']:.0%}", f"of {len(table):,} photos"),
        KeyFigure("Top three labels", f"{counts['share'].head(3).sum():.0%}", f"of {len(counts)}"),
    )


def _describe_classes(table: pd.DataFrame) -> str:
    counts = count_classes(table)
    photos = counts.set_index("diagnosis")["photos"]
    first, top = counts.iloc[0], counts["diagnosis"].head(3)
    return (
        f"Our mixture differs: {_lower_name(first['diagnosis'])} {first['share']:.1%} of {len(table):,} photos, "
        f"{_lower_name('bcc')} {photos['bcc'] / len(table):.1%}, the top three ({', '.join(map(_lower_name, top))}) "
        f"{counts['share'].head(3).sum():.1%}, {_lower_name('bcc')} {photos['bcc'] / photos['scc']:.1f} times "
        f"{_lower_name('scc')}, the largest {compute_imbalance(counts['photos']):.0f} times the smallest."
    )


def _lower_name(label: str) -> str:
    return get_class_name(label).lower()


def _describe_sizes(table: pd.DataFrame) -> str:
    stored = table[["stored_width", "stored_height"]]
    published = table[["width", "height"]].dropna()
    sizes = " and ".join(f"{w} x {h}" for w, h in published.drop_duplicates().itertuples(index=False))
    return (
        f"The article's sizes cannot be repeated: the sides of our reduced copies are {stored.min().min()} to "
        f"{stored.max().max()} px, and the published size is known for only {len(published):,} photos ({sizes} px)."
    )


def _describe_step_1(step_1: MeasuredRun | None) -> str:
    if step_1 is None:
        return ""
    loss, f1 = step_1.get_figure("log_loss"), step_1.get_figure("macro_f1")
    return f" (step 1: loss {loss.format()}, macro F1 {format_percent(f1)})"


def _build_label_rows(measured: MeasuredRun) -> pd.DataFrame:
    classes = add_intervals(compute_per_class(measured.run), measured.intervals).sort_values(
        "f1", ascending=False, na_position="last", kind="stable"
    )
    return build_rows(
        (row["name"], f"{row['support']:,} photos", Estimate(row["f1"], row["f1_low"], row["f1_high"]))
        for _, row in classes.iterrows()
    )


def _compute_malignancy_agreement(run: StoredRun) -> float:
    """Return the share of errors right about malignancy, among those with one of two classes and one of eight types."""
    truth, answer = run.truth_index(), run.probabilities().argmax(axis=1)
    malignant = mark_malignant(run)
    two_class = np.isin(run.classes, MALIGNANCY_CLASSES)
    mixed = (truth != answer) & (two_class[truth] != two_class[answer])
    return float((malignant[truth] == malignant[answer])[mixed].mean()) if mixed.any() else float("nan")


def _compute_duplicate_share(stored: StoredExperiments, table: pd.DataFrame) -> float:
    """Return the share of photos of the two-class set with a copy that is labelled with its type."""
    twins = stored.list_twins()
    a, b = twins["table_a"] == TWO_CLASS, twins["table_b"] == TWO_CLASS
    duplicates = set(twins.loc[a & ~b, "image_a"]) | set(twins.loc[b & ~a, "image_b"])
    return len(duplicates) / int((table["source"] == TWO_CLASS).sum())


def _write_lesson(measured: MeasuredRun, step_1: MeasuredRun | None, duplicates: float) -> str:
    labels = (
        f"More photos are not better data. {duplicates:.0%} of the two-class photos are in the data again under their "
        "type, so the same picture has two correct labels."
    )
    if step_1 is None:
        return labels
    now, before = measured.compute_headline(), step_1.compute_headline()
    loss, f1 = now.log_loss - before.log_loss, now.macro_f1 - before.macro_f1
    agreement = "Loss and F1 disagree here" if loss * f1 > 0 else "Loss and F1 agree here"
    return f"{labels} {agreement}: compared with step 1 the loss is {_direction(loss)} and macro F1 {_direction(f1)}."


def _direction(change: float) -> str:
    return "higher" if change > 0 else "lower"
