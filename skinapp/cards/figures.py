"""The figures of a model's card, computed from its stored runs; none is typed in."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from skinapp.cards.figure import build_figure, find_task
from skinapp.cards.groups import compute_group_figures
from skinapp.cards.pair import compute_benign_first, compute_contradictions
from skinapp.datasets.splits import OUTSIDE
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import CardFigure, Head, OperatingPoint, Stage
from skinapp.runs.intervals import compute_intervals, get_figure
from skinapp.runs.measured import MeasuredRun
from skinapp.runs.prevalence import restate_run_for_equal_shares
from skinapp.runs.seven import can_merge_to_seven, merge_shares, merge_to_seven
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.calibration import compute_calibration, compute_calibration_intervals, undo_calibration
from skinapp.runs.views.operating_points import compute_rates_at, compute_specificity_from_roc
from skinapp.taxonomy import MELANOMA

HEADLINE = ("balanced_accuracy", "macro_auroc", "malignant_auroc", "accuracy", "macro_f1", "ece")
"""Overall figures of each run, after and before calibration."""

SEVEN_METRICS = ("balanced_accuracy", "macro_auroc")

SEVEN = "seven classes of HAM10000"
EQUAL_SHARES = f"{SEVEN}, as if equally frequent"
"""The group whose scores are restated for equal class shares, as balanced accuracy weighs classes."""

SECOND_READING = f"{SEVEN}, as if more equally frequent"
"""The group whose scores are restated by the card's reading exponent: between those two."""

TEST = "test"

READ_HERE: Stage = "threshold read from these photos"
"""The stage of a figure that looks too good, because its threshold was read from the photos it is measured on."""


def compute_card_figures(
    runs: Sequence[MeasuredRun],
    table: pd.DataFrame,
    points: Sequence[OperatingPoint],
    heads: Sequence[Head] = (),
    reading_exponent: float | None = None,
) -> tuple[CardFigure, ...]:
    """Compute the figures of a card from the stored runs of its model, one run per head and split.

    - Every run: HEADLINE, Brier score, calibration slope and intercept, and the ECE that perfect scores would show;
      again before calibration where the run's temperature is known.
    - Lesion types: the recall of melanoma, and SEVEN_METRICS of the group SEVEN. If the head in `heads` states its
      class shares, balanced accuracy and the recall of melanoma of the group EQUAL_SHARES too, and with a
      `reading_exponent`, 0 to 1, those of the group SECOND_READING.
    - Malignancy on test and outside: the rates at each operating point. On test also the groups of
      cards.groups, by the image table of the runs.
    - A pair of heads on test: how often the answers contradict each other, and how often a benign type comes first
      above a threshold.

    Intervals are 95%, by bootstrap over lesions; None where undefined.
    """
    shares = {head.name: head.shares_by_class for head in heads}
    figures = [
        figure
        for held in runs
        for figure in _compute_of_run(held, shares.get(find_task(held.run), {}), reading_exponent)
    ]
    tested = {find_task(held.run): held.run for held in runs if held.run.split == TEST}
    for run in (held.run for held in runs if held.run.split in (TEST, OUTSIDE) and find_task(held.run) == "malignancy"):
        figures += _compute_at_points(run, points)
    if malignancy := tested.get("malignancy"):
        figures += compute_group_figures(malignancy, table, points)
        if types := tested.get("lesion_type"):
            figures.append(compute_contradictions(malignancy, types))
            figures += [compute_benign_first(malignancy, types, point) for point in points]
    return tuple(figures)


def _compute_of_run(
    held: MeasuredRun, shares: Mapping[str, float], reading_exponent: float | None
) -> Iterator[CardFigure]:
    run = held.run
    yield from _compute_overall(run, held.intervals, "final")
    if run.temperature is not None:
        before = undo_calibration(run)
        yield from _compute_overall(before, compute_intervals(before), "before calibration")
    if MELANOMA in run.classes:
        yield build_figure(run, "recall", get_figure(held.intervals, "recall", MELANOMA), MELANOMA)
    if can_merge_to_seven(run):
        seven = merge_to_seven(run)
        intervals = compute_intervals(seven)
        for name in SEVEN_METRICS:
            yield build_figure(run, name, get_figure(intervals, name), group=SEVEN)
        readings = {EQUAL_SHARES: 1.0} | ({} if reading_exponent is None else {SECOND_READING: reading_exponent})
        for group, exponent in readings.items() if shares else ():
            intervals = compute_intervals(restate_run_for_equal_shares(seven, merge_shares(shares), exponent))
            yield build_figure(run, "balanced_accuracy", get_figure(intervals, "balanced_accuracy"), group=group)
            yield build_figure(run, "recall", get_figure(intervals, "recall", MELANOMA), MELANOMA, group=group)


def _compute_overall(run: StoredRun, intervals: pd.DataFrame, stage: Stage) -> Iterator[CardFigure]:
    for name in HEADLINE:
        yield build_figure(run, name, get_figure(intervals, name), stage=stage)
    calibration = compute_calibration(run)
    chance = Estimate(calibration.ece_if_perfect, float("nan"), float("nan"))
    yield build_figure(run, "ece_if_perfect", chance, stage=stage)
    for row in compute_calibration_intervals(run).to_dict(orient="records"):
        estimate = Estimate(row["value"], row["low"], row["high"])
        label = None if row["figure"] == "brier" else calibration.outcome
        yield build_figure(run, row["figure"], estimate, label, stage=stage)


def _compute_at_points(run: StoredRun, points: Sequence[OperatingPoint]) -> Iterator[CardFigure]:
    for point in points:
        for name, rate in compute_rates_at(run, point.threshold).items():
            yield build_figure(run, name, rate, sensitivity=point.sensitivity)
        read = compute_specificity_from_roc(run, point.sensitivity)
        yield build_figure(run, "specificity", read, sensitivity=point.sensitivity, stage=READ_HERE)
