"""Which figures of a model's card belong together: those on test, at a threshold, of calibration, of subgroups."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from skinapp.cards.figures import READ_HERE, TEST
from skinapp.cards.groups import GROUPED_BY, HISTOLOGY_ONLY, NO_BENIGN_CAMERAS
from skinapp.datasets.splits import OUTSIDE
from skinapp.models.card import Card, CardFigure, OperatingPoint, SeedFigures, Stage, Task, UnseenCameraResult
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import MELANOMA, get_class_name

HEADLINES: dict[Task, tuple[str, ...]] = {
    "malignancy": ("malignant_auroc", "balanced_accuracy", "accuracy", "macro_f1"),
    "lesion_type": ("balanced_accuracy", "macro_auroc", "malignant_auroc", "recall", "accuracy", "macro_f1"),
}
"""The figures of each head that are shown first, in order; of two classes, macro and malignant AUROC are the same."""

OF_MALIGNANCY = ("slope", "intercept")
CALIBRATION = ("ece", "ece_if_perfect", "brier", *OF_MALIGNANCY)
RATES = ("sensitivity", "specificity")


@dataclass(frozen=True)
class PointOnTest:
    """An operating point, and the rates that it reached on test; None where the card has no such figure.

    `of_histology` is the specificity among photos confirmed by histology: lesions that seemed worth a biopsy.
    `of_melanoma` is the sensitivity for melanoma alone.
    """

    point: OperatingPoint
    sensitivity: CardFigure | None
    specificity: CardFigure | None
    of_histology: CardFigure | None
    of_melanoma: CardFigure | None


@dataclass(frozen=True)
class CalibrationRow:
    """A figure of calibration on test, after and before calibration; None where the card has no such figure."""

    after: CardFigure
    before: CardFigure | None


def list_test_figures(card: Card, task: Task | None = None) -> tuple[CardFigure, ...]:
    """Return a card's figures of all test photos: of one head, or of every head."""
    return tuple(figure for figure in _list_on_test(card, task) if figure.group is None)


def _list_on_test(card: Card, task: Task | None = None) -> tuple[CardFigure, ...]:
    return tuple(figure for figure in card.figures if figure.split == TEST and task in (None, figure.task))


def find_test_figure(
    card: Card,
    task: Task,
    metric: str,
    *,
    sensitivity: float | None = None,
    stage: Stage = "final",
    grouped_by: str | None = None,
    group: str | None = None,
) -> CardFigure | None:
    """Return a card's first figure on test that fits; None where it has none."""
    wanted = (metric, sensitivity, stage, grouped_by, group)
    return next((figure for figure in _list_on_test(card, task) if _key(figure) == wanted), None)


def _key(figure: CardFigure) -> tuple[str, float | None, Stage, str | None, str | None]:
    return figure.metric, figure.sensitivity, figure.stage, figure.grouped_by, figure.group


def find_same_on_all_photos(card: Card, figure: CardFigure) -> CardFigure | None:
    """Return the figure of all test photos that a subgroup's figure compares with; None where the card has none."""
    return find_test_figure(card, figure.task, figure.metric, sensitivity=figure.sensitivity, stage=figure.stage)


def find_figure_of_all_photos(card: Card) -> CardFigure | None:
    """Return a figure that counts every test photo and lesion; None where there are no test figures."""
    return max(list_test_figures(card), key=lambda figure: figure.photos, default=None)


def find_without_benign_cameras(card: Card, metric: str, sensitivity: float | None = None) -> CardFigure | None:
    """Return a malignancy figure on test without the cameras that took almost no malignant lesion, or None."""
    return find_test_figure(card, "malignancy", metric, sensitivity=sensitivity, group=NO_BENIGN_CAMERAS)


def list_headline_figures(card: Card, task: Task) -> tuple[CardFigure, ...]:
    """Return the test figures of a head that are shown first."""
    figures = (find_test_figure(card, task, metric) for metric in HEADLINES[task])
    return tuple(figure for figure in figures if figure)


def list_recounted_figures(card: Card, task: Task) -> tuple[CardFigure, ...]:
    """Return a head's test figures of named groups, where photos are left out or counted otherwise."""
    return tuple(figure for figure in _list_on_test(card, task) if figure.group and figure.grouped_by is None)


def list_subgroup_figures(card: Card) -> tuple[CardFigure, ...]:
    """Return the test figures of subgroups, as those of a camera, in the order of the card."""
    return tuple(figure for figure in _list_on_test(card) if figure.grouped_by)


def list_points_on_test(card: Card) -> tuple[PointOnTest, ...]:
    """Return each operating point with what it reached on test, the most sensitive last."""
    sensitivity, specificity = RATES

    def find(metric: str, point: OperatingPoint, group: str | None = None, by: str | None = None) -> CardFigure | None:
        return find_test_figure(card, "malignancy", metric, sensitivity=point.sensitivity, grouped_by=by, group=group)

    return tuple(
        PointOnTest(
            point,
            find(sensitivity, point),
            find(specificity, point),
            find(specificity, point, HISTOLOGY_ONLY),
            find(sensitivity, point, get_class_name(MELANOMA), GROUPED_BY["diagnosis"]),
        )
        for point in sorted(card.operating_points, key=lambda point: point.sensitivity)
    )


def list_read_from_test(card: Card) -> tuple[CardFigure, ...]:
    """Return the figures at thresholds that were read from the test photos themselves, which makes them too good."""
    return tuple(figure for figure in list_test_figures(card) if figure.stage == READ_HERE)


def list_outside_figures(card: Card) -> tuple[CardFigure, ...]:
    """Return the malignant AUROC and the rates at each operating point on photos of other clinics or cameras."""
    points = [point.sensitivity for point in card.operating_points]
    wanted = [("malignant_auroc", None), *((rate, sensitivity) for sensitivity in points for rate in RATES)]
    return tuple(
        figure
        for figure in card.figures
        if (figure.split, figure.task, figure.group, figure.stage) == (OUTSIDE, "malignancy", None, "final")
        and (figure.metric, figure.sensitivity) in wanted
    )


def list_calibration(card: Card, task: Task) -> tuple[CalibrationRow, ...]:
    """Return the figures of calibration of a head on test, after and before.

    Slope and intercept are of malignancy. The lesion types of a pair are scaled to agree with it, so they are left out
    there.
    """
    repeated = OF_MALIGNANCY if card.role == "both" and task == "lesion_type" else ()
    return tuple(
        CalibrationRow(after, find_test_figure(card, task, metric, stage="before calibration"))
        for metric in CALIBRATION
        if metric not in repeated and (after := find_test_figure(card, task, metric))
    )


def find_unseen_rate(result: UnseenCameraResult, metric: str) -> CardFigure | None:
    """Return the "sensitivity" or "specificity" of a tried recipe's own threshold on an unseen camera's photos."""
    return next((rate for rate in result.rates if (rate.metric, rate.sensitivity) == (metric, SHOWN_SENSITIVITY)), None)


def list_seeds(card: Card, network: str) -> tuple[SeedFigures, ...]:
    """Return the figures of each seed of a network's recipe, the network itself first; empty for a single seed."""
    return tuple(row for row in card.seeds if row.network == network)


def to_number(value: float | None) -> float:
    """Return a figure of a card as a number; NaN where it is undefined."""
    return math.nan if value is None else value


def build_forest_rows(figures: Iterable[CardFigure]) -> pd.DataFrame:
    """Build the table that `charts.forest` draws: label, value, low, high (NaN where undefined), and a note."""
    rows = [
        (figure.group, to_number(figure.value), to_number(figure.low), to_number(figure.high), format_counts(figure))
        for figure in figures
    ]
    return pd.DataFrame(rows, columns=["label", "value", "low", "high", "note"])


def format_counts(figure: CardFigure) -> str:
    """Write how many photos and lesions a figure stands on; a line breaks only between the two."""
    return f"{figure.photos:,}\u00a0photos, {figure.lesions:,}\u00a0lesions"
