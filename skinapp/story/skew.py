"""Step 1: a data set of which two thirds are one class, and what the average says of it."""

import pandas as pd

from skinapp.datasets.summary import class_counts
from skinapp.metrics.estimate import Estimate
from skinapp.runs.baselines import no_skill
from skinapp.runs.intervals import with_intervals
from skinapp.runs.measured import Measured
from skinapp.runs.summary import per_class
from skinapp.story.experiments import StoredExperiments, absent
from skinapp.story.parts import NOT_YET, Forest, ScoredPhoto, Shown, Source, Step, percent, rows, shown
from skinapp.taxonomy import BY_CODE, class_name

BY_PHOTO = Source("ham10000-seven-by-photo", "validation")
TITLE = "Look at the data"

ASKED = ("nv", "df", "akiec", "mel")
"""The classes whose F1 the article states."""


def step(shelf: StoredExperiments) -> Step:
    """Count HAM10000, and set the average of a network trained on it as it is beside its classes."""
    taken = shelf.take([BY_PHOTO])
    table = shelf.table("ham10000")
    counts = _counts(table)
    how = f"Ours: {shelf.how(BY_PHOTO.experiment)}. The article took a ResNet-34, whose weights are not at hand."
    if not taken.has(BY_PHOTO):
        pending = [ScoredPhoto(claim, NOT_YET, "", how) for claim in ("A2", "A3")]
        return Step(TITLE, (_data(table, counts), *pending), _of_data(counts), missing=absent(taken))
    measured = taken.found[BY_PHOTO]
    guess = no_skill(measured.run).accuracy
    photos = f"drawn by photo: {measured.photos()}"
    loss = measured.figure("log_loss")
    said = f"loss {loss.in_words()}; accuracy {percent(measured.figure('accuracy'))}; "
    of_classes = "; ".join(f"{class_name(code).lower()} {percent(measured.figure('f1', code))}" for code in ASKED)
    return Step(
        TITLE,
        (
            _data(table, counts),
            ScoredPhoto("A2", f"{said}always answering nevus: {guess:.1%}", photos, how),
            ScoredPhoto("A3", f"F1 of {of_classes}", photos, "As above; the intervals are drawn by lesion."),
        ),
        (
            *_of_data(counts),
            shown("Accuracy", measured.figure("accuracy")),
            Shown("Always “nevus”", f"{guess:.1%}", "accuracy without looking"),
        ),
        Forest(_by_class(measured), "F1 of each class"),
        _lesson(measured, guess),
        how,
    )


def _counts(table: pd.DataFrame) -> pd.DataFrame:
    # The article's seven classes: HAM10000 labels what ISIC 2019 calls squamous cell carcinoma akiec.
    return class_counts(table.assign(diagnosis=table["diagnosis"].replace({"scc": "akiec"})))


def _of_data(counts: pd.DataFrame) -> tuple[Shown, ...]:
    first, last = counts.iloc[0], counts.iloc[-1]
    return (
        Shown(
            class_name(first["diagnosis"]), f"{first['share']:.0%}", f"{first['photos']:,} of {counts.photos.sum():,}"
        ),
        Shown(class_name(last["diagnosis"]), f"{last['share']:.1%}", f"{last['photos']:,} photos"),
    )


def _data(table: pd.DataFrame, counts: pd.DataFrame) -> ScoredPhoto:
    sizes = table[["width", "height"]].drop_duplicates()
    stored = table[["stored_width", "stored_height"]].drop_duplicates()
    first, last = counts.iloc[0], counts.iloc[-1]
    return ScoredPhoto(
        "A1",
        f"{_sizes(sizes)}; {class_name(first['diagnosis']).lower()} {first['photos']:,} ({first['share']:.1%}), "
        f"{class_name(last['diagnosis']).lower()} {last['photos']:,}",
        f"all {len(table):,} photos of {table['lesion_id'].nunique():,} lesions",
        f"The same data; our copies are reduced to {_sizes(stored)}, which the networks reduce further.",
    )


def _sizes(frame: pd.DataFrame) -> str:
    if len(frame) > 1:
        return f"{len(frame):,} sizes"
    width, height = frame.iloc[0]
    return f"{width} x {height} px"


def _by_class(measured: Measured) -> pd.DataFrame:
    classes = with_intervals(per_class(measured.run), measured.intervals).sort_values(
        "f1", ascending=False, na_position="last", kind="stable"
    )
    return rows(
        (
            BY_CODE[row["class"]].short_name,
            f"{row['lesions']:,} lesions",
            Estimate(row["f1"], row["f1_low"], row["f1_high"]),
        )
        for _, row in classes.iterrows()
    )


def _lesson(measured: Measured, guess: float) -> str:
    classes = per_class(measured.run).dropna(subset="f1").sort_values("f1")
    worst, best = classes.iloc[0], classes.iloc[-1]
    return (
        f"An average hides the classes: of {measured.headline().accuracy:.0%} accuracy, {guess:.0%} can be had by "
        f"always answering nevus, and behind it F1 goes from {best['f1']:.0%} ({best['name'].lower()}) down to "
        f"{worst['f1']:.0%} ({worst['name'].lower()})."
    )
