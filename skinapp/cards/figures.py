"""The figures of a model's card, computed from its stored runs: the card copies them, nobody types them in."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from skinapp.cards.groups import compute_group_figures
from skinapp.cards.pair import compute_benign_first, compute_contradictions
from skinapp.cards.rows import build_figure, find_task
from skinapp.datasets.splits import OUTSIDE
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import CardFigure, Head, OperatingPoint, Stage
from skinapp.runs.intervals import get_figure, compute_intervals
from skinapp.runs.measured import MeasuredRun
from skinapp.runs.prevalence import restate_run_for_equal_shares
from skinapp.runs.seven import merge_to_seven, can_merge_to_seven, merge_shares
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.calibration import undo_calibration, compute_calibration, compute_calibration_intervals
from skinapp.runs.views.operating_points import compute_rates_at, compute_specificity_from_roc
from skinapp.taxonomy import MELANOMA

HEADLINE = ("balanced_accuracy", "macro_auroc", "malignant_auroc", "accuracy", "macro_f1", "ece")
"""Overall figures of each run, as it is and before calibration."""

OF_SEVEN = ("balanced_accuracy", "macro_auroc")

SEVEN = "seven classes of HAM10000"
EQUAL_SHARES = f"{SEVEN}, as if equally frequent"
"""The group of figures whose scores are restated for equal shares, which is what balanced accuracy weighs by."""

TEST = "test"

READ_HERE: Stage = "threshold read from these photos"


def compute_card_figures(
    runs: Sequence[MeasuredRun], table: pd.DataFrame, points: Sequence[OperatingPoint], heads: Sequence[Head] = ()
) -> tuple[CardFigure, ...]:
    """Compute the figures of a card from the stored runs of its model, a head and a split each, in their order.

    Of every run: HEADLINE, Brier score, slope and intercept of calibration, each also before calibration where the
    run kept its temperature, and the ECE that perfect scores would show. Of lesion types the recall of melanoma, and
    OF_SEVEN of the group SEVEN; where one of `heads` says which shares the scores hold for, balanced accuracy and the
    recall of melanoma of the group EQUAL_SHARES too. Of malignancy on test and outside what each operating point does
    there; on test then the groups of card_groups, by the image table of the runs. Of a pair of heads on test how often
    its answers contradict each other, and how often a benign type comes first above a threshold. Intervals are of 95%,
    by bootstrap over lesions; None where undefined.
    """
    shares = {head.name: head.shares_by_class for head in heads}
    found = [each for held in runs for each in _of_run(held, shares.get(find_task(held.run), {}))]
    tested = {find_task(held.run): held.run for held in runs if held.run.split == TEST}
    for run in (held.run for held in runs if held.run.split in (TEST, OUTSIDE) and find_task(held.run) == "malignancy"):
        found += _at_points(run, points)
    if malignancy := tested.get("malignancy"):
        found += compute_group_figures(malignancy, table, points)
        if types := tested.get("lesion_type"):
            found.append(compute_contradictions(malignancy, types))
            found += [compute_benign_first(malignancy, types, point) for point in points]
    return tuple(found)


def _of_run(held: MeasuredRun, shares: Mapping[str, float]) -> Iterator[CardFigure]:
    run = held.run
    yield from _overall(run, held.intervals, "final")
    if run.temperature is not None:
        before = undo_calibration(run)
        yield from _overall(before, compute_intervals(before), "before calibration")
    if MELANOMA in run.classes:
        yield build_figure(run, "recall", get_figure(held.intervals, "recall", MELANOMA), MELANOMA)
    if can_merge_to_seven(run):
        seven = merge_to_seven(run)
        drawn = compute_intervals(seven)
        for name in OF_SEVEN:
            yield build_figure(run, name, get_figure(drawn, name), group=SEVEN)
        if shares:
            drawn = compute_intervals(restate_run_for_equal_shares(seven, merge_shares(shares)))
            yield build_figure(run, "balanced_accuracy", get_figure(drawn, "balanced_accuracy"), group=EQUAL_SHARES)
            yield build_figure(run, "recall", get_figure(drawn, "recall", MELANOMA), MELANOMA, group=EQUAL_SHARES)


def _overall(run: StoredRun, intervals: pd.DataFrame, stage: Stage) -> Iterator[CardFigure]:
    for name in HEADLINE:
        yield build_figure(run, name, get_figure(intervals, name), stage=stage)
    said = compute_calibration(run)
    chance = Estimate(said.ece_if_perfect, float("nan"), float("nan"))
    yield build_figure(run, "ece_if_perfect", chance, stage=stage)
    for row in compute_calibration_intervals(run).to_dict(orient="records"):
        found = Estimate(row["value"], row["low"], row["high"])
        label = None if row["figure"] == "brier" else said.outcome
        yield build_figure(run, row["figure"], found, label, stage=stage)


def _at_points(run: StoredRun, points: Sequence[OperatingPoint]) -> Iterator[CardFigure]:
    for point in points:
        for name, found in compute_rates_at(run, point.threshold).items():
            yield build_figure(run, name, found, sensitivity=point.sensitivity)
        read = compute_specificity_from_roc(run, point.sensitivity)
        yield build_figure(run, "specificity", read, sensitivity=point.sensitivity, stage=READ_HERE)
