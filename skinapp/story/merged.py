"""Step 4: everything merged, ten labels of which two say in other words what the eight say."""

import numpy as np
import pandas as pd

from skinapp.datasets.summary import class_counts, imbalance
from skinapp.metrics.classification import malignant_mask
from skinapp.metrics.estimate import Estimate
from skinapp.runs.intervals import with_intervals
from skinapp.runs.measured import Measured
from skinapp.runs.stored import StoredRun, probabilities, truth_index
from skinapp.runs.summary import per_class
from skinapp.story.experiments import StoredExperiments, absent
from skinapp.story.parts import NOT_YET, Forest, ScoredPhoto, Shown, Source, Step, percent, rows, shown
from skinapp.story.skew import BY_PHOTO
from skinapp.taxonomy import MALIGNANCY_CLASSES, class_name

MERGED = Source("merged-ten-labels", "validation")
TITLE = "Merge everything"
TWO_CLASS = "malignant-vs-benign"


def step(shelf: StoredExperiments) -> Step:
    """Train on all sources with their labels as they come, and set loss and F1 beside those of step 1."""
    taken = shelf.take([MERGED, BY_PHOTO])
    table = shelf.table("merged")
    differs = (
        f"{_composition(table)} {_sizes(table)} Ours: {shelf.how(MERGED.experiment)}. A loss over "
        "ten labels is not one over seven."
    )
    if not taken.has(MERGED):
        return Step(TITLE, (ScoredPhoto("A6", NOT_YET, "", differs),), _of_data(table), missing=absent(taken))
    measured = taken.found[MERGED]
    loss, f1 = measured.figure("log_loss"), measured.figure("macro_f1")
    agree = _agree_on_malignancy(measured.run)
    first = taken.found.get(BY_PHOTO)
    return Step(
        TITLE,
        (
            ScoredPhoto(
                "A6",
                f"loss {loss.in_words()}, macro F1 {percent(f1)}{_beside(first)}; {agree:.0%} of the wrong answers "
                "that mix the two kinds of label are right about malignancy",
                f"drawn by photo: {measured.photos()}",
                differs,
            ),
        ),
        (*_of_data(table), shown("Loss", loss, 3), shown("Macro F1", f1)),
        Forest(_by_label(measured), "F1 of each of the ten labels"),
        _lesson(measured, first, _twice(shelf, table)),
        differs,
        absent(taken),
    )


def _of_data(table: pd.DataFrame) -> tuple[Shown, ...]:
    counts = class_counts(table)
    first = counts.iloc[0]
    return (
        Shown(class_name(first["diagnosis"]), f"{first['share']:.0%}", f"of {len(table):,} photos"),
        Shown("Top three labels", f"{counts['share'].head(3).sum():.0%}", f"of {len(counts)}"),
    )


def _composition(table: pd.DataFrame) -> str:
    counts = class_counts(table)
    photos = counts.set_index("diagnosis")["photos"]
    first, top = counts.iloc[0], counts["diagnosis"].head(3)
    return (
        f"Ours is another mixture: {_word(first['diagnosis'])} {first['share']:.1%} of {len(table):,} photos, "
        f"{_word('bcc')} {photos['bcc'] / len(table):.1%}, the top three ({', '.join(map(_word, top))}) "
        f"{counts['share'].head(3).sum():.1%}, {_word('bcc')} {photos['bcc'] / photos['scc']:.1f} times "
        f"{_word('scc')}, the largest {imbalance(counts['photos']):.0f} times the smallest."
    )


def _word(label: str) -> str:
    return class_name(label).lower()


def _sizes(table: pd.DataFrame) -> str:
    stored = table[["stored_width", "stored_height"]]
    published = table[["width", "height"]].dropna()
    said = " and ".join(f"{w} x {h}" for w, h in published.drop_duplicates().itertuples(index=False))
    return (
        f"Its sizes cannot be repeated: our copies are reduced, sides of {stored.min().min()} to {stored.max().max()} "
        f"px, and of {len(published):,} photos alone a source says the published size ({said} px)."
    )


def _beside(first: Measured | None) -> str:
    if first is None:
        return ""
    return f" (step 1: loss {first.figure('log_loss').in_words()}, macro F1 {percent(first.figure('macro_f1'))})"


def _by_label(measured: Measured) -> pd.DataFrame:
    classes = with_intervals(per_class(measured.run), measured.intervals).sort_values(
        "f1", ascending=False, na_position="last", kind="stable"
    )
    return rows(
        (row["name"], f"{row['support']:,} photos", Estimate(row["f1"], row["f1_low"], row["f1_high"]))
        for _, row in classes.iterrows()
    )


def _agree_on_malignancy(run: StoredRun) -> float:
    """Return of the wrong answers of which truth or answer is a bare "malignant" or "benign" the share that fits."""
    truth, answer = truth_index(run), probabilities(run).argmax(axis=1)
    malignant = malignant_mask(run.classes)
    bare = np.isin(run.classes, MALIGNANCY_CLASSES)
    mixed = (truth != answer) & (bare[truth] != bare[answer])
    return float((malignant[truth] == malignant[answer])[mixed].mean()) if mixed.any() else float("nan")


def _twice(shelf: StoredExperiments, table: pd.DataFrame) -> float:
    """Return the share of the two-class set's photos whose picture is there once more, under its type."""
    twins = shelf.twins()
    a, b = twins["table_a"] == TWO_CLASS, twins["table_b"] == TWO_CLASS
    twice = set(twins.loc[a & ~b, "image_a"]) | set(twins.loc[b & ~a, "image_b"])
    return len(twice) / int((table["source"] == TWO_CLASS).sum())


def _lesson(measured: Measured, first: Measured | None, twice: float) -> str:
    labels = f"{twice:.0%} of the two-class photos are there once more under their type, two right labels for a picture"
    if first is None:
        return f"More photos are not better data: {labels}."
    now, before = measured.headline(), first.headline()
    loss, f1 = now.log_loss - before.log_loss, now.macro_f1 - before.macro_f1
    said = f"against step 1 the loss is {_way(loss)} and macro F1 {_way(f1)}"
    told = "loss and F1 tell two stories here" if (loss > 0) == (f1 > 0) else "here loss and F1 agree"
    return f"More photos are not better data: {labels}; {said}: {told}."


def _way(change: float) -> str:
    return "higher" if change > 0 else "lower"
