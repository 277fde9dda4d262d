"""Malignancy figures of a card by subgroup, and with some photos left out or counted otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from skinapp.cards.figure import build_figure
from skinapp.metrics.estimate import REPLICATES, SEED, Estimate
from skinapp.models.card import CardFigure, OperatingPoint
from skinapp.runs.lookup import find_indices
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.runs.views.subgroups import MIN_LESIONS, compute_subgroup_figures, look_up_subgroups
from skinapp.taxonomy import BENIGN, MALIGNANT

GROUPED_BY = {
    "age_band": "age",
    "sex": "sex",
    "site": "site",
    "camera": "camera",
    "confirmation": "confirmation",
    "diagnosis": "diagnosis",
}
"""Columns that photos are grouped by, and their names in a card."""

HISTOLOGY_ONLY = "histology-confirmed photos only"
AKIEC_MALIGNANT, AKIEC_BENIGN, NO_AKIEC = "akiec as malignant", "akiec as benign", "akiec left out"
"""Some count actinic keratosis as benign (see taxonomy). These groups show how that changes the figures."""

ALMOST_NONE = 0.01
NO_BENIGN_CAMERAS = f"without cameras of under {ALMOST_NONE:.0%} malignant photos"
"""A network that recognises a camera with almost no malignant lesion ranks its photos right without the lesion."""

_WHOLE = "whole"
"""A column that puts all photos into one named group."""

AUROC, RATES = "malignant_auroc", ("sensitivity", "specificity")


def compute_group_figures(
    run: StoredRun, table: pd.DataFrame, points: Sequence[OperatingPoint]
) -> tuple[CardFigure, ...]:
    """Compute malignant AUROC, sensitivity and specificity of groups of a malignancy run's photos.

    Subgroups by GROUPED_BY come first, with their rates at the operating point of SHOWN_SENSITIVITY. A diagnosis has
    only one of the two rates. Named groups follow, with their rates at every operating point: photos without the
    cameras of under ALMOST_NONE malignant photos and at least MIN_LESIONS lesions (if there are such cameras; photos of
    unknown camera stay), photos confirmed by histology, and akiec as malignant, as benign and left out. Facts missing
    from `table` are "not recorded". A group with too few lesions has no figure (see
    subgroups.compute_subgroup_figures).
    """
    shown = [point for point in points if point.sensitivity == SHOWN_SENSITIVITY]
    facts = look_up_subgroups(run, table)
    figures = [figure for column in GROUPED_BY for figure in _compute_by_column(run, facts, column, shown)]
    for name, part in _list_named_groups(run, table):
        if len(part.frame):
            whole = pd.DataFrame({_WHOLE: name}, index=part.frame.index)
            figures += _compute_by_column(part, whole, _WHOLE, points)
    return tuple(figures)


def _list_named_groups(run: StoredRun, table: pd.DataFrame) -> Iterator[tuple[str, StoredRun]]:
    rows, indices = run.frame, find_indices(run.frame["image_id"], table["image_id"])
    known = table[["diagnosis", "confirmation", "camera"]].reindex(indices).set_axis(rows.index)  # -1 is no row: NA
    akiec = (known["diagnosis"] == "akiec").fillna(False).astype(bool)
    histology = (known["confirmation"] == "histology").fillna(False).astype(bool)
    benign_camera = known["camera"].isin(_find_benign_cameras(rows, known["camera"]))
    if benign_camera.any():
        yield NO_BENIGN_CAMERAS, replace(run, frame=rows[~benign_camera])
    for name, frame in (
        (HISTOLOGY_ONLY, rows[histology]),
        (AKIEC_MALIGNANT, rows),
        (AKIEC_BENIGN, rows.assign(truth=rows["truth"].mask(akiec, BENIGN))),
        (NO_AKIEC, rows[~akiec]),
    ):
        yield name, replace(run, frame=frame)


def _find_benign_cameras(rows: pd.DataFrame, camera: pd.Series) -> pd.Index:
    """Return the cameras with under ALMOST_NONE malignant photos and at least MIN_LESIONS lesions."""
    by_camera = rows.assign(malignant=rows["truth"] == MALIGNANT).groupby(camera.astype(object))
    shares, lesions = by_camera["malignant"].mean(), by_camera["lesion_id"].nunique()
    return shares.index[(shares < ALMOST_NONE) & (lesions >= MIN_LESIONS)]


def _compute_by_column(
    run: StoredRun, facts: pd.DataFrame, column: str, points: Sequence[OperatingPoint]
) -> Iterator[CardFigure]:
    """Yield the AUROC of each level of a column, and the rates at each operating point."""
    for number, point in enumerate(points or [None]):
        frame = compute_subgroup_figures(run, facts, (column,), REPLICATES, SEED, point.threshold if point else None)
        wanted = ((AUROC,) if not number else ()) + (RATES if points else ())
        for row in frame[frame["enough"] & frame["figure"].isin(wanted)].to_dict(orient="records"):
            yield build_figure(
                run,
                row["figure"],
                Estimate(row["value"], row["low"], row["high"]),
                sensitivity=point.sensitivity if point and row["figure"] in RATES else None,
                grouped_by=GROUPED_BY.get(column),
                group=row["level"],
                counts=(row["photos"], row["lesions"]),
            )
