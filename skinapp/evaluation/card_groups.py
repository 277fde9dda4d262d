"""For a model's card: malignancy by subgroup and counted otherwise, and how often a pair contradicts itself."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from skinapp.errors import RunError
from skinapp.evaluation.bootstrap import rate_interval
from skinapp.evaluation.card_rows import ALL, card_figure
from skinapp.evaluation.intervals import REPLICATES, SEED, Figure
from skinapp.evaluation.lookup import places_among
from skinapp.evaluation.operating_points import SHOWN_SENSITIVITY
from skinapp.evaluation.run import StoredRun, lesion_index, probabilities
from skinapp.evaluation.subgroups import facts_of, subgroup_figures
from skinapp.networks.card import CardFigure, OperatingPoint
from skinapp.taxonomy import BENIGN, class_name

GROUPED_BY = {
    "age_band": "age",
    "sex": "sex",
    "site": "site",
    "camera": "camera",
    "confirmation": "confirmation",
    "diagnosis": "diagnosis",
}
"""Columns of subgroups.facts_of, and what the groups of a card call them."""

HISTOLOGY_ONLY = "histology-confirmed photos only"
AKIEC_MALIGNANT, AKIEC_BENIGN, NO_AKIEC = "akiec as malignant", "akiec as benign", "akiec left out"
"""Others count actinic keratosis as benign (see taxonomy): what that would make of the figures."""

SURELY_BENIGN, MELANOMA = 0.9, "mel"
"""From this score for benign on, naming melanoma as the likeliest type contradicts it."""

OF_MELANOMA = f"{GROUPED_BY['diagnosis']}: {class_name(MELANOMA)}"
"""The group whose sensitivity is told beside that to all malignant photos."""

_ALIKE = "alike"
"""A column of facts in which all photos are one group, which is named by its level alone."""

AUROC, RATES = "malignant_auroc", ("sensitivity", "specificity")


def malignancy_by_group(
    run: StoredRun, table: pd.DataFrame, points: Sequence[OperatingPoint]
) -> tuple[CardFigure, ...]:
    """Compute malignant AUROC, sensitivity and specificity of groups of a malignancy run's photos.

    The groups are those of GROUPED_BY, as "camera: rosendahl", with their rates at the operating point of
    SHOWN_SENSITIVITY (a diagnosis has the one of the two that it can have); then photos confirmed by histology alone,
    and akiec counted as malignant, as benign and left out, with their rates at every point. What `table` does not hold
    of a photo is "not recorded". A group with too few lesions (see subgroups.subgroup_figures) has no figure rather
    than a wild one.
    """
    shown = [point for point in points if point.sensitivity == SHOWN_SENSITIVITY]
    facts = facts_of(run, table)
    found = [each for column in GROUPED_BY for each in _figures(run, facts, column, shown)]
    for name, counted in _counted_otherwise(run, table):
        if len(counted.predictions):
            found += _figures(counted, pd.DataFrame({_ALIKE: name}, index=counted.predictions.index), _ALIKE, points)
    return tuple(found)


def contradictions(malignancy: StoredRun, types: StoredRun) -> CardFigure:
    """Return in which share of photos a pair says benign at SURELY_BENIGN or more and melanoma as the likeliest type.

    A pair whose types were scaled to agree (networks.classifier.agreeing) cannot: a figure above 0 would be a bug.
    Raises RunError where the two runs are not of the same photos.
    """
    place = places_among(types.predictions["image_id"], malignancy.predictions["image_id"])
    if len(place) != len(malignancy.predictions) or (place < 0).any():
        raise RunError(f"The runs {malignancy.name} and {types.name} are not of the same photos. Make both again.")
    benign = probabilities(malignancy)[place, malignancy.classes.index(BENIGN)]
    likeliest = np.array(types.classes)[probabilities(types).argmax(axis=1)]
    both = ((benign >= SURELY_BENIGN) & (likeliest == MELANOMA)).astype(np.float64)
    lesion = lesion_index(types)
    ends = rate_interval(both, np.ones_like(both), lesion, REPLICATES, SEED)
    return card_figure(types, ALL, "contradictions", Figure(float(both.mean()), *ends))


def _counted_otherwise(run: StoredRun, table: pd.DataFrame) -> Iterator[tuple[str, StoredRun]]:
    rows, place = run.predictions, places_among(run.predictions["image_id"], table["image_id"])
    known = table[["diagnosis", "confirmation"]].reindex(place).set_axis(rows.index)  # -1 is no row: NA
    akiec = (known["diagnosis"] == "akiec").fillna(False).astype(bool)
    histology = (known["confirmation"] == "histology").fillna(False).astype(bool)
    for name, frame in (
        (HISTOLOGY_ONLY, rows[histology]),
        (AKIEC_MALIGNANT, rows),
        (AKIEC_BENIGN, rows.assign(truth=rows["truth"].mask(akiec, BENIGN))),
        (NO_AKIEC, rows[~akiec]),
    ):
        yield name, replace(run, predictions=frame)


def _figures(
    run: StoredRun, facts: pd.DataFrame, column: str, points: Sequence[OperatingPoint]
) -> Iterator[CardFigure]:
    """Yield the figures of each level of a column: the AUROC, and the rates at each point."""
    thresholds = [(f" at {point.sensitivity:g}", point.threshold) for point in points]
    for number, (at, threshold) in enumerate(thresholds or [("", None)]):
        frame = subgroup_figures(run, facts, (column,), REPLICATES, SEED, threshold)
        wanted = ((AUROC,) if not number else ()) + (RATES if points else ())
        for row in frame[frame["enough"] & frame["figure"].isin(wanted)].to_dict(orient="records"):
            group = row["level"] if column == _ALIKE else f"{GROUPED_BY[column]}: {row['level']}"
            name = row["figure"] + (at if row["figure"] in RATES else "")
            found = Figure(row["value"], row["low"], row["high"])
            yield card_figure(run, group, name, found, counts=(row["photos"], row["lesions"]))
