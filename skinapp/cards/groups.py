"""For a model's card: malignancy by subgroup, and of photos that are counted otherwise or left out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from skinapp.cards.rows import build_figure
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.models.card import CardFigure, OperatingPoint
from skinapp.runs.lookup import find_indices
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.runs.views.subgroups import MIN_LESIONS, look_up_subgroups, compute_subgroup_figures
from skinapp.taxonomy import BENIGN, MALIGNANT

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

ALMOST_NONE = 0.01
NO_BENIGN_CAMERAS = f"without cameras of under {ALMOST_NONE:.0%} malignant photos"
"""Who recognises a camera that took hardly a malignant lesion ranks its photos rightly without a look at the lesion."""

_ALIKE = "alike"
"""A column of facts in which all photos are one group, which is named by its level alone."""

AUROC, RATES = "malignant_auroc", ("sensitivity", "specificity")


def compute_group_figures(
    run: StoredRun, table: pd.DataFrame, points: Sequence[OperatingPoint]
) -> tuple[CardFigure, ...]:
    """Compute malignant AUROC, sensitivity and specificity of groups of a malignancy run's photos.

    The groups are those of GROUPED_BY, as "camera: rosendahl", with their rates at the operating point of
    SHOWN_SENSITIVITY (a diagnosis has the one of the two that it can have); then photos confirmed by histology alone,
    those without cameras of under ALMOST_NONE malignant photos and FEW_LESIONS or more lesions, where there are such
    (photos without a camera stay), and akiec counted as malignant, as benign and left out, with their rates at every
    point. What `table` does not hold of a photo is "not recorded". A group with too few lesions (see
    subgroups.subgroup_figures) has no figure rather than a wild one.
    """
    shown = [point for point in points if point.sensitivity == SHOWN_SENSITIVITY]
    facts = look_up_subgroups(run, table)
    found = [each for column in GROUPED_BY for each in _figures(run, facts, column, shown)]
    for name, counted in _counted_otherwise(run, table):
        if len(counted.frame):
            found += _figures(counted, pd.DataFrame({_ALIKE: name}, index=counted.frame.index), _ALIKE, points)
    return tuple(found)


def _counted_otherwise(run: StoredRun, table: pd.DataFrame) -> Iterator[tuple[str, StoredRun]]:
    rows, place = run.frame, find_indices(run.frame["image_id"], table["image_id"])
    known = table[["diagnosis", "confirmation", "camera"]].reindex(place).set_axis(rows.index)  # -1 is no row: NA
    akiec = (known["diagnosis"] == "akiec").fillna(False).astype(bool)
    histology = (known["confirmation"] == "histology").fillna(False).astype(bool)
    benign_camera = known["camera"].isin(_benign_cameras(rows, known["camera"]))
    if benign_camera.any():
        yield NO_BENIGN_CAMERAS, replace(run, frame=rows[~benign_camera])
    for name, frame in (
        (HISTOLOGY_ONLY, rows[histology]),
        (AKIEC_MALIGNANT, rows),
        (AKIEC_BENIGN, rows.assign(truth=rows["truth"].mask(akiec, BENIGN))),
        (NO_AKIEC, rows[~akiec]),
    ):
        yield name, replace(run, frame=frame)


def _benign_cameras(rows: pd.DataFrame, camera: pd.Series) -> pd.Index:
    """Return the cameras of which under ALMOST_NONE of the photos are malignant, by enough lesions to say so."""
    found = rows.assign(malignant=rows["truth"] == MALIGNANT).groupby(camera.astype(object))
    shares, lesions = found["malignant"].mean(), found["lesion_id"].nunique()
    return shares.index[(shares < ALMOST_NONE) & (lesions >= MIN_LESIONS)]


def _figures(
    run: StoredRun, facts: pd.DataFrame, column: str, points: Sequence[OperatingPoint]
) -> Iterator[CardFigure]:
    """Yield the figures of each level of a column: the AUROC, and the rates at each point."""
    for number, point in enumerate(points or [None]):
        frame = compute_subgroup_figures(run, facts, (column,), REPLICATES, SEED, point.threshold if point else None)
        wanted = ((AUROC,) if not number else ()) + (RATES if points else ())
        for row in frame[frame["enough"] & frame["figure"].isin(wanted)].to_dict(orient="records"):
            found = Estimate(row["value"], row["low"], row["high"])
            yield build_figure(
                run,
                row["figure"],
                found,
                sensitivity=point.sensitivity if point and row["figure"] in RATES else None,
                grouped_by=GROUPED_BY.get(column),
                group=row["level"],
                counts=(row["photos"], row["lesions"]),
            )
