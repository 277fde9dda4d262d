"""What a model's card says, in rows and words: for the Models page, and for the card in other tools' forms."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from skinapp.cards.figures import BEFORE, TEST
from skinapp.cards.groups import HISTOLOGY_ONLY, NO_BENIGN_CAMERAS, OF_MELANOMA
from skinapp.cards.pair import BENIGN_FIRST, CONTRADICTIONS, SURELY_BENIGN
from skinapp.cards.rows import ALL, at_point
from skinapp.datasets.splits import OUTSIDE
from skinapp.models.card import Card, CardFigure, Head, OperatingPoint, SeedFigures, Task, UnseenCameraResult
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import MELANOMA, class_name

HEADLINES: dict[Task, tuple[str, ...]] = {
    "malignancy": ("malignant_auroc", "balanced_accuracy", "accuracy", "macro_f1"),
    "lesion_type": ("balanced_accuracy", "macro_auroc", "malignant_auroc", "recall", "accuracy", "macro_f1"),
}
"""Which figures of a head stand first, in their order; of two classes the macro AUROC is the malignant one."""

OF_MALIGNANCY = ("slope", "intercept")
CALIBRATION = ("ece", "ece if perfect", "brier", *OF_MALIGNANCY)
RATES = ("sensitivity", "specificity")
READ_FROM_TEST = ", read from test"

SEEDS = (
    "The same recipe trained again from other seeds, on validation photos; the first column is the network that "
    "answers. They differ by chance in the training alone, which the 95% intervals do not hold; the true spread may be "
    "larger than so few seeds show."
)

_WORDS = {
    "benign_first": "Benign type first above the threshold",
    "macro_f1": "Macro F1",
    "macro_auroc": "Macro AUROC",
    "mean_auroc": "Mean AUROC",
    "malignant_auroc": "Malignant AUROC",
    "ece": "Calibration error",
    "brier": "Brier score",
}
_AT = re.compile(r"^at (?P<share>[01]\.?\d*)")


@dataclass(frozen=True)
class PointOnTest:
    """An operating point, and what it reached on test; None where the card does not say.

    `of_histology` is the specificity among photos that histology confirmed: of lesions that somebody thought worth a
    biopsy. `of_melanoma` is the sensitivity to melanoma alone.
    """

    point: OperatingPoint
    sensitivity: CardFigure | None
    specificity: CardFigure | None
    of_histology: CardFigure | None
    of_melanoma: CardFigure | None


@dataclass(frozen=True)
class Calibrated:
    """A figure of calibration on test, after calibration and before it; None where the card does not say."""

    words: str
    after: CardFigure
    before: CardFigure | None


@dataclass(frozen=True)
class Subgroup:
    """A figure of a subgroup: `by` is what photos are told apart by, as "camera", `level` which of them, as "vidir"."""

    by: str
    level: str
    figure: CardFigure


def question(head: Head) -> str:
    """Say what a head answers."""
    return "Malignant or benign" if head.name == "malignancy" else f"Which of {len(head.classes)} lesion types"


def whose(row: UnseenCameraResult) -> str:
    """Name the cameras or sources of the photos that a tried recipe was kept away from."""
    return "; ".join(row.whose)


def left_out(card: Card) -> dict[str, tuple[UnseenCameraResult, ...]]:
    """Return what networks of tried recipes said of photos that they were kept away from, by whose and how many."""
    groups: dict[str, list[UnseenCameraResult]] = {}
    for row in sorted(card.left_out, key=whose):
        groups.setdefault(f"{whose(row)} ({row.figure.photos:,})", []).append(row)
    return {name: tuple(rows) for name, rows in groups.items()}


def rate_left_out(row: UnseenCameraResult, name: str) -> CardFigure | None:
    """Return the "sensitivity" or the "specificity" that a tried recipe's own threshold has among such photos."""
    return next((rate for rate in row.rates if rate.figure == at_point(name, SHOWN_SENSITIVITY)), None)


def not_carried_over(card: Card) -> str:
    """Say how far from its aim a threshold was among photos that recipes were kept from; nothing where unmeasured."""
    sensitivity, specificity = (
        [rate.value for row in card.left_out if (rate := rate_left_out(row, name)) and rate.value is not None]
        for name in RATES
    )
    if not sensitivity or not specificity:
        return ""
    return (
        f"A threshold does not carry over to another camera: those that find {SHOWN_SENSITIVITY:.0%} of the malignant "
        f"photos of a recipe's own validation found from {min(sensitivity):.1%} to {max(sensitivity):.1%} of them "
        f"there, and left from {min(specificity):.1%} to {max(specificity):.1%} of the benign ones below."
    )


def spread(rows: Sequence[UnseenCameraResult]) -> str:
    """Write the figure of one recipe with its interval, of several "lowest 0.689, highest 0.740 of 7 recipes"."""
    defined = [row.figure for row in rows if row.figure.value is not None]
    if len(defined) < 2:
        return written(defined[0] if defined else None)
    values = [number(figure.value) for figure in defined]
    return f"lowest {min(values):.3f}, highest {max(values):.3f} of {len(values)} recipes"


def words(figure: str, label: str | None = None) -> str:
    """Name a figure of a card in words: "Recall of melanoma", "Sensitivity at the 95% point"."""
    name, _, rest = figure.partition(" ")
    said = _WORDS.get(name, name.replace("_", " ").capitalize())
    of_class = "" if label is None else f"of {class_name(label).lower()}"
    return " ".join(filter(None, (said, of_class, _AT.sub(_in_percent, rest))))


def _in_percent(found: re.Match[str]) -> str:
    share = f"{100 * float(found['share']):g}%"
    return f"at {share}" if found.end() < len(found.string) else f"at the {share} point"


def number(value: float | None) -> float:
    """Return a figure of a card as a number; NaN where it is undefined."""
    return math.nan if value is None else value


def written(found: CardFigure | None, form: str = ".3f") -> str:
    """Write "0.918 (0.899 to 0.931)", in a format of Python's; a dash for what is undefined or not there."""
    if found is None or found.value is None:
        return "–"
    return f"{found.value:{form}}{f' ({interval(found, form)})' if interval(found) else ''}"


def interval(found: CardFigure, form: str = ".3f") -> str:
    """Write "0.899 to 0.931"; nothing where there is no interval."""
    return "" if found.low is None or found.high is None else f"{found.low:{form}} to {found.high:{form}}"


def on_test(card: Card, task: Task | None = None, group: str | None = ALL) -> tuple[CardFigure, ...]:
    """Return a card's figures on test: of a task and a group, or of every one where None."""
    return tuple(
        figure
        for figure in card.figures
        if figure.split == TEST and task in (None, figure.task) and group in (None, figure.group)
    )


def outside(card: Card) -> tuple[CardFigure, ...]:
    """Return how well the photos of other clinics or cameras are ranked, and what the operating points do there."""
    told = ("malignant_auroc", *(at_point(rate, p.sensitivity) for p in card.operating_points for rate in RATES))
    return tuple(
        figure
        for figure in card.figures
        if (figure.split, figure.group, figure.task) == (OUTSIDE, ALL, "malignancy") and figure.figure in told
    )


def seeds_of(card: Card, network: str) -> tuple[SeedFigures, ...]:
    """Return what the recipe of a network gave from each seed, that network first; nothing where there was one."""
    return tuple(row for row in card.seeds if row.network == network)


def seed_table(rows: Sequence[SeedFigures]) -> pd.DataFrame:
    """Set the figures of seeds side by side: a row a figure in words, a column a seed; a dash where it is undefined."""
    names = dict.fromkeys(name for row in rows for name in row.figures)
    columns = {
        f"Seed {row.seed}": [f"{row.figures[n]:.3f}" if n in row.figures else "–" for n in names] for row in rows
    }
    figures = [words(name, MELANOMA if name == "recall" else None) for name in names]
    return pd.DataFrame(columns, index=pd.Index(figures, name="Figure"))


def headline(card: Card, task: Task) -> tuple[CardFigure, ...]:
    """Return the figures that stand first of a head, on test."""
    found = on_test(card, task)
    return tuple(figure for name in HEADLINES[task] for figure in found if figure.figure == name)


def reached(card: Card) -> tuple[PointOnTest, ...]:
    """Return each operating point with what it reached on test, the most sensitive last."""
    sensitivity, specificity = RATES

    def rate(name: str, point: OperatingPoint, group: str = ALL) -> CardFigure | None:
        return _one_on_test(card, "malignancy", at_point(name, point.sensitivity), group)

    return tuple(
        PointOnTest(
            point,
            rate(sensitivity, point),
            rate(specificity, point),
            rate(specificity, point, HISTOLOGY_ONLY),
            rate(sensitivity, point, OF_MELANOMA),
        )
        for point in sorted(card.operating_points, key=lambda point: point.sensitivity)
    )


def read_from_test(card: Card) -> tuple[CardFigure, ...]:
    """Return the figures at a threshold that was read from the test photos themselves, which flatter."""
    return tuple(figure for figure in on_test(card) if figure.figure.endswith(READ_FROM_TEST))


def side_by_side(card: Card) -> tuple[str, ...]:
    """Say how the two answers of a pair stood to each other on test, a sentence each; nothing where the card does not.

    Of the operating points it is that of SHOWN_SENSITIVITY.
    """
    contradicted = _one_on_test(card, "lesion_type", CONTRADICTIONS)
    benign = _one_on_test(card, "lesion_type", at_point(BENIGN_FIRST, SHOWN_SENSITIVITY))
    said = []
    if contradicted:
        said.append(
            f"Melanoma is the likeliest type, though the score for benign is {SURELY_BENIGN:.0%} or more, in "
            f"{written(contradicted, '.1%')} of the photos."
        )
    if benign:
        said.append(
            f"A benign type is the likeliest, though the malignancy score lies above the {SHOWN_SENSITIVITY:.0%} "
            f"threshold, in {written(benign, '.1%')} of the photos: there the threshold counts."
        )
    return tuple(said)


def without_benign_cameras(card: Card, figure: str) -> CardFigure | None:
    """Return a figure of malignancy on test without the cameras that took almost no malignant lesion, or None."""
    return _one_on_test(card, "malignancy", figure, NO_BENIGN_CAMERAS)


def _one_on_test(card: Card, task: Task, name: str, group: str = ALL) -> CardFigure | None:
    return next((figure for figure in on_test(card, task, group) if figure.figure == name), None)


def calibration(card: Card, task: Task) -> tuple[Calibrated, ...]:
    """Return the figures of calibration of a head on test, before and after.

    Slope and intercept are of malignancy; of the lesion types of a pair, which are made to agree with it, they would
    only say the same again.
    """
    found = {figure.figure: figure for figure in on_test(card, task)}
    again = OF_MALIGNANCY if card.role == "both" and task == "lesion_type" else ()
    return tuple(
        Calibrated(words(name), found[name], found.get(name + BEFORE))
        for name in CALIBRATION
        if name in found and name not in again
    )


def recounted(card: Card, task: Task) -> tuple[CardFigure, ...]:
    """Return the figures of a head on test where classes are counted in another way, as "akiec left out"."""
    return tuple(figure for figure in on_test(card, task, None) if figure.group != ALL and ": " not in figure.group)


def subgroups(card: Card) -> tuple[Subgroup, ...]:
    """Return the figures of subgroups on test, in the order of the card."""
    parts = ((*figure.group.partition(": "), figure) for figure in on_test(card, group=None))
    return tuple(Subgroup(by, level, figure) for by, colon, level, figure in parts if colon)


def forest_rows(groups: Iterable[Subgroup]) -> pd.DataFrame:
    """Return subgroups as `charts.forest` wants them: label, value, low, high (NaN where undefined), and a note."""
    rows = [
        (group.level, number(found.value), number(found.low), number(found.high), counts(found))
        for group in groups
        for found in (group.figure,)
    ]
    return pd.DataFrame(rows, columns=["label", "value", "low", "high", "note"])


def counts(found: CardFigure) -> str:
    """Say on how many photos and lesions a figure stands; a line breaks between the two alone."""
    return f"{found.photos:,}\u00a0photos, {found.lesions:,}\u00a0lesions"


def counted_on_test(card: Card) -> CardFigure | None:
    """Return a figure that counts all test photos and lesions, as not every one does; None where there is none."""
    return max(on_test(card), key=lambda figure: figure.photos, default=None)
