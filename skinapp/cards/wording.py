"""What a model's card says, in words: for the Models page, and for the card in the forms of other tools."""

from collections.abc import Sequence

import pandas as pd

from skinapp.cards.figures import READ_HERE
from skinapp.cards.pair import BENIGN_FIRST, CONTRADICTIONS, SURELY_BENIGN
from skinapp.cards.selection import RATES, find_test_figure, find_unseen_rate, to_number
from skinapp.formatting import PERCENT, format_estimate, format_value
from skinapp.metrics.labels import get_metric_name
from skinapp.models.card import Card, CardFigure, Head, SeedFigures, UnseenCameraResult
from skinapp.runs.views.operating_points import SHOWN_SENSITIVITY
from skinapp.taxonomy import MELANOMA, get_class_name

SEEDS = (
    "The same recipe, trained again from other seeds, on validation photos. The first column is the network that "
    "is used. The figures differ by chance in the training alone, which the 95% intervals do not include. The true "
    "spread may be larger than so few seeds show."
)


CARRIED_OVER = 0.03
"""How far a sensitivity may be from its aim, 0 to 1, and the threshold still be said to carry over."""


def describe_question(head: Head) -> str:
    """Say what a head answers."""
    return "Malignant or benign" if head.name == "malignancy" else f"Which of {len(head.classes)} lesion types"


def name_figure(figure: CardFigure) -> str:
    """Name a figure of a card: "Recall of melanoma", "Sensitivity at the 95% operating point"."""
    name = get_metric_name(figure.metric)
    if figure.label is not None:
        name += f" of {get_class_name(figure.label).lower()}"
    if figure.stage == READ_HERE:
        return f"{name} {describe_sensitivity(figure)}, read from {figure.split}"
    if figure.sensitivity is not None:
        name += f" at the {100 * figure.sensitivity:g}% operating point"
    return name if figure.stage == "final" else f"{name} {figure.stage}"


def describe_sensitivity(figure: CardFigure) -> str:
    """Say at which sensitivity a threshold was read: "at 95% sensitivity"."""
    return f"at {100 * to_number(figure.sensitivity):g}% sensitivity"


def name_group(figure: CardFigure) -> str:
    """Name the group of a figure: "camera: rosendahl", or "akiec left out"; nothing for all photos."""
    return f"{figure.grouped_by}: {figure.group}" if figure.grouped_by else figure.group or ""


def name_cameras(result: UnseenCameraResult) -> str:
    """Name the cameras or sources of the photos that a tried recipe was not trained on."""
    return "; ".join(result.whose)


def group_unseen_results(card: Card) -> dict[str, tuple[UnseenCameraResult, ...]]:
    """Return the results of tried recipes on unseen cameras, grouped by the photos: their cameras and number."""
    groups: dict[str, list[UnseenCameraResult]] = {}
    for result in sorted(card.left_out, key=name_cameras):
        groups.setdefault(f"{name_cameras(result)} ({result.figure.photos:,})", []).append(result)
    return {name: tuple(results) for name, results in groups.items()}


def format_range(results: Sequence[UnseenCameraResult]) -> str:
    """Write one recipe's figure with its interval; of several "lowest 0.689, highest 0.740 of 7 recipes"."""
    defined = [result.figure for result in results if result.figure.value is not None]
    if len(defined) < 2:
        return format_estimate(defined[0] if defined else None)
    values = [figure.value for figure in defined if figure.value is not None]
    return f"lowest {min(values):.3f}, highest {max(values):.3f} of {len(values)} recipes"


def describe_threshold_transfer(card: Card) -> str:
    """Say how far thresholds missed their aim on unseen cameras; nothing where that was not measured."""
    sensitivity, specificity = (
        [rate.value for result in card.left_out if (rate := find_unseen_rate(result, name)) and rate.value is not None]
        for name in RATES
    )
    if not sensitivity or not specificity:
        return ""
    missed = max(abs(value - SHOWN_SENSITIVITY) for value in sensitivity) > CARRIED_OVER
    verdict = "A threshold does not carry over to another camera. " if missed else ""
    return (
        f"{verdict}For each recipe the threshold was set to find {SHOWN_SENSITIVITY:.0%} of the malignant photos in "
        "its own validation. On these photos it reached a "
        f"sensitivity of {min(sensitivity):.1%} to {max(sensitivity):.1%} and a specificity of "
        f"{min(specificity):.1%} to {max(specificity):.1%}."
    )


def describe_pair(card: Card) -> tuple[str, ...]:
    """Say how often the two answers of a pair disagree on test, in a sentence each; nothing where unmeasured.

    The threshold is that of SHOWN_SENSITIVITY.
    """
    contradicted = find_test_figure(card, "lesion_type", CONTRADICTIONS)
    benign = find_test_figure(card, "lesion_type", BENIGN_FIRST, sensitivity=SHOWN_SENSITIVITY)
    sentences = []
    if contradicted:
        sentences.append(
            f"In {format_estimate(contradicted, PERCENT)} of the photos melanoma is the likeliest type, although the "
            f"score for benign is {SURELY_BENIGN:.0%} or more."
        )
    if benign:
        sentences.append(
            f"In {format_estimate(benign, PERCENT)} of the photos a benign type is the likeliest, although the "
            f"malignancy score is above the {SHOWN_SENSITIVITY:.0%} threshold. For these photos the threshold decides."
        )
    return tuple(sentences)


def build_seed_table(rows: Sequence[SeedFigures]) -> pd.DataFrame:
    """Build a table with one row per figure and one column per seed; a dash where a figure is undefined."""
    metrics = list(dict.fromkeys(metric for row in rows for metric in row.figures))
    columns = {f"Seed {row.seed}": [format_value(row.figures.get(metric)) for metric in metrics] for row in rows}
    return pd.DataFrame(columns, index=pd.Index(map(_name_seed_figure, metrics), name="Figure"))


def _name_seed_figure(metric: str) -> str:
    name = get_metric_name(metric)
    return f"{name} of {get_class_name(MELANOMA).lower()}" if metric == "recall" else name
