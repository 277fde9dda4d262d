"""The figures of a model's card, computed from its stored runs: the card copies them, nobody types them in."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from skinapp.cards.groups import malignancy_by_group
from skinapp.cards.pair import benign_first, contradictions
from skinapp.cards.rows import ALL, at_point, card_figure, task_of
from skinapp.datasets.splits import OUTSIDE
from skinapp.metrics.estimate import Estimate
from skinapp.models.card import CardFigure, Head, OperatingPoint
from skinapp.runs.intervals import figure, headline_intervals
from skinapp.runs.measured import Measured
from skinapp.runs.prevalence import run_for_equal_shares
from skinapp.runs.seven import as_seven, can_be_seven, shares_of_seven
from skinapp.runs.stored import StoredRun
from skinapp.runs.views.calibration import before_calibration, calibration, calibration_intervals
from skinapp.runs.views.operating_points import rates_at, specificity_read_from
from skinapp.taxonomy import MELANOMA

HEADLINE = ("balanced_accuracy", "macro_auroc", "malignant_auroc", "accuracy", "macro_f1", "ece")
"""Overall figures of each run, as it is and before calibration."""

OF_SEVEN = ("balanced_accuracy", "macro_auroc")

SEVEN = "seven classes of HAM10000"
EQUAL_SHARES = f"{SEVEN}, as if equally frequent"
"""The group of figures whose scores are restated for equal shares, which is what balanced accuracy weighs by."""

BEFORE = " before calibration"
"""What is added to the name of a figure of the run as it was before its temperature and offsets."""

TEST = "test"


def card_figures(
    runs: Sequence[Measured], table: pd.DataFrame, points: Sequence[OperatingPoint], heads: Sequence[Head] = ()
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
    shares = {head.name: head.restatable for head in heads}
    found = [each for held in runs for each in _of_run(held, shares.get(task_of(held.run), {}))]
    tested = {task_of(held.run): held.run for held in runs if held.run.split == TEST}
    for run in (held.run for held in runs if held.run.split in (TEST, OUTSIDE) and task_of(held.run) == "malignancy"):
        found += _at_points(run, points)
    if malignancy := tested.get("malignancy"):
        found += malignancy_by_group(malignancy, table, points)
        if types := tested.get("lesion_type"):
            found.append(contradictions(malignancy, types))
            found += [benign_first(malignancy, types, point) for point in points]
    return tuple(found)


def _of_run(held: Measured, shares: Mapping[str, float]) -> Iterator[CardFigure]:
    run = held.run
    yield from _overall(run, held.intervals, "")
    if run.temperature is not None:
        before = before_calibration(run)
        yield from _overall(before, headline_intervals(before), BEFORE)
    if MELANOMA in run.classes:
        yield card_figure(run, ALL, "recall", figure(held.intervals, "recall", MELANOMA), MELANOMA)
    if can_be_seven(run):
        seven = as_seven(run)
        drawn = headline_intervals(seven)
        for name in OF_SEVEN:
            yield card_figure(run, SEVEN, name, figure(drawn, name))
        if shares:
            drawn = headline_intervals(run_for_equal_shares(seven, shares_of_seven(shares)))
            yield card_figure(run, EQUAL_SHARES, "balanced_accuracy", figure(drawn, "balanced_accuracy"))
            yield card_figure(run, EQUAL_SHARES, "recall", figure(drawn, "recall", MELANOMA), MELANOMA)


def _overall(run: StoredRun, intervals: pd.DataFrame, when: str) -> Iterator[CardFigure]:
    for name in HEADLINE:
        yield card_figure(run, ALL, name + when, figure(intervals, name))
    said = calibration(run)
    chance = Estimate(said.ece_if_perfect, float("nan"), float("nan"))
    yield card_figure(run, ALL, f"ece if perfect{when}", chance)
    for row in calibration_intervals(run).to_dict(orient="records"):
        found = Estimate(row["value"], row["low"], row["high"])
        label = None if row["figure"] == "brier" else said.outcome
        yield card_figure(run, ALL, row["figure"] + when, found, label)


def _at_points(run: StoredRun, points: Sequence[OperatingPoint]) -> Iterator[CardFigure]:
    for point in points:
        for name, found in rates_at(run, point.threshold).items():
            yield card_figure(run, ALL, at_point(name, point.sensitivity), found)
        read = specificity_read_from(run, point.sensitivity)
        yield card_figure(run, ALL, f"specificity at {point.sensitivity:g} sensitivity, read from {run.split}", read)
