"""Step 1: two thirds of the photos are of one class, and the average hides the others."""

import pandas as pd

from skinapp.datasets.summary import count_classes
from skinapp.metrics.estimate import Estimate
from skinapp.runs.intervals import add_intervals
from skinapp.runs.measured import MeasuredRun
from skinapp.runs.summary import compute_per_class
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
from skinapp.taxonomy import BY_CODE, get_class_name

BY_PHOTO = RunId("ham10000-seven-by-photo", "validation")
TITLE = "Look at the data"

REPORTED_CLASSES = ("nv", "df", "akiec", "mel")
"""The classes with an F1 in the article."""


def build_step(stored: StoredExperiments) -> Step:
    """Count the classes of HAM10000 and compare the accuracy of a network with its F1 per class."""
    runs = stored.find_runs([BY_PHOTO])
    table = stored.read_table("ham10000")
    counts = _count_seven_classes(table)
    training = stored.describe_training(BY_PHOTO.experiment)
    differences = f"Ours: {training}. The article used a ResNet-34; we do not have its initial weights."
    if not runs.has(BY_PHOTO):
        pending = [ClaimAnswer(claim, NOT_YET, "", differences) for claim in ("A2", "A3")]
        return Step(
            TITLE,
            (_answer_size_and_classes(table, counts), *pending),
            _build_data_figures(counts),
            missing=list_missing(runs),
        )
    measured = runs.measured[BY_PHOTO]
    guess = float((measured.run.frame["truth"] == "nv").mean())
    photos = f"drawn by photo: {measured.describe_photos()}"
    accuracy, loss = measured.get_figure("accuracy"), measured.get_figure("log_loss").format()
    result = f"loss {loss}; accuracy {format_percent(accuracy)}; accuracy if every answer were nevus: {guess:.1%}"
    f1 = "; ".join(
        f"{get_class_name(code).lower()} {format_percent(measured.get_figure('f1', code))}" for code in REPORTED_CLASSES
    )
    return Step(
        TITLE,
        (
            _answer_size_and_classes(table, counts),
            ClaimAnswer("A2", result, photos, differences),
            ClaimAnswer("A3", f"F1 of {f1}", photos, "As above; intervals by bootstrap over lesions."),
        ),
        (
            *_build_data_figures(counts),
            build_key_figure("Accuracy", accuracy),
            KeyFigure("Always “nevus”", f"{guess:.1%}", "accuracy if every answer were nevus"),
        ),
        ForestPlot(_build_class_rows(measured), "F1 of each class"),
        _write_lesson(measured, guess),
        differences,
    )


def _count_seven_classes(table: pd.DataFrame) -> pd.DataFrame:
    # The article's seven classes: HAM10000 counts squamous cell carcinoma (scc in ISIC 2019) as akiec.
    return count_classes(table.assign(diagnosis=table["diagnosis"].replace({"scc": "akiec"})))


def _build_data_figures(counts: pd.DataFrame) -> tuple[KeyFigure, ...]:
    first, last = counts.iloc[0], counts.iloc[-1]
    return (
        KeyFigure(
            get_class_name(first["diagnosis"]),
            f"{first['share']:.0%}",
            f"{first['photos']:,} of {counts.photos.sum():,}",
        ),
        KeyFigure(get_class_name(last["diagnosis"]), f"{last['share']:.1%}", f"{last['photos']:,} photos"),
    )


def _answer_size_and_classes(table: pd.DataFrame, counts: pd.DataFrame) -> ClaimAnswer:
    sizes = table[["width", "height"]].drop_duplicates()
    stored = table[["stored_width", "stored_height"]].drop_duplicates()
    first, last = counts.iloc[0], counts.iloc[-1]
    names = [get_class_name(row["diagnosis"]).lower() for row in (first, last)]
    return ClaimAnswer(
        "A1",
        f"{_format_sizes(sizes)}; {names[0]} {first['photos']:,} ({first['share']:.1%}), {names[1]} {last['photos']:,}",
        f"all {len(table):,} photos of {table['lesion_id'].nunique():,} lesions",
        f"The same data. Our copies are reduced to {_format_sizes(stored)}, and the networks reduce them further.",
    )


def _format_sizes(frame: pd.DataFrame) -> str:
    if len(frame) > 1:
        return f"{len(frame):,} sizes"
    width, height = frame.iloc[0]
    return f"{width} x {height} px"


def _build_class_rows(measured: MeasuredRun) -> pd.DataFrame:
    classes = add_intervals(compute_per_class(measured.run), measured.intervals).sort_values(
        "f1", ascending=False, na_position="last", kind="stable"
    )
    return build_rows(
        (
            BY_CODE[row["class"]].short_name,
            f"{row['lesions']:,} lesions",
            Estimate(row["f1"], row["f1_low"], row["f1_high"]),
        )
        for _, row in classes.iterrows()
    )


def _write_lesson(measured: MeasuredRun, guess: float) -> str:
    classes = compute_per_class(measured.run).dropna(subset="f1").sort_values("f1")
    worst, best = classes.iloc[0], classes.iloc[-1]
    return (
        f"An average hides the classes. Accuracy is {measured.compute_headline().accuracy:.0%}; always answering nevus "
        f"gives {guess:.0%}. F1 ranges from {best['f1']:.0%} ({best['name'].lower()}) down to "
        f"{worst['f1']:.0%} ({worst['name'].lower()})."
    )
